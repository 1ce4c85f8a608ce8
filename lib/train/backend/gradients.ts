// Gradients by kernels of lowbit's own, where those of TensorFlow.js take several passes over the data. Other backends
// keep theirs.

import type { GradConfig, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core'
import { CLAMP_GRADIENT } from './kernels.js'
import { BACKEND } from './name.js'
import { type CoreModule, requireTfjs } from './tfjs.js'

const CLAMPS = { Relu: Number.POSITIVE_INFINITY, Relu6: 6 }

export function registerGradients(): void {
  const core = requireTfjs<CoreModule>('core')
  requireTfjs('layers') // registers the gradients of all kernels
  for (const [name, high] of Object.entries(CLAMPS)) {
    const before = core.getGradient(name)
    core.unregisterGradient(name)
    core.registerGradient(clampGradient(core, before, high))
  }
}

function clampGradient(core: CoreModule, before: GradConfig, high: number): GradConfig {
  return {
    ...before,
    gradFunc: (dy, saved, attrs) => {
      const [x] = saved as [Tensor]
      if (core.getBackend() !== BACKEND || x.dtype !== 'float32') return before.gradFunc(dy, saved, attrs)
      const inputs = { x, dy } as unknown as NamedTensorMap
      return { x: () => core.engine().runKernel(CLAMP_GRADIENT, inputs, { low: 0, high }) as Tensor }
    },
  }
}
