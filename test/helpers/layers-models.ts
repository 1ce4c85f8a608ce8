// Layers models for tests: numbers such that sums are exact, and what TensorFlow.js computes with them.

import type * as Core from '@tensorflow/tfjs-core'
import type * as Layers from '@tensorflow/tfjs-layers'
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers'
import { requireTfjs } from '#lib/train/backend/tfjs.js'
import { random } from './random.js'

export const tf = requireTfjs<typeof Core>('core')
export const tfl = requireTfjs<typeof Layers>('layers')
requireTfjs('backend-cpu')
await tf.setBackend('cpu')

export type Tensors = SymbolicTensor | SymbolicTensor[]

/** From -1 to 1 in steps of 1/64: products and their sums are exact in float32, whatever their order. */
export function steps(count: number, seed: number): Float32Array {
  const next = random(seed)
  return Float32Array.from({ length: count }, () => ((next() % 129) - 64) / 64)
}

/** A model whose weights are such numbers; variances and scales are above zero. */
export function filled(model: LayersModel, seed = 7): LayersModel {
  const weights = model.weights.map(({ shape, originalName }, i) => {
    const values = steps(
      (shape as number[]).reduce((a, b) => a * b, 1),
      seed + i,
    )
    const isPositive = /variance|gamma/.test(originalName)
    return tf.tensor(isPositive ? values.map((value) => Math.abs(value) + 0.5) : values, shape as number[])
  })
  model.setWeights(weights)
  tf.dispose(weights)
  return model
}

/** Inputs of one run. */
export function inputsOf(model: LayersModel, seed = 3): Float32Array[] {
  return model.inputs.map(({ shape }, i) =>
    steps(
      shape.reduce((a: number, b) => a * (b ?? 1), 1),
      seed + i,
    ),
  )
}

/** What TensorFlow.js computes. */
export function predict(model: LayersModel, inputs: readonly Float32Array[]): Float32Array[] {
  return tf.tidy(() => {
    const tensors = inputs.map((values, i) =>
      tf.tensor(
        values,
        (model.inputs[i] as SymbolicTensor).shape.map((extent) => extent ?? 1),
        (model.inputs[i] as SymbolicTensor).dtype,
      ),
    )
    const outputs = model.predict(tensors.length === 1 ? (tensors[0] as Core.Tensor) : tensors)
    return [outputs].flat().map((tensor) => Float32Array.from(tensor.dataSync()))
  })
}
