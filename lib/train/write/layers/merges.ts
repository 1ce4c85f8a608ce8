// Layers that make one tensor of several.

import type { Shape } from '../../../tensor/shape.js'
import type { LayerCall, LayerWriter } from '../layer-call.js'

/** Inputs of fewer dimensions get new ones behind the batch, as TensorFlow.js does. */
function sameRank(call: LayerCall): readonly number[] {
  const rank = Math.max(...call.inputs.map((input) => call.shape(input).length))
  return call.inputs.map((input) => {
    const [batch = 1, ...rest] = call.shape(input)
    const missing = rank - 1 - rest.length
    if (missing === 0) return input
    return call.reshape(input, [batch, ...Array.from({ length: missing }, () => 1), ...rest])
  })
}

const spread = (a: Shape, b: Shape): Shape => a.map((extent, i) => Math.max(extent, b[i] ?? 1))

/** One after the other. */
function chain(call: LayerCall, type: string): number {
  const [first = -1, ...others] = sameRank(call)
  return others.reduce(
    (sum, input) => call.add(type, [sum, input], spread(call.shape(sum), call.shape(input))),
    first,
  )
}

const chained =
  (type: string): LayerWriter =>
  (call) =>
    chain(call, type)

const average: LayerWriter = (call) => {
  const sum = chain(call, 'ADD')
  const share = call.scalar('share', 1 / call.inputs.length)
  return call.add('MUL', [sum, share], call.shape(sum))
}

const concatenate: LayerWriter = (call) => {
  const rank = call.inputShape.length
  const axis = (call.number('axis') + rank) % rank
  if (axis === 0) return call.refuse('it joins along the batch')
  const options = { axis, fusedActivationFunction: 0 }
  return call.add('CONCATENATION', call.inputs, call.outputShape, { options })
}

/** Products of matrices; of vectors, as sums of products. */
const dot: LayerWriter = (call) => {
  if (call.config['normalize'] === true) return call.refuse('it normalises its inputs')
  const [a, b] = call.inputs as [number, number]
  const ranks = [call.shape(a).length, call.shape(b).length]
  const given = call.config['axes'] as number | readonly number[]
  const [i = 0, j = i] = [given].flat().map((axis, k) => (axis < 0 ? axis + (ranks[k] ?? 0) : axis))
  if (ranks[0] !== ranks[1]) return call.refuse(`its inputs have ${ranks.join(' and ')} dimensions`)
  if (ranks[0] === 3) {
    const options = { adjX: i === 1, adjY: j === 2, asymmetricQuantizeInputs: false }
    return call.add('BATCH_MATMUL', [a, b], call.outputShape, { options })
  }
  const products = call.add('MUL', [a, b], call.shape(a))
  return call.add('SUM', [products, call.ints('axes', [1])], call.outputShape, {
    options: { keepDims: true },
  })
}

export const MERGE_LAYERS: Readonly<Record<string, LayerWriter>> = {
  Add: chained('ADD'),
  Multiply: chained('MUL'),
  Maximum: chained('MAXIMUM'),
  Minimum: chained('MINIMUM'),
  Average: average,
  Concatenate: concatenate,
  Dot: dot,
}
