// Which form each operator of a float model takes.

import type { TensorRecord } from '../model/model.js'
import { isClamp } from '../ops/activation.js'
import type { Settings } from '../recipe/resolve.js'
import type { FloatGraph, PlacedOperator } from './prepare.js'
import { CODE_TYPES, type CodeType, type LayerOperands, OPERATOR_RULES, type OperatorRule } from './rules.js'

/**
 * `integer`: codes in and out. `dynamic`: integer weights beside float32 activations. `stored`: weights that are
 * widened before use. `float`: as it is.
 */
export type Form =
  | { readonly kind: 'integer'; readonly type: CodeType; readonly rule: OperatorRule }
  | { readonly kind: 'dynamic'; readonly layer: LayerOperands }
  | { readonly kind: 'stored'; readonly layer: LayerOperands }
  | { readonly kind: 'float'; readonly why: string }

/** Layers that the reference runs with integer weights and float32 activations. */
const DYNAMIC = ['CONV_2D', 'DEPTHWISE_CONV_2D', 'FULLY_CONNECTED']

/** @param masks Tensors that cannot be codes (`masks.ts`). */
export function formsOf(
  { operators, tensors }: FloatGraph,
  settings: readonly Settings[],
  masks: ReadonlySet<number>,
): readonly Form[] {
  return operators.map((operator, i) => {
    const form = formOf(operator, tensors, settings[i] as Settings)
    const isMasked = [...operator.inputs, ...operator.outputs].some((tensor) => masks.has(tensor))
    return form.kind !== 'float' && isMasked ? { kind: 'float', why: 'it works on a mask' } : form
  })
}

function formOf(
  operator: PlacedOperator,
  tensors: readonly TensorRecord[],
  { skip, weights, activations }: Settings,
): Form {
  const stays = (why: string): Form => ({ kind: 'float', why })
  const rule = OPERATOR_RULES[operator.type]
  const type = CODE_TYPES.find((one) => one === activations.type)
  if (skip) return stays('skipped by the recipe')
  if (rule === undefined) return stays(`no integer form of ${operator.type} is known`)
  const why = unfit(operator, rule, tensors)
  if (why !== undefined) return stays(why)
  const { layer } = rule
  if (layer !== undefined && weights.type === 'float32') return stays('its weights stay float32')
  if (type !== undefined) {
    if (rule.types.includes(type)) return { kind: 'integer', type, rule }
    return stays(`${operator.type} does not run on ${type}`)
  }
  if (layer === undefined) return stays('activations stay float32')
  const isDynamic = activations.type === 'dynamic' && weights.type === 'integer'
  return { kind: isDynamic && DYNAMIC.includes(operator.type) ? 'dynamic' : 'stored', layer }
}

/** Why an operator has no other form than the one it has. */
export function unfit(
  { inputs, outputs, options }: PlacedOperator,
  { layer }: OperatorRule,
  tensors: readonly TensorRecord[],
): string | undefined {
  const reals = [...inputs, ...outputs].filter((index) => tensors[index]?.dtype === 'float32')
  if (reals.length === 0) return 'it works on no float32 numbers'
  if (!isClamp(Number(options['fusedActivationFunction'] ?? 0))) return 'its fused activation is no clamp'
  if (layer === undefined) return undefined
  const [weights, bias] = [tensors[inputs[layer.weights] ?? -1], tensors[inputs[layer.bias] ?? -1]]
  if (weights?.data === undefined) return 'its weights are computed'
  if (bias !== undefined && bias.data === undefined) return 'its bias is computed'
  return undefined
}

/** Float32 operands and outputs of an integer operator that are codes there: weights and biases are not. */
export function codeOperands(
  { inputs }: PlacedOperator,
  { layer }: OperatorRule,
  tensors: readonly TensorRecord[],
): readonly number[] {
  const isReal = (index: number | undefined) => tensors[index ?? -1]?.dtype === 'float32'
  if (layer !== undefined) return [inputs[layer.input] as number]
  return inputs.filter(isReal)
}

/** Which operands a layer's weights and bias are; undefined for other operators and those that stay float. */
export function layerOperands(form: Form): LayerOperands | undefined {
  if (form.kind === 'float') return undefined
  return form.kind === 'integer' ? form.rule.layer : form.layer
}
