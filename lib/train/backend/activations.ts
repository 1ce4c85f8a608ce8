// Activations of the layers package by one kernel each, where it takes several.

import type { Tensor } from '@tensorflow/tfjs-core'
import { type CoreModule, requireTfjs } from './tfjs.js'

type ActivationClass = new () => { apply(x: Tensor): Tensor }

/** `relu6` is the minimum of 6 and a ReLU there, and its gradient four kernels more. The numbers are the same. */
export function registerActivations(): void {
  const core = requireTfjs<CoreModule>('core')
  requireTfjs('layers') // registers its own
  const { classNameMap } = core.serialization.SerializationMap.getMap()
  const [Base] = classNameMap['relu6'] as unknown as [ActivationClass]
  class Relu6 extends Base {
    static className = 'relu6'
    override apply(x: Tensor): Tensor {
      return core.relu6(x)
    }
  }
  core.serialization.registerClass(Relu6 as never)
}
