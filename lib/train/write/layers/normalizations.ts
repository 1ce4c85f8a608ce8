// Normalisations. That of a batch is a factor and a summand for each channel, which become part of the layer before it
// where there is one (`quantize/repairs/fold-batch-norm.ts`).

import type { Shape } from '../../../tensor/shape.js'
import type { LayerCall, LayerWriter, Weight } from '../layer-call.js'
import { binary } from './activations.js'

/** Weights of a layer that may lack a factor (`scale`) or a summand (`center`). */
function factorAndSummand(call: LayerCall, size: number) {
  const weights = [...call.weights()]
  const next = (has: boolean, fallback: number) =>
    has ? (weights.shift() as Weight).values : new Float32Array(size).fill(fallback)
  const gamma = next(call.config['scale'] !== false, 1)
  return { gamma, beta: next(call.config['center'] !== false, 0), others: weights }
}

const axisOf = (axis: number, rank: number) => (axis < 0 ? axis + rank : axis)

const batchNormalization: LayerWriter = (call) => {
  const rank = call.inputShape.length
  const axis = axisOf(call.number('axis'), rank)
  // Along others the processor's kernels of TensorFlow.js do not compute what its documentation says.
  if (axis !== rank - 1) return call.refuse(`it normalises along axis ${axis}; only the last one is written`)
  const size = call.inputShape[axis] ?? 1
  const { gamma, beta, others } = factorAndSummand(call, size)
  const [mean, variance] = others as [Weight, Weight]
  const epsilon = call.number('epsilon')
  const scale = gamma.map((factor, i) => factor / Math.sqrt((variance.values[i] as number) + epsilon))
  const shift = beta.map((summand, i) => summand - (mean.values[i] as number) * (scale[i] as number))
  const scaled = binary(call, 'MUL', call.input, call.constant('scale', scale))
  return binary(call, 'ADD', scaled, call.constant('shift', shift))
}

/** Spelt as Keras does, which lowbit runs as one step (`graph/passes/fuse-layer-norm.ts`). */
const layerNormalization: LayerWriter = (call) => {
  const rank = call.inputShape.length
  const axes = [call.config['axis'] as number | readonly number[]].flat().map((axis) => axisOf(axis, rank))
  if (axes.length !== 1 || axes[0] !== rank - 1) {
    return call.refuse(`it normalises along ${axes}; only the last axis is written`)
  }
  const size = call.inputShape.at(-1) ?? 1
  const { gamma, beta } = factorAndSummand(call, size)
  const means: Shape = [...call.inputShape.slice(0, -1), 1]
  const mean = (x: number) =>
    call.add('MEAN', [x, call.ints('axes', [rank - 1])], means, { options: { keepDims: true } })
  const middle = mean(call.input)
  const variance = mean(binary(call, 'SQUARED_DIFFERENCE', call.input, middle))
  const safe = binary(call, 'ADD', variance, call.scalar('epsilon', call.number('epsilon')))
  const slope = call.add('MUL', [call.map('RSQRT', safe), call.constant('gamma', gamma)], call.inputShape)
  const scaled = binary(call, 'MUL', call.input, slope)
  const below = call.add('MUL', [call.map('NEG', middle), slope], call.inputShape)
  return binary(call, 'ADD', scaled, binary(call, 'ADD', below, call.constant('beta', beta)))
}

const rescaling: LayerWriter = (call) => {
  const scaled = binary(call, 'MUL', call.input, call.scalar('scale', call.number('scale')))
  return binary(call, 'ADD', scaled, call.scalar('offset', call.number('offset')))
}

export const NORMALIZATION_LAYERS: Readonly<Record<string, LayerWriter>> = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  Rescaling: rescaling,
}
