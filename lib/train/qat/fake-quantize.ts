// Fake quantisers: what codes would make of a tensor, in float32, with gradients that training can use.

import type { NamedAttrMap, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core'
import { LowbitError } from '../../errors.js'
import { storedScale } from '../../quantize/weights/grid.js'
import type { GridEffect } from '../backend/grid.js'
import { type CoreModule, requireTfjs } from '../backend/tfjs.js'
import { type CodeRange, roundHalfAway } from './grid.js'
import {
  type ClampAttributes,
  FAKE_QUANTIZE,
  FAKE_QUANTIZE_GRADIENT,
  GRID_KERNELS,
  type GradientAttributes,
  onArrays,
  onLowbit,
  type RangeAttributes,
  VALUE_RANGE,
} from './kernels.js'

/** Steps of a tensor, and the codes of zero: one, or one for each element of the innermost dimensions (output channels). */
export interface GridTensors {
  readonly scale: Tensor
  /** Whole numbers as float32; 0 where it is left out. */
  readonly zeroPoint?: Tensor
}

/** TensorFlow.js, with the kernels of fake quantisation registered once for its CPU backend and lowbit's. */
export function tensorflow(): CoreModule {
  const core = requireTfjs<CoreModule>('core')
  requireTfjs('backend-cpu')
  for (const [backendName, make] of [
    ['cpu', onArrays],
    ['lowbit', onLowbit],
  ] as const) {
    for (const kernel of GRID_KERNELS) {
      if (core.getKernel(kernel.name, backendName) != null) continue
      core.registerKernel({ kernelName: kernel.name, backendName, kernelFunc: make(kernel) as never })
    }
  }
  return core
}

function run(
  core: CoreModule,
  name: string,
  inputs: Record<string, Tensor>,
  attributes: ClampAttributes | GradientAttributes | RangeAttributes,
): Tensor[] {
  if (core.getKernel(name, core.getBackend()) == null) {
    const message = `fake quantisers run on the backends lowbit and cpu of TensorFlow.js, not on ${core.getBackend()}`
    throw new LowbitError('OPTION_INVALID', message, { expected: 'lowbit or cpu', actual: core.getBackend() })
  }
  return core
    .engine()
    .runKernel(name, inputs as NamedTensorMap, attributes as object as NamedAttrMap) as Tensor[]
}

/** Smallest elements of the innermost channels, then the largest. No gradient. */
export function valueRange(x: Tensor, channels = 1): Float32Array {
  const core = tensorflow()
  return core.tidy(() =>
    (run(core, VALUE_RANGE, { x }, { channels })[0] as Tensor).dataSync(),
  ) as Float32Array
}

/** The smallest scale of each innermost channel that clamps nothing; 1 where all elements are 0. No gradient. */
export function channelScales(x: Tensor, channels: number, { low, high }: CodeRange): Tensor {
  const ends = valueRange(x, channels)
  const scales = Array.from({ length: channels }, (_, channel) => {
    const [least, most] = [ends[channel] as number, ends[channels + channel] as number]
    return storedScale(Math.max(least / low, most / high, 0))
  })
  return tensorflow().tensor1d(scales)
}

/**
 * `scale * (clamp(roundHalfAway(x / scale) + zeroPoint, low, high) - zeroPoint)`. The gradient passes as if nothing were
 * rounded where x is within the clamp, and is 0 elsewhere (straight-through estimator, Bengio et al. 2013); the grid
 * has none.
 */
export function fakeQuantize<T extends Tensor>(x: T, { scale, zeroPoint }: GridTensors, codes: CodeRange): T {
  const core = tensorflow()
  const clamp: ClampAttributes = { low: codes.low, high: codes.high }
  const quantize = core.customGrad((x, save) => {
    const zero = zeroPoint ?? core.zerosLike(scale)
    ;(save as (tensors: Tensor[]) => void)([x as Tensor, scale, zero])
    return {
      value: run(core, FAKE_QUANTIZE, { x: x as Tensor, scale, zeroPoint: zero }, clamp)[0] as Tensor,
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [x, scale, zeroPoint] = saved as [Tensor, Tensor, Tensor]
        const attributes = { ...clamp, effects: [], factor: 1 }
        return run(core, FAKE_QUANTIZE_GRADIENT, { x, scale, zeroPoint, dy }, attributes)[0] as Tensor
      },
    }
  })
  return quantize(x) as T
}

/**
 * A fake quantiser with gradients for the numbers of its grid as well, each by its effect. `gridOf` gets them and says
 * the grid.
 */
function learned(
  x: Tensor,
  numbers: readonly Tensor[],
  codes: CodeRange,
  gridOf: (core: CoreModule, numbers: readonly Tensor[]) => Required<GridTensors>,
  effects: readonly GridEffect[],
  factor: number,
): Tensor {
  const core = tensorflow()
  const clamp: ClampAttributes = { low: codes.low, high: codes.high }
  const quantize = core.customGrad((...args) => {
    const save = args.pop() as unknown as (tensors: Tensor[]) => void
    const [x, ...numbers] = args as Tensor[] as [Tensor, ...Tensor[]]
    const { scale, zeroPoint } = gridOf(core, numbers)
    save([x, scale, zeroPoint])
    return {
      value: run(core, FAKE_QUANTIZE, { x, scale, zeroPoint }, clamp)[0] as Tensor,
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [x, scale, zeroPoint] = saved as [Tensor, Tensor, Tensor]
        const inputs = { x, scale, zeroPoint, dy }
        return run(core, FAKE_QUANTIZE_GRADIENT, inputs, { ...clamp, effects, factor })
      },
    }
  })
  return quantize(x, ...numbers)
}

/** @returns 1 / sqrt(N Qp), which makes steps of a scale as large beside it as those of the weights are. */
function stepGradientScale(count: number, { high }: CodeRange): number {
  return 1 / Math.sqrt(Math.max(count, 1) * high)
}

/**
 * Learned step size. The gradient of the scale is -x/s + round(x/s) within the clamp, `low` below and `high` above,
 * times 1 / sqrt(N Qp), N being the elements that share a scale.
 *
 * @see Esser, McKinstry, Bablani, Appuswamy, Modha: Learned Step Size Quantization, ICLR 2020, (1) to (3) and section 2.2.
 */
export function learnedStep<T extends Tensor>(x: T, scale: Tensor, codes: CodeRange): T {
  return learned(
    x,
    [scale],
    codes,
    (core, [scale]) => ({ scale: scale as Tensor, zeroPoint: core.zerosLike(scale as Tensor) }),
    [{ below: codes.low, above: codes.high, within: 1 }],
    stepGradientScale(x.size / scale.size, codes),
  ) as T
}

/**
 * Learned step and offset: the offset is the real value of the lowest code, moved by less than a step so that zero has
 * a code. `x_hat = s v + offset` with v from 0 to Qp = high - low: the scale's gradient is v - (x - offset)/s within the
 * clamp, 0 below and Qp above; the offset's is 1 where x is clamped and 0 elsewhere; both times 1 / sqrt(N Qp).
 *
 * @param count N: elements of one sample.
 * @see Bhalgat, Lee, Nagel, Blankevoort, Kwak: LSQ+, CVPR Workshops 2020, (4) to (6).
 */
export function learnedOffset<T extends Tensor>(
  x: T,
  scale: Tensor,
  offset: Tensor,
  codes: CodeRange,
  count: number,
): T {
  const most = codes.high - codes.low
  return learned(
    x,
    [scale, offset],
    codes,
    (core, [scale, offset]) => ({
      scale: scale as Tensor,
      zeroPoint: core.tensor1d([offsetZeroPoint(firstOf(scale as Tensor), firstOf(offset as Tensor), codes)]),
    }),
    [
      { below: 0, above: most, within: 1 },
      { below: 1, above: 1, within: 0 },
    ],
    stepGradientScale(count, { low: 0, high: most }),
  ) as T
}

const firstOf = (tensor: Tensor) => tensor.dataSync()[0] as number

/** The code of zero where the lowest code stands for about `offset`. */
export function offsetZeroPoint(scale: number, offset: number, { low, high }: CodeRange): number {
  return Math.min(Math.max(low - roundHalfAway(Math.fround(offset / scale)), low), high)
}

/**
 * Parametrised clipping: `0.5 (|x| - |x - clip| + clip)` on the codes from 0 to clip. The gradient of the clip is 1 where
 * x lies above it and 0 elsewhere.
 *
 * @see Choi et al.: PACT, 2018, (1) to (3).
 */
export function learnedClip<T extends Tensor>(x: T, clip: Tensor, codes: CodeRange): T {
  return learned(
    x,
    [clip],
    codes,
    (core, [clip]) => ({
      scale: core.div(clip as Tensor, codes.high - codes.low),
      zeroPoint: core.fill((clip as Tensor).shape, codes.low),
    }),
    [{ below: 0, above: 1, within: 0 }],
    1,
  ) as T
}
