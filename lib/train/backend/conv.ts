// Convolutions and their gradients.

import type { NativeKernel } from './backend.js'
import { canFinish, finish, product, withBias } from './fused.js'
import { type Attrs, denseOf, FREE, type Inputs, kernel, REAL, type Shape4, sizeOf, take } from './kernel.js'
import type { Attributes } from './steps.js'
import type { CoreModule } from './tfjs.js'

/** What native steps take. */
const MOST_STRIDE = 64
const MOST_TAPS = 2 ** 20

interface Window {
  readonly outShape: Shape4
  readonly attributes: Readonly<Record<string, number>>
  /** Whether no padding is wider than what the filter reaches over, and the extents are such as steps take. */
  readonly isPlain: boolean
}

/** The window of a convolution, as steps have it. */
function windowOf(
  core: CoreModule,
  x: readonly number[],
  filter: readonly number[],
  attrs: Attrs,
  isDepthwise = false,
): Window {
  const { strides, pad, dilations, dimRoundingMode } = attrs
  const info = core.backend_util.computeConv2DInfo(
    x as Shape4,
    filter as Shape4,
    strides as number,
    (dilations ?? 1) as number,
    pad as 'same',
    dimRoundingMode as 'floor',
    isDepthwise,
  )
  const { top, left, bottom, right } = info.padInfo
  const reachH = (info.filterHeight - 1) * info.dilationHeight
  const reachW = (info.filterWidth - 1) * info.dilationWidth
  const attributes = {
    strideH: info.strideHeight,
    strideW: info.strideWidth,
    dilationH: info.dilationHeight,
    dilationW: info.dilationWidth,
    padTop: top,
    padLeft: left,
  }
  const isPlain =
    sizeOf(info.outShape) > 0 &&
    Math.max(top, bottom) <= reachH &&
    Math.max(left, right) <= reachW &&
    Math.max(info.strideHeight, info.strideWidth) <= MOST_STRIDE &&
    info.filterHeight * info.filterWidth <= MOST_TAPS
  return { outShape: info.outShape, attributes, isPlain }
}

const isNhwc = (attrs: Attrs) => (attrs['dataFormat'] ?? 'NHWC') === 'NHWC'

/** A kernel of a convolution: `shapes` says those of its image and of its filter. */
function windowed(
  name: string,
  shapes: (inputs: Inputs, attrs: Attrs) => readonly [readonly number[], readonly number[]],
  isDepthwise: boolean,
  run: (window: Window, ...rest: Parameters<NativeKernel['run']>) => ReturnType<NativeKernel['run']>,
  fits: (inputs: Inputs, attrs: Attrs, core: CoreModule) => boolean = () => true,
): NativeKernel {
  const find = (inputs: Inputs, attrs: Attrs, core: CoreModule) =>
    windowOf(core, ...shapes(inputs, attrs), attrs, isDepthwise)
  return kernel(
    name,
    (inputs, attrs, backend, core) => run(find(inputs, attrs, core), inputs, attrs, backend, core),
    (inputs, attrs, core) => isNhwc(attrs) && fits(inputs, attrs, core) && find(inputs, attrs, core).isPlain,
  )
}

const forwardShapes = (inputs: Inputs) => [take(inputs, 'x').shape, take(inputs, 'filter').shape] as const
const inputShapes = (inputs: Inputs, attrs: Attrs) =>
  [attrs['inputShape'] as Shape4, take(inputs, 'filter').shape] as const
const filterShapes = (inputs: Inputs, attrs: Attrs) =>
  [take(inputs, 'x').shape, attrs['filterShape'] as Shape4] as const

const conv2d = windowed(
  'Conv2D',
  forwardShapes,
  false,
  ({ outShape, attributes }, inputs, _attrs, backend, core) => {
    const operands = denseOf(backend, inputs, 'x', 'filter')
    return product(backend, core, { kind: 'conv_computed', attributes, inputs: operands, shape: outShape })
  },
)

const fusedConv2d = windowed(
  'FusedConv2D',
  forwardShapes,
  false,
  ({ outShape, attributes }, inputs, attrs, backend, core) => {
    const operands = denseOf(backend, inputs, 'x', 'filter')
    const fused = withBias(backend, operands, attributes, inputs, attrs, outShape[3])
    return product(backend, core, { kind: 'conv_computed', ...fused, shape: outShape })
  },
  (inputs, attrs) => canFinish(inputs, attrs, take(inputs, 'filter').shape[3] as number),
)

/** Later: the fused kernels of TensorFlow.js ask for this gradient even of the first layer, whose input has no use for it. */
const conv2dInput = windowed(
  'Conv2DBackpropInput',
  inputShapes,
  false,
  ({ attributes }, inputs, attrs, backend) => {
    const shape = attrs['inputShape'] as Shape4
    const operands = denseOf(backend, inputs, 'dy', 'filter')
    return backend.runLater({ kind: 'conv_input_gradient', attributes, inputs: operands, shape })
  },
)

const conv2dFilter = windowed(
  'Conv2DBackpropFilter',
  filterShapes,
  false,
  ({ attributes }, inputs, attrs, backend) => {
    const shape = attrs['filterShape'] as Shape4
    return backend.run('conv_filter_gradient', attributes, denseOf(backend, inputs, 'x', 'dy'), shape)
  },
)

/** A depthwise convolution. From one channel to several it is an ordinary one, whose filter lies as it is. */
const depthwiseForward: Parameters<typeof windowed>[3] = (
  { outShape, attributes },
  inputs,
  _attrs,
  backend,
) => {
  const filter = take(inputs, 'filter')
  const [h, w, channels, multiplier] = filter.shape as Shape4
  if (channels === 1)
    return backend.run('conv_computed', attributes, denseOf(backend, inputs, 'x', 'filter'), outShape)
  const weights = backend.dense(filter, [1, h, w, channels * multiplier])
  const more: Attributes = { ...attributes, depthMultiplier: multiplier, ...REAL(FREE) }
  return backend.run('depthwise', more, [backend.dense(take(inputs, 'x')), weights], outShape)
}

const depthwise = windowed('DepthwiseConv2dNative', forwardShapes, true, depthwiseForward)

const fusedDepthwise = windowed(
  'FusedDepthwiseConv2D',
  forwardShapes,
  true,
  (window, inputs, attrs, backend, core) => {
    const sums = depthwiseForward(window, inputs, attrs, backend, core)
    return finish(backend, core, sums, inputs, attrs)
  },
  (inputs, attrs) => canFinish(inputs, attrs, sizeOf(take(inputs, 'filter').shape.slice(2))),
)

const depthwiseInput = windowed(
  'DepthwiseConv2dNativeBackpropInput',
  inputShapes,
  true,
  ({ attributes }, inputs, attrs, backend) => {
    const shape = attrs['inputShape'] as Shape4
    return backend.run(
      'depthwise_input_gradient',
      attributes,
      denseOf(backend, inputs, 'dy', 'filter'),
      shape,
    )
  },
)

const depthwiseFilter = windowed(
  'DepthwiseConv2dNativeBackpropFilter',
  filterShapes,
  true,
  ({ attributes }, inputs, attrs, backend) => {
    const shape = attrs['filterShape'] as Shape4
    return backend.run('depthwise_filter_gradient', attributes, denseOf(backend, inputs, 'x', 'dy'), shape)
  },
)

export const CONV_KERNELS = [
  conv2d,
  fusedConv2d,
  conv2dInput,
  conv2dFilter,
  depthwise,
  fusedDepthwise,
  depthwiseInput,
  depthwiseFilter,
]
