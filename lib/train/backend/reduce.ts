// Kernels that fold dimensions: sums, means, products, and softmax along the last one.

import type { NativeKernel } from './backend.js'
import { kernel, sizeOf, take } from './kernel.js'

/** Op of the step `reduce`. */
const REDUCE = { Sum: 0, Mean: 1, Prod: 4 }

function reduce(name: string, op: number): NativeKernel {
  return kernel(name, (inputs, attrs, backend, core) => {
    const x = take(inputs, 'x')
    const axes = core.util.parseAxisParam(attrs['axis'] as number[], x.shape)
    const kept = x.shape.filter((_, axis) => !axes.includes(axis))
    const shape = attrs['keepDims'] ? x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent)) : kept
    const marks = Int32Array.from(x.shape, (_, axis) => Number(axes.includes(axis)))
    return backend.run('reduce', { op, axes: marks }, [backend.dense(x)], shape, kept)
  })
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
  softmax,
]
