// Layers that move numbers and compute none.

import type { LayerWriter } from '../layer-call.js'

type Ends = readonly [readonly [number, number], readonly [number, number]]

const reshape: LayerWriter = (call) => call.reshape(call.input, call.outputShape)

const flatten: LayerWriter = (call) => {
  call.needChannelsLast()
  return call.reshape(call.input, call.outputShape)
}

const permute: LayerWriter = (call) => {
  const order = [0, ...call.numbers('dims')]
  return call.add('TRANSPOSE', [call.input, call.ints('order', order)], call.outputShape)
}

const zeroPadding: LayerWriter = (call) => {
  call.needChannelsLast()
  const [rows, columns] = call.config['padding'] as Ends
  const paddings = call.ints('paddings', [0, 0, ...rows, ...columns, 0, 0], [4, 2])
  return call.add('PAD', [call.input, paddings], call.outputShape)
}

const cropping: LayerWriter = (call) => {
  call.needChannelsLast()
  const [[top], [left]] = call.config['cropping'] as Ends
  const [, ...size] = call.outputShape
  // -1: all of them.
  const operands = [call.input, call.ints('begin', [0, top, left, 0]), call.ints('size', [-1, ...size])]
  return call.add('SLICE', operands, call.outputShape)
}

const upSampling: LayerWriter = (call) => {
  call.needChannelsLast()
  const type = call.text('interpolation') === 'bilinear' ? 'RESIZE_BILINEAR' : 'RESIZE_NEAREST_NEIGHBOR'
  const size = call.ints('size', call.outputShape.slice(1, 3))
  const options = { alignCorners: false, halfPixelCenters: false }
  return call.add(type, [call.input, size], call.outputShape, { options })
}

const repeatVector: LayerWriter = (call) => {
  const [batch = 1, size = 1] = call.inputShape
  const row = call.reshape(call.input, [batch, 1, size])
  return call.add('TILE', [row, call.ints('times', [1, call.number('n'), 1])], call.outputShape)
}

/** It computes something only while a model learns. */
const identity: LayerWriter = (call) => call.input

export const SHAPE_LAYERS: Readonly<Record<string, LayerWriter>> = {
  Reshape: reshape,
  Flatten: flatten,
  Permute: permute,
  ZeroPadding2D: zeroPadding,
  Cropping2D: cropping,
  UpSampling2D: upSampling,
  RepeatVector: repeatVector,
  Dropout: identity,
  SpatialDropout1D: identity,
  GaussianNoise: identity,
  GaussianDropout: identity,
  AlphaDropout: identity,
}
