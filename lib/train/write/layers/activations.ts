// Activation functions, as layers and as the ends of other layers.

import type { LayerCall, LayerWriter } from '../layer-call.js'

type Activation = (call: LayerCall, x: number) => number

const one =
  (type: string, options = {}): Activation =>
  (call, x) =>
    call.map(type, x, options)

/** By name in TensorFlow.js. */
const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  linear: (_, x) => x,
  relu: one('RELU'),
  relu6: one('RELU6'),
  sigmoid: one('LOGISTIC'),
  tanh: one('TANH'),
  softmax: one('SOFTMAX', { beta: 1 }),
  logSoftmax: one('LOG_SOFTMAX'),
  elu: one('ELU'),
  gelu: one('GELU', { approximate: false }),
  gelu_new: one('GELU', { approximate: true }),
  swish: (call, x) => binary(call, 'MUL', call.map('LOGISTIC', x), x),
  hardSigmoid: (call, x) => {
    const scaled = binary(call, 'MUL', x, call.scalar('slope', 0.2))
    const shifted = call.map('RELU', binary(call, 'ADD', scaled, call.scalar('middle', 0.5)))
    return binary(call, 'MINIMUM', shifted, call.scalar('one', 1))
  },
  selu: (call, x) => {
    const below = binary(call, 'MINIMUM', x, call.scalar('zero', 0))
    const bent = binary(call, 'MUL', call.map('ELU', below), call.scalar('alpha', 1.6732632423543772))
    const sum = binary(call, 'ADD', call.map('RELU', x), bent)
    return binary(call, 'MUL', sum, call.scalar('scale', 1.0507009873554805))
  },
  softplus: (call, x) => softplus(call, x),
  softsign: (call, x) => {
    const size = binary(call, 'ADD', call.map('ABS', x), call.scalar('one', 1))
    return binary(call, 'DIV', x, size)
  },
  mish: (call, x) => binary(call, 'MUL', x, call.map('TANH', softplus(call, x))),
}

/** ln(1 + e^x) as max(x, 0) + ln(1 + e^-|x|), which does not overflow. */
function softplus(call: LayerCall, x: number): number {
  const power = call.map('EXP', call.map('NEG', call.map('ABS', x)))
  const log = call.map('LOG', binary(call, 'ADD', power, call.scalar('one', 1)))
  return binary(call, 'ADD', call.map('RELU', x), log)
}

/** An operator on two tensors, the second of which may be a constant that is spread over the first. */
export function binary(call: LayerCall, type: string, a: number, b: number): number {
  return call.add(type, [a, b], call.shape(a))
}

export const ACTIVATION_NAMES: readonly string[] = Object.keys(ACTIVATIONS)

/**
 * What a function of the layer's own, `activation` in its settings, makes of a tensor. That tensor is then called
 * `<layer>/linear`.
 *
 * @throws {LowbitError} `OPERATOR_UNSUPPORTED`.
 */
export function activate(call: LayerCall, x: number): number {
  const name = call.text('activation') || 'linear'
  const activation = ACTIVATIONS[name]
  if (activation === undefined) return call.refuse(`its activation ${name} is not known`)
  if (name === 'linear') return x
  if (x !== call.input) call.state.graph.rename(x, `${call.name}/linear`)
  return activation(call, x)
}

const relu: LayerWriter = (call) => {
  const most = call.config['maxValue'] as number | null | undefined
  if (most === 6) return call.map('RELU6', call.input)
  const positive = call.map('RELU', call.input)
  return most == null ? positive : binary(call, 'MINIMUM', positive, call.scalar('most', most))
}

const prelu: LayerWriter = (call) => {
  const alpha = call.weight('alpha', () => call.weights()[0] as ReturnType<LayerCall['weights']>[number])
  return binary(call, 'PRELU', call.input, alpha)
}

const thresholdedRelu: LayerWriter = (call) => {
  const theta = call.scalar('theta', call.number('theta'))
  const isAbove = call.add('GREATER', [call.input, theta], call.inputShape, { dtype: 'bool' })
  const mask = call.add('CAST', [isAbove], call.inputShape, { options: { inDataType: 6, outDataType: 0 } })
  return binary(call, 'MUL', call.input, mask)
}

const softmax: LayerWriter = (call) => {
  const axes = [call.config['axis'] as number | readonly number[]].flat()
  const last = call.inputShape.length - 1
  if (axes.length !== 1 || (axes[0] !== last && axes[0] !== -1)) {
    return call.refuse(`its axis is ${axes}; only the last one is written`)
  }
  return call.map('SOFTMAX', call.input, { beta: 1 })
}

export const ACTIVATION_LAYERS: Readonly<Record<string, LayerWriter>> = {
  Activation: (call) => activate(call, call.input),
  ReLU: relu,
  LeakyReLU: (call) => call.map('LEAKY_RELU', call.input, { alpha: call.number('alpha') }),
  PReLU: prelu,
  ELU: (call) => call.map('ELU', call.input),
  ThresholdedReLU: thresholdedRelu,
  Softmax: softmax,
}
