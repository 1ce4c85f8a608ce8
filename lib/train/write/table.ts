// The layers that can be written. A new one is a function and its line in the file of its theme.

import { LayerCall, type LayerWriter, unsupported } from './layer-call.js'
import { ACTIVATION_LAYERS } from './layers/activations.js'
import { CONVOLUTION_LAYERS } from './layers/convolutions.js'
import { DENSE_LAYERS } from './layers/dense.js'
import { MERGE_LAYERS } from './layers/merges.js'
import { NORMALIZATION_LAYERS } from './layers/normalizations.js'
import { POOL_LAYERS } from './layers/pools.js'
import { SHAPE_LAYERS } from './layers/shapes.js'

/** The inner layer on all steps at once: they are so many rows. */
const timeDistributed: LayerWriter = (call) => {
  const { layer: inner } = call.layer as unknown as { readonly layer: LayerCall['layer'] }
  const [batch = 1, steps = 1, ...rest] = call.inputShape
  const rows = call.reshape(call.input, [batch * steps, ...rest])
  return call.reshape(writeLayer(new LayerCall(inner, [rows], call.state, call.name)), call.outputShape)
}

export const LAYER_WRITERS: Readonly<Record<string, LayerWriter>> = {
  ...ACTIVATION_LAYERS,
  ...CONVOLUTION_LAYERS,
  ...DENSE_LAYERS,
  ...MERGE_LAYERS,
  ...NORMALIZATION_LAYERS,
  ...POOL_LAYERS,
  ...SHAPE_LAYERS,
  TimeDistributed: timeDistributed,
}

/** @throws {LowbitError} `OPERATOR_UNSUPPORTED`, with the layer's name and class. */
export function writeLayer(call: LayerCall): number {
  const className = call.layer.getClassName()
  const write = Object.hasOwn(LAYER_WRITERS, className) ? LAYER_WRITERS[className] : undefined
  if (write === undefined) {
    const isRecurrent = /RNN|GRU|LSTM|Bidirectional/.test(className)
    const why = isRecurrent
      ? 'recurrent layers have no form here; unroll them into Dense layers, or convert the model with Keras'
      : `there is no form of ${className} here`
    throw unsupported(call.layer, why)
  }
  return write(call)
}
