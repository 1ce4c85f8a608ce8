// The native kernels of the backend: how each kernel of TensorFlow.js becomes a step.

import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { NativeBackend, NativeKernel } from './backend.js'
import type { Attributes } from './steps.js'
import type { CoreModule } from './tfjs.js'

type Inputs = Readonly<Record<string, TensorInfo>>
type Attrs = Readonly<Record<string, unknown>>
type Shape4 = [number, number, number, number]

const FREE = Float32Array.of(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)
const CLAMPS: Readonly<Record<string, Float32Array>> = {
  linear: FREE,
  relu: Float32Array.of(0, Number.POSITIVE_INFINITY),
  relu6: Float32Array.of(0, 6),
}

const areFloats = (inputs: Inputs) =>
  Object.values(inputs).every((tensor) => tensor === undefined || tensor.dtype === 'float32')
const take = (inputs: Inputs, name: string) => inputs[name] as TensorInfo
const sizeOf = (shape: readonly number[]) => shape.reduce((count, extent) => count * extent, 1)
const hasElements = (inputs: Inputs) =>
  Object.values(inputs).every((tensor) => tensor === undefined || sizeOf(tensor.shape) > 0)

/** A kernel for float32 alone. */
function kernel(
  name: string,
  run: NativeKernel['run'],
  fits: (inputs: Inputs, attrs: Attrs) => boolean = () => true,
): NativeKernel {
  return {
    name,
    run,
    fits: (inputs, attrs) => areFloats(inputs) && hasElements(inputs) && fits(inputs, attrs),
  }
}

function binary(name: string, op: number): NativeKernel {
  return kernel(
    name,
    (inputs, _attrs, backend, core) => {
      const [a, b] = [take(inputs, 'a'), take(inputs, 'b')]
      const shape = core.backend_util.assertAndGetBroadcastShape(a.shape, b.shape)
      return backend.run('binary', { op, clamp: FREE }, [backend.dense(a), backend.dense(b)], shape)
    },
    ({ a, b }) => (a as TensorInfo).shape.length <= 6 && (b as TensorInfo).shape.length <= 6,
  )
}

function unary(name: string, op: number): NativeKernel {
  return kernel(name, (inputs, _attrs, backend) => {
    const x = take(inputs, 'x')
    const flat = [sizeOf(x.shape)]
    return backend.run(
      'unary',
      { op, parameter: Float32Array.of(0) },
      [backend.dense(x, flat)],
      x.shape,
      flat,
    )
  })
}

/** The window of a convolution, as steps have it; undefined where no step takes it. */
function windowOf(core: CoreModule, x: readonly number[], filter: readonly number[], attrs: Attrs) {
  const { strides, pad, dilations = 1, dimRoundingMode, dataFormat = 'NHWC' } = attrs
  const format = core.backend_util.convertConv2DDataFormat(dataFormat as 'NHWC')
  const info = core.backend_util.computeConv2DInfo(
    x as Shape4,
    filter as Shape4,
    strides as number,
    dilations as number,
    pad as 'same',
    dimRoundingMode as 'floor',
    false,
    format,
  )
  const attributes: Attributes = {
    strideH: info.strideHeight,
    strideW: info.strideWidth,
    dilationH: info.dilationHeight,
    dilationW: info.dilationWidth,
    padTop: info.padInfo.top,
    padLeft: info.padInfo.left,
  }
  return { info, attributes }
}

const isNhwc = (_inputs: Inputs, attrs: Attrs) => (attrs['dataFormat'] ?? 'NHWC') === 'NHWC'

const conv2d = kernel(
  'Conv2D',
  (inputs, attrs, backend, core) => {
    const [x, filter] = [take(inputs, 'x'), take(inputs, 'filter')]
    const { info, attributes } = windowOf(core, x.shape, filter.shape, attrs)
    return backend.run('conv_computed', attributes, [backend.dense(x), backend.dense(filter)], info.outShape)
  },
  isNhwc,
)

const conv2dInput = kernel(
  'Conv2DBackpropInput',
  (inputs, attrs, backend, core) => {
    const [dy, filter] = [take(inputs, 'dy'), take(inputs, 'filter')]
    const shape = attrs['inputShape'] as Shape4
    const { attributes } = windowOf(core, shape, filter.shape, attrs)
    return backend.run('conv_input_gradient', attributes, [backend.dense(dy), backend.dense(filter)], shape)
  },
  (inputs, attrs) => isNhwc(inputs, attrs) && typeof attrs['pad'] === 'string',
)

const conv2dFilter = kernel(
  'Conv2DBackpropFilter',
  (inputs, attrs, backend, core) => {
    const [x, dy] = [take(inputs, 'x'), take(inputs, 'dy')]
    const shape = attrs['filterShape'] as Shape4
    const { attributes } = windowOf(core, x.shape, shape, attrs)
    return backend.run('conv_filter_gradient', attributes, [backend.dense(x), backend.dense(dy)], shape)
  },
  isNhwc,
)

function matmul(backend: NativeBackend, core: CoreModule, inputs: Inputs, attrs: Attrs): TensorInfo {
  const [a, b] = [take(inputs, 'a'), take(inputs, 'b')]
  const [adjointA, adjointB] = [Number(attrs['transposeA']), Number(attrs['transposeB'])]
  const rows = a.shape[a.shape.length - (adjointA ? 1 : 2)] as number
  const columns = b.shape[b.shape.length - (adjointB ? 2 : 1)] as number
  const leading = core.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
  const shape = [...leading, rows, columns]
  return backend.run('batch_matmul', { adjointA, adjointB }, [backend.dense(a), backend.dense(b)], shape)
}

const batchMatmul = kernel('BatchMatMul', (inputs, attrs, backend, core) =>
  matmul(backend, core, inputs, attrs),
)

const fusedMatmul = kernel(
  '_FusedMatMul',
  (inputs, attrs, backend, core) =>
    finish(backend, core, matmul(backend, core, inputs, attrs), inputs, attrs),
  (inputs, attrs) => canFinish(inputs, attrs),
)

const fusedConv2d = kernel(
  'FusedConv2D',
  (inputs, attrs, backend, core) =>
    finish(backend, core, conv2d.run(inputs, attrs, backend, core), inputs, attrs),
  (inputs, attrs) => isNhwc(inputs, attrs) && canFinish(inputs, attrs),
)

const canFinish = (inputs: Inputs, attrs: Attrs) =>
  inputs['preluActivationWeights'] === undefined && String(attrs['activation'] ?? 'linear') in CLAMPS

/** Bias and activation, in one pass over what was computed. */
function finish(
  backend: NativeBackend,
  core: CoreModule,
  sums: TensorInfo,
  inputs: Inputs,
  attrs: Attrs,
): TensorInfo {
  const clamp = CLAMPS[String(attrs['activation'] ?? 'linear')] as Float32Array
  const { bias } = inputs
  if (bias === undefined && clamp === FREE) return sums
  const added =
    bias ??
    backend.run(
      'unary',
      { op: 0, parameter: FREE.subarray(0, 1) },
      [{ shape: [1], data: Float32Array.of(0) }],
      [1],
    )
  const shape = core.backend_util.assertAndGetBroadcastShape(sums.shape, added.shape)
  const output = backend.run('binary', { op: 0, clamp }, [backend.dense(sums), backend.dense(added)], shape)
  if (bias === undefined) backend.disposeData(added.dataId)
  backend.disposeData(sums.dataId)
  return output
}

function poolOf(core: CoreModule, shape: readonly number[], attrs: Attrs) {
  const { filterSize, strides, pad, dimRoundingMode } = attrs
  const info = core.backend_util.computePool2DInfo(
    shape as Shape4,
    filterSize as number,
    strides as number,
    1,
    pad as 'same',
    dimRoundingMode as 'floor',
  )
  const attributes: Attributes = {
    filter: Int32Array.of(info.filterHeight, info.filterWidth),
    stride: Int32Array.of(info.strideHeight, info.strideWidth),
    pad: Int32Array.of(info.padInfo.top, info.padInfo.left),
  }
  return { info, attributes }
}

function pool(name: string, mode: number): NativeKernel {
  return kernel(
    name,
    (inputs, attrs, backend, core) => {
      const x = take(inputs, 'x')
      const { info, attributes } = poolOf(core, x.shape, attrs)
      return backend.run('pool', { ...attributes, mode, clamp: FREE }, [backend.dense(x)], info.outShape)
    },
    (_inputs, attrs) => typeof attrs['pad'] === 'string',
  )
}

const maxPoolGradient = kernel(
  'MaxPoolGrad',
  (inputs, attrs, backend, core) => {
    const [x, dy] = [take(inputs, 'input'), take(inputs, 'dy')]
    const { attributes } = poolOf(core, x.shape, attrs)
    return backend.run('max_pool_gradient', attributes, [backend.dense(x), backend.dense(dy)], x.shape)
  },
  (_inputs, attrs) => typeof attrs['pad'] === 'string',
)

const sum = kernel('Sum', (inputs, attrs, backend, core) => {
  const x = take(inputs, 'x')
  const axes = core.util.parseAxisParam(attrs['axis'] as number[], x.shape)
  const kept = x.shape.filter((_, axis) => !axes.includes(axis))
  const shape = attrs['keepDims'] ? x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent)) : kept
  const marks = Int32Array.from(x.shape, (_, axis) => Number(axes.includes(axis)))
  return backend.run('reduce', { op: 0, axes: marks }, [backend.dense(x)], shape, kept)
})

/** dx of an activation that clamps to (low, high]; no kernel of TensorFlow.js. */
export const CLAMP_GRADIENT = 'ClampGradient'
const clampGradient = kernel(CLAMP_GRADIENT, (inputs, attrs, backend) => {
  const [x, dy] = [take(inputs, 'x'), take(inputs, 'dy')]
  const clamp = Float32Array.of(attrs['low'] as number, attrs['high'] as number)
  const flat = [sizeOf(x.shape)]
  return backend.run(
    'clamp_gradient',
    { clamp },
    [backend.dense(x, flat), backend.dense(dy, flat)],
    x.shape,
    flat,
  )
})

export const KERNELS: readonly NativeKernel[] = [
  conv2d,
  conv2dInput,
  conv2dFilter,
  fusedConv2d,
  batchMatmul,
  fusedMatmul,
  pool('MaxPool', 1),
  pool('AvgPool', 0),
  maxPoolGradient,
  sum,
  clampGradient,
  ...[
    ['Add', 0],
    ['Sub', 1],
    ['Multiply', 2],
    ['Maximum', 3],
    ['Minimum', 4],
    ['RealDiv', 5],
    ['SquaredDifference', 6],
  ].map(([name, op]) => binary(name as string, op as number)),
  ...[
    ['Relu', 0],
    ['Relu6', 1],
    ['Abs', 6],
    ['Neg', 7],
    ['Square', 8],
    ['Sqrt', 12],
    ['Rsqrt', 13],
  ].map(([name, op]) => unary(name as string, op as number)),
]
