// Gradients by kernels of lowbit's own, where those of TensorFlow.js take several passes over the data. Other backends
// keep theirs.

import type { GradConfig, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core'
import { CLAMP_GRADIENT } from './elementwise.js'
import { BACKEND } from './name.js'
import { COLUMN_PRODUCTS } from './norm.js'
import { type CoreModule, requireTfjs } from './tfjs.js'

type Gradient = GradConfig['gradFunc']
type Attrs = Readonly<Record<string, unknown>>

export function registerGradients(): void {
  const core = requireTfjs<CoreModule>('core')
  requireTfjs('layers') // registers the gradients of all kernels
  replace(core, 'Relu', activationGradient(core, Number.POSITIVE_INFINITY), true)
  replace(core, 'Relu6', activationGradient(core, below(6)), true)
  replace(core, 'ClipByValue', clampGradient(core, closedRange))
  replace(
    core,
    'Sum',
    spreadGradient(core, () => 1),
  )
  replace(
    core,
    'Mean',
    spreadGradient(core, (x, dy) => dy.size / x.size),
  )
  replace(core, 'FusedBatchNorm', batchNormGradient(core))
  for (const name of ['Maximum', 'Minimum', 'SquaredDifference'])
    replace(core, name, foldedGradient(core, name))
}

/** `gradient` may return undefined to leave these operands to TensorFlow.js. */
function replace(
  core: CoreModule,
  name: string,
  gradient: (...args: Parameters<Gradient>) => ReturnType<Gradient> | undefined,
  needsOutput = false,
): void {
  const before = core.getGradient(name)
  core.unregisterGradient(name)
  core.registerGradient({
    ...before,
    ...(needsOutput && { outputsToSave: [true] }), // behind the inputs
    gradFunc: (dy, saved, attrs) => {
      const isOurs =
        core.getBackend() === BACKEND && saved.every((tensor) => tensor == null || tensor.dtype === 'float32')
      return (isOurs ? gradient(dy, saved, attrs) : undefined) ?? before.gradFunc(dy, saved, attrs)
    },
  })
}

/** Where 0 < y <= high: what the activation gave says it, so that what it was given need not be kept. */
function activationGradient(core: CoreModule, high: number): Gradient {
  const gradient = clampGradient(core, () => [0, high])
  return (dy, [, y], attrs) => gradient(dy, [y as Tensor], attrs)
}

/** Where low < x <= high. */
function clampGradient(core: CoreModule, bounds: (attrs: Attrs) => readonly [number, number]): Gradient {
  return (dy, saved, attrs) => {
    const [x] = saved as [Tensor]
    const [low, high] = bounds(attrs as unknown as Attrs)
    const inputs = { x, dy } as unknown as NamedTensorMap
    return { x: () => core.engine().runKernel(CLAMP_GRADIENT, inputs, { low, high }) as Tensor }
  }
}

/** Where min <= x: the float32 just below it is the bound that x must exceed. */
function closedRange(attrs: Attrs): readonly [number, number] {
  return [below(attrs['clipValueMin'] as number), attrs['clipValueMax'] as number]
}

/** The next smaller float32. */
function below(x: number): number {
  const low = new Float32Array([x])
  const bits = new Int32Array(low.buffer)
  const [value] = low as unknown as [number]
  if (value > 0) bits[0] = (bits[0] as number) - 1
  else if (value === 0) low[0] = -(2 ** -149)
  else if (value > Number.NEGATIVE_INFINITY) bits[0] = (bits[0] as number) + 1
  return low[0] as number
}

/** dy times a number, everywhere along the axes that were folded. */
function spreadGradient(core: CoreModule, factor: (x: Tensor, dy: Tensor) => number): Gradient {
  return (dy, saved, attrs) => {
    const [x] = saved as [Tensor]
    const axes = core.util.parseAxisParam((attrs as unknown as Attrs)['axis'] as number[], x.shape)
    const shape = x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent))
    const spread = (dy: Tensor) => core.broadcastTo(core.mul(core.reshape(dy, shape), factor(x, dy)), x.shape)
    return { x: () => spread(dy as Tensor) }
  }
}

/** That of TensorFlow.js for operands of one shape, summed to the shapes that the operands have. */
function foldedGradient(core: CoreModule, name: string): Gradient {
  const { gradFunc } = core.getGradient(name)
  return (dy, saved, attrs) => {
    const whole = gradFunc(dy, saved, attrs)
    const fold =
      (side: 'a' | 'b', { shape }: Tensor) =>
      () => {
        const slope = (whole[side] as () => Tensor)()
        const axes = core.backend_util.getReductionAxes(shape, (dy as Tensor).shape)
        return axes.length === 0 ? slope : core.reshape(core.sum(slope, axes), shape)
      }
    const [a, b] = saved as [Tensor, Tensor]
    return { a: fold('a', a), b: fold('b', b) }
  }
}

/**
 * By two sums a column, r being 1 / sqrt(variance + epsilon): dOffset = sum dy, dScale = r sum dy (x - mean),
 * dMean = -scale r sum dy, dVariance = -1/2 scale r^3 sum dy (x - mean), dx = dy scale r.
 */
function batchNormGradient(core: CoreModule) {
  return (dy: Tensor | Tensor[], saved: Tensor[], attrs: unknown) => {
    const [x, mean, variance, scale] = saved as [Tensor, Tensor, Tensor, Tensor | undefined]
    if (mean.rank !== 1 || variance.rank !== 1 || (scale != null && scale.rank !== 1)) return undefined
    if (x.size === 0 || mean.size !== x.shape.at(-1)) return undefined
    const { varianceEpsilon } = attrs as { varianceEpsilon: number }
    const inputs = { dy, x, mean } as unknown as NamedTensorMap
    const [sums, products] = core.engine().runKernel(COLUMN_PRODUCTS, inputs) as [Tensor, Tensor]
    const r = core.rsqrt(core.add(variance, varianceEpsilon))
    const factor = scale == null ? r : core.mul(scale, r)
    return {
      x: () => core.mul(dy as Tensor, factor),
      mean: () => core.neg(core.mul(factor, sums)),
      variance: () => core.mul(core.mul(core.mul(factor, core.square(r)), products), -0.5),
      scale: () => core.mul(products, r),
      offset: () => core.clone(sums),
    }
  }
}
