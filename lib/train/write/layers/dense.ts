// Layers that are tables of weights: fully connected ones and embeddings.

import type { LayerWriter, Weight } from '../layer-call.js'
import { activate } from './activations.js'
import { biasOf } from './convolutions.js'

/** [in, out] -> [out, in]. */
function transposed({ values, shape }: Weight): Weight {
  const [from = 1, to = 1] = shape
  const result = new Float32Array(values.length)
  for (let i = 0; i < from; i++) {
    for (let o = 0; o < to; o++) result[o * from + i] = values[i * to + o] as number
  }
  return { values: result, shape: [to, from] }
}

const dense: LayerWriter = (call) => {
  const [kernel, bias] = call.weights() as [Weight, Weight?]
  const operands = [
    call.input,
    call.weight('kernel', () => transposed(kernel)),
    biasOf(call, bias, kernel.shape[1] ?? 1),
  ]
  const keepNumDims = call.inputShape.length > 2
  const y = call.add('FULLY_CONNECTED', operands, call.outputShape, {
    version: keepNumDims ? 5 : 1,
    options: { fusedActivationFunction: 0, weightsFormat: 0, keepNumDims, asymmetricQuantizeInputs: false },
  })
  return activate(call, y)
}

/** Indices may come as reals, which are cut off as TensorFlow.js does. */
const embedding: LayerWriter = (call) => {
  const table = call.weight('embeddings', () => call.weights()[0] as Weight)
  const isReal = call.state.graph.dtype(call.input) === 'float32'
  const options = { inDataType: 0, outDataType: 2 }
  const indices = isReal
    ? call.add('CAST', [call.input], call.inputShape, { dtype: 'int32', options })
    : call.input
  return call.add('GATHER', [table, indices], call.outputShape, { options: { axis: 0, batchDims: 0 } })
}

export const DENSE_LAYERS: Readonly<Record<string, LayerWriter>> = {
  Dense: dense,
  Embedding: embedding,
}
