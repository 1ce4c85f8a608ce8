// Batch norm over the last dimension, and what its gradient needs.

import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { NativeBackend, NativeKernel } from './backend.js'
import { type Attrs, type Inputs, kernel, sizeOf, take } from './kernel.js'
import type { Dense } from './steps.js'

/** One number for each of the last dimension. */
function line(count: number, number: (i: number) => number): Dense {
  return { shape: [count], data: Float32Array.from({ length: count }, (_, i) => number(i)) }
}

function factors(backend: NativeBackend, inputs: Inputs, attrs: Attrs, count: number): Dense {
  const variance = backend.dense(take(inputs, 'variance')).data
  const scale = inputs['scale'] && backend.dense(inputs['scale']).data
  const epsilon = (attrs['varianceEpsilon'] as number | undefined) ?? 0.001
  return line(count, (i) => (scale?.[i] ?? 1) / Math.sqrt((variance[i] as number) + epsilon))
}

/** Whether all that is given beside x is one number for each of its last dimension. */
function isByColumn(inputs: Inputs): boolean {
  const columns = take(inputs, 'x').shape.at(-1)
  return ['mean', 'variance', 'scale', 'offset'].every((name) => {
    const given = inputs[name]
    return given === undefined || (given.shape.length === 1 && given.shape[0] === columns)
  })
}

const batchNorm = kernel(
  'FusedBatchNorm',
  (inputs, attrs, backend) => {
    const x = take(inputs, 'x')
    const columns = x.shape.at(-1) as number
    const mean = backend.dense(take(inputs, 'mean'))
    const offset = inputs['offset'] ? backend.dense(inputs['offset']) : line(columns, () => 0)
    const factor = factors(backend, inputs, attrs, columns)
    return backend.run('scale_columns', {}, [backend.dense(x), mean, factor, offset], x.shape)
  },
  isByColumn,
)

/** Sums over all dimensions but the last: of dy, and of dy (x - mean). No kernel of TensorFlow.js. */
export const COLUMN_PRODUCTS = 'ColumnProducts'
const columnProducts: NativeKernel<TensorInfo[]> = {
  name: COLUMN_PRODUCTS,
  fits: () => true,
  run: (inputs, _attrs, backend) => {
    const { dy, x, mean } = inputs as Record<'dy' | 'x' | 'mean', TensorInfo>
    const columns = x.shape.at(-1) as number
    const seen = [sizeOf(x.shape) / columns, columns]
    const operands = [backend.dense(dy, seen), backend.dense(x, seen), backend.dense(mean)]
    return backend.runInto('column_products', {}, operands, [{ shape: [columns] }, { shape: [columns] }])
  },
}

export const NORM_KERNELS: readonly NativeKernel<TensorInfo | TensorInfo[]>[] = [batchNorm, columnProducts]
