// What a recipe says of each operator of a model.

import { LowbitError } from '../errors.js'
import { DEFAULT_ACTIVATIONS, DEFAULT_WEIGHTS } from './defaults.js'
import { globMatcher } from './glob.js'
import type { ActivationSettings, Recipe, WeightSettings } from './recipe.js'

/** An operator, as rules match it. */
export interface NamedOperator {
  /** As the file spells it: `CONV_2D`. */
  readonly type: string
  /** Place in the file. */
  readonly place: number
  /** Names of its output tensors. */
  readonly outputs: readonly string[]
}

export interface Settings {
  readonly skip: boolean
  readonly weights: WeightSettings
  readonly activations: ActivationSettings
}

/**
 * The settings of each operator: defaults, and over them the rules that match it, in their order.
 *
 * @throws {LowbitError} `NAME_UNKNOWN` for a rule whose `match` means no operator; `OPTION_INVALID` for settings that
 *   contradict each other.
 */
export function resolve(recipe: Recipe, operators: readonly NamedOperator[]): readonly Settings[] {
  const rules = recipe.rules.map((rule, i) => {
    const matches = rule.match === undefined ? undefined : globMatcher(rule.match)
    const means = ({ type, place, outputs }: NamedOperator) =>
      matches === undefined || matches(`${type} #${place}`) || outputs.some(matches)
    if (!operators.some(means)) {
      const message = `recipe.rules[${i}].match is "${rule.match}"; no operator and no output tensor of the model has such a name`
      throw new LowbitError('NAME_UNKNOWN', message, { actual: rule.match })
    }
    return { rule, means: (one: NamedOperator) => (rule.ops?.includes(one.type) ?? true) && means(one) }
  })
  return operators.map((operator) => {
    let settings: Settings = { skip: false, weights: DEFAULT_WEIGHTS, activations: DEFAULT_ACTIVATIONS }
    for (const { rule, means } of rules) {
      if (!means(operator)) continue
      settings = {
        skip: rule.skip ?? settings.skip,
        weights: { ...settings.weights, ...rule.weights },
        activations: { ...settings.activations, ...rule.activations },
      }
    }
    checkSettings(settings, `${operator.type} #${operator.place}`)
    return settings
  })
}

/** Pairs of settings that exclude each other. */
function checkSettings({ skip, weights, activations }: Settings, operator: string): void {
  if (skip) return
  const isInteger = ['int8', 'uint8', 'int16'].includes(activations.type)
  const clashes: readonly (readonly [boolean, string])[] = [
    [
      weights.type === 'float16' && activations.type !== 'float32',
      'weights float16 need activations float32',
    ],
    [
      weights.granularity === 'group' && isInteger,
      `weights in groups need activations dynamic or float32, not ${activations.type}`,
    ],
    [
      weights.method === 'piecewise' && weights.granularity === 'group',
      'piecewise weights have the granularity tensor or channel',
    ],
    [
      weights.method === 'piecewise' && weights.scheme === 'asymmetric',
      'piecewise weights have the scheme symmetric',
    ],
    [weights.method === 'piecewise' && weights.bits < 3, 'piecewise weights have 3 bits or more'],
  ]
  const clash = clashes.find(([clashing]) => clashing)
  if (clash === undefined) return
  throw new LowbitError('OPTION_INVALID', `recipe for ${operator}: ${clash[1]}`, { operator })
}
