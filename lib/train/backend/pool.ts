// Pools and their gradients.

import type { NativeKernel } from './backend.js'
import { type Attrs, FREE, type Inputs, kernel, type Shape4, sizeOf, take } from './kernel.js'
import type { Attributes } from './steps.js'
import type { CoreModule } from './tfjs.js'

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

const hasNamedPadding = (_inputs: Inputs, attrs: Attrs) => typeof attrs['pad'] === 'string'

function pool(name: string, mode: number): NativeKernel {
  return kernel(
    name,
    (inputs, attrs, backend, core) => {
      const x = take(inputs, 'x')
      const { info, attributes } = poolOf(core, x.shape, attrs)
      return backend.run('pool', { ...attributes, mode, clamp: FREE }, [backend.dense(x)], info.outShape)
    },
    (inputs, attrs, core) =>
      hasNamedPadding(inputs, attrs) &&
      sizeOf(poolOf(core, take(inputs, 'x').shape, attrs).info.outShape) > 0,
  )
}

const maxPoolGradient = kernel(
  'MaxPoolGrad',
  (inputs, attrs, backend, core) => {
    const [x, dy] = [take(inputs, 'input'), take(inputs, 'dy')]
    const { attributes } = poolOf(core, x.shape, attrs)
    return backend.run('max_pool_gradient', attributes, [backend.dense(x), backend.dense(dy)], x.shape)
  },
  hasNamedPadding,
)

const averagePoolGradient = kernel(
  'AvgPoolGrad',
  (inputs, attrs, backend, core) => {
    const { shape } = take(inputs, 'input')
    const { attributes } = poolOf(core, shape, attrs)
    return backend.run('average_pool_gradient', attributes, [backend.dense(take(inputs, 'dy'))], shape)
  },
  hasNamedPadding,
)

export const POOL_KERNELS = [pool('MaxPool', 1), pool('AvgPool', 0), maxPoolGradient, averagePoolGradient]
