// Pools and their gradients.

import type { NativeKernel } from './backend.js'
import { type Attrs, FREE, kernel, type Shape4, take } from './kernel.js'
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

export const POOL_KERNELS = [pool('MaxPool', 1), pool('AvgPool', 0), maxPoolGradient]
