// TensorFlow.js layers, and how lowbit's own layers join them.

import type { serialization, Tensor } from '@tensorflow/tfjs-core'
import type * as Layers from '@tensorflow/tfjs-layers'
import { requireTfjs } from '../../backend/tfjs.js'
import { tensorflow } from '../fake-quantize.js'

export type LayersModule = typeof Layers
export type Layer = Layers.layers.Layer
export type LayerConfig = serialization.ConfigDict

/** The package. */
export const tensorflowLayers = () => requireTfjs<LayersModule>('layers')

/** The one tensor that a layer of one input is called with. */
export function only(inputs: Tensor | Tensor[]): Tensor {
  return Array.isArray(inputs) ? (inputs[0] as Tensor) : inputs
}

/** A class that is made once, since TensorFlow.js may be missing before, and known to saved models by its name. */
export function registered<T>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    if (made === undefined) {
      made = make()
      tensorflow().serialization.registerClass(made as never)
    }
    return made
  }
}
