// Kernels that fold dimensions: sums, means, products, extremes, and softmax along the last one.

import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { NativeKernel } from './backend.js'
import { type Attrs, kernel, sizeOf, take } from './kernel.js'
import type { CoreModule } from './tfjs.js'

/** Op of the step `reduce`. */
const REDUCE = { Sum: 0, Mean: 1, Prod: 4 }

/** The axes that go, and the shape that is left. */
function folded({ shape }: TensorInfo, axis: unknown, attrs: Attrs, core: CoreModule) {
  const axes = core.util.parseAxisParam(axis as number[], [...shape])
  const kept = shape.filter((_, axis) => !axes.includes(axis))
  const left = attrs['keepDims'] ? shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent)) : kept
  return { axes, kept, left }
}

function reduce(name: string, op: number): NativeKernel {
  return kernel(name, (inputs, attrs, backend, core) => {
    const x = take(inputs, 'x')
    const { axes, kept, left } = folded(x, attrs['axis'], attrs, core)
    const marks = Int32Array.from(x.shape, (_, axis) => Number(axes.includes(axis)))
    return backend.run('reduce', { op, axes: marks }, [backend.dense(x)], left, kept)
  })
}

/** Over axes that follow each other: [before, these, behind]. */
function extreme(name: 'Max' | 'Min', axisName: string): NativeKernel {
  return kernel(
    name,
    (inputs, attrs, backend, core) => {
      const x = take(inputs, 'x')
      const { axes, left } = folded(x, attrs[axisName], attrs, core)
      const first = Math.min(...axes)
      const before = sizeOf(x.shape.slice(0, first))
      const behind = sizeOf(x.shape.slice(first + axes.length))
      const matrices = backend.dense(x, [before, sizeOf(x.shape) / before / behind, behind])
      return backend.run('extremes', { least: Number(name === 'Min') }, [matrices], left, [before, behind])
    },
    (inputs, attrs, core) => {
      const { axes } = folded(take(inputs, 'x'), attrs[axisName], attrs, core)
      return axes.length > 0 && Math.max(...axes) - Math.min(...axes) === axes.length - 1
    },
  )
}

const softmax = kernel(
  'Softmax',
  (inputs, _attrs, backend) => {
    const logits = take(inputs, 'logits')
    const depth = logits.shape.at(-1) as number
    const seen = [sizeOf(logits.shape) / depth, depth]
    const attributes = { beta: Float32Array.of(1), log: 0 }
    return backend.run('softmax', attributes, [backend.dense(logits, seen)], logits.shape, seen)
  },
  (inputs, attrs) => {
    const rank = take(inputs, 'logits').shape.length
    return attrs['dim'] === -1 || attrs['dim'] === rank - 1
  },
)

export const REDUCE_KERNELS: readonly NativeKernel[] = [
  ...Object.entries(REDUCE).map(([name, op]) => reduce(name, op)),
  extreme('Max', 'reductionIndices'),
  extreme('Min', 'axis'),
  softmax,
]
