// Convolutions and their gradients.

import { canFinish, finish } from './fused.js'
import { type Attrs, type Inputs, kernel, type Shape4, take } from './kernel.js'
import type { Attributes } from './steps.js'
import type { CoreModule } from './tfjs.js'

const isNhwc = (_inputs: Inputs, attrs: Attrs) => (attrs['dataFormat'] ?? 'NHWC') === 'NHWC'

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

const fusedConv2d = kernel(
  'FusedConv2D',
  (inputs, attrs, backend, core) =>
    finish(backend, core, conv2d.run(inputs, attrs, backend, core), inputs, attrs),
  (inputs, attrs) => isNhwc(inputs, attrs) && canFinish(inputs, attrs),
)

export const CONV_KERNELS = [conv2d, conv2dInput, conv2dFilter, fusedConv2d]
