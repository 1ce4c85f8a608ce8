// Kernels that move numbers and compute nothing, but for sums where an index comes twice.

import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { NativeBackend, NativeKernel } from './backend.js'
import { type Attrs, type Inputs, kernel, sizeOf, take } from './kernel.js'

/** Dimensions that the step `strided` takes. */
const MOST_RANK = 8

/** Elements from one index to the next, for each dimension. */
function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1)
  for (let i = shape.length - 2; i >= 0; i--)
    strides[i] = (strides[i + 1] as number) * (shape[i + 1] as number)
  return strides
}

/** A copy that walks through x by strides. */
function strided(
  backend: NativeBackend,
  x: TensorInfo,
  walk: { dims: readonly number[]; strides: readonly number[]; offset?: number },
  shape: readonly number[],
): TensorInfo {
  const { dims, strides, offset = 0 } = walk
  const attributes = {
    rank: dims.length,
    offset,
    dims: Int32Array.from(dims),
    strides: Int32Array.from(strides),
  }
  return backend.run('strided', attributes, [backend.dense(x, [sizeOf(x.shape)])], shape, [sizeOf(shape)])
}

const isLow = (name: string) => (inputs: Inputs) => take(inputs, name).shape.length <= MOST_RANK

const transpose = kernel(
  'Transpose',
  (inputs, attrs, backend) => {
    const x = take(inputs, 'x')
    const perm = attrs['perm'] as number[]
    const from = stridesOf(x.shape)
    const dims = perm.map((axis) => x.shape[axis] as number)
    return strided(backend, x, { dims, strides: perm.map((axis) => from[axis] as number) }, dims)
  },
  isLow('x'),
)

/** Only where rows are picked: a slice of whole rows is a view in the CPU backend. */
const slice = kernel(
  'Slice',
  (inputs, attrs, backend, core) => {
    const x = take(inputs, 'x')
    const given = [attrs['begin'] as number[], attrs['size'] as number[]] as const
    const [begin, size] = core.slice_util.parseSliceParams(x as never, ...given) as [number[], number[]]
    core.slice_util.assertParamsValid(x as never, begin, size)
    const strides = stridesOf(x.shape)
    const offset = begin.reduce((sum, at, axis) => sum + at * (strides[axis] as number), 0)
    return strided(backend, x, { dims: size, strides, offset }, size)
  },
  (inputs, attrs) => {
    const x = take(inputs, 'x')
    const size = attrs['size'] as number[]
    const inner = x.shape.findIndex((extent, axis) => axis > 0 && size[axis] !== -1 && size[axis] !== extent)
    return inner > 0 && x.shape.length <= MOST_RANK && !size.includes(0)
  },
)

const reverse = kernel(
  'Reverse',
  (inputs, attrs, backend, core) => {
    const x = take(inputs, 'x')
    const axes = core.util.parseAxisParam(attrs['dims'] as number[], x.shape)
    const forward = stridesOf(x.shape)
    const isTurned = (axis: number) => axes.includes(axis)
    const strides = forward.map((stride, axis) => (isTurned(axis) ? -stride : stride))
    const offset = axes.reduce(
      (sum, axis) => sum + ((x.shape[axis] as number) - 1) * (forward[axis] as number),
      0,
    )
    return strided(backend, x, { dims: x.shape, strides, offset }, x.shape)
  },
  isLow('x'),
)

/** Each dimension as repeats with stride 0, then itself. */
const tile = kernel(
  'Tile',
  (inputs, attrs, backend) => {
    const x = take(inputs, 'x')
    const reps = attrs['reps'] as number[]
    const from = stridesOf(x.shape)
    const dims = x.shape.flatMap((extent, axis) => [reps[axis] as number, extent])
    const strides = from.flatMap((stride) => [0, stride])
    return strided(
      backend,
      x,
      { dims, strides },
      x.shape.map((extent, axis) => extent * (reps[axis] as number)),
    )
  },
  (inputs, attrs) => {
    const rank = take(inputs, 'x').shape.length
    const reps = attrs['reps'] as number[]
    return 2 * rank <= MOST_RANK && reps.length === rank && reps.every((count) => count > 0)
  },
)

const pad = kernel(
  'PadV2',
  (inputs, attrs, backend) => {
    const x = take(inputs, 'x')
    const paddings = attrs['paddings'] as [number, number][]
    const shape = x.shape.map((extent, axis) => extent + sum(paddings[axis] as [number, number]))
    const before = Int32Array.from(paddings, ([count]) => count)
    const value = { shape: [], data: Float32Array.of(attrs['constantValue'] as number) }
    return backend.run('pad', { before }, [backend.dense(x), value], shape)
  },
  (inputs, attrs) => {
    const isOutwards = (attrs['paddings'] as number[][]).every((pair) => pair.every((count) => count >= 0))
    const rank = take(inputs, 'x').shape.length
    return rank > 0 && rank <= MOST_RANK && isOutwards
  },
)

const sum = ([a, b]: [number, number]) => a + b

const concat = kernel(
  'Concat',
  (inputs, attrs, backend, core) => {
    const parts = Object.values(inputs)
    const shapes = parts.map(({ shape }) => shape)
    const axis = core.util.parseAxisParam(attrs['axis'] as number, shapes[0] as number[])[0] as number
    core.backend_util.assertParamsConsistent(shapes, axis)
    const shape = core.backend_util.computeOutShape(shapes, axis)
    const outer = sizeOf(shape.slice(0, axis))
    const flat = parts.map((part) => backend.dense(part, [sizeOf(part.shape)]))
    return backend.run('concat', { outer }, flat, shape, [sizeOf(shape)])
  },
  (inputs) => Object.values(inputs).length > 1,
)

/** The whole numbers of a tensor that TensorFlow.js takes for indices. */
function indicesOf(backend: NativeBackend, tensor: TensorInfo): Int32Array {
  return backend.dense({ ...tensor, dtype: 'int32' }).data as Int32Array
}

const isIndexed = (x: TensorInfo, indices: TensorInfo) =>
  x.dtype === 'float32' && indices.dtype === 'int32' && sizeOf(x.shape) > 0 && sizeOf(indices.shape) > 0

const gather: NativeKernel = {
  name: 'GatherV2',
  fits: (inputs) => isIndexed(take(inputs, 'x'), take(inputs, 'indices')),
  run: (inputs, attrs: Attrs, backend, core) => {
    const [x, indices] = [take(inputs, 'x'), take(inputs, 'indices')]
    const axis = core.util.parseAxisParam(attrs['axis'] as number, x.shape)[0] as number
    const batchDims = (attrs['batchDims'] as number | undefined) ?? 0
    const extent = x.shape[axis] as number
    const numbers = indicesOf(backend, indices)
    const wrong = numbers.find((index) => index < 0 || index >= extent)
    core.util.assert(
      wrong === undefined,
      () => `GatherV2: the index value ${wrong} is not in [0, ${extent - 1}]`,
    )
    const { batchSize, outerSize, sliceSize, outputShape } =
      core.backend_util.segment_util.collectGatherOpShapeInfo(x as never, indices as never, axis, batchDims)
    const attributes = {
      batches: batchSize,
      outer: outerSize,
      rank: 1,
      dims: Int32Array.of(extent),
      inner: sliceSize,
      count: numbers.length / batchSize,
    }
    const operands = [backend.dense(x), { shape: indices.shape, data: numbers }]
    return backend.run('gather', attributes, operands, outputShape)
  },
}

/** Numbers of segments outside of the result are left out by TensorFlow.js, which the step does not. */
const segmentSum: NativeKernel = {
  name: 'UnsortedSegmentSum',
  fits: (inputs, attrs, backend) => {
    const [x, ids] = [take(inputs, 'x'), take(inputs, 'segmentIds')]
    const most = attrs['numSegments'] as number
    if (!isIndexed(x, ids) || ids.shape.length !== 1) return false
    return indicesOf(backend, ids).every((id) => id >= 0 && id < most)
  },
  run: (inputs, attrs, backend) => {
    const [x, ids] = [take(inputs, 'x'), take(inputs, 'segmentIds')]
    const count = ids.shape[0] as number
    const segments = attrs['numSegments'] as number
    const inner = sizeOf(x.shape) / count
    const attributes = { rank: 1, dims: Int32Array.of(segments), inner, count }
    const operands = [{ shape: ids.shape, data: indicesOf(backend, ids) }, backend.dense(x)]
    return backend.run('scatter', attributes, operands, [segments, ...x.shape.slice(1)])
  },
}

export const LAYOUT_KERNELS: readonly NativeKernel[] = [
  transpose,
  slice,
  reverse,
  tile,
  pad,
  concat,
  gather,
  segmentSum,
]
