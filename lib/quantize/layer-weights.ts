// How the weights of a layer can be kept, between what its settings ask for and what its form takes.

import type { WeightSettings } from '../recipe/recipe.js'
import type { Form } from './forms.js'

/**
 * The settings as far as an operator's form takes them, and a note on each that it does not.
 *
 * @param label Of the operator, in notes.
 */
export function possibleSettings(
  wanted: WeightSettings,
  type: string,
  form: Exclude<Form, { kind: 'float' }>,
  columns: number,
  label: string,
): { readonly settings: WeightSettings; readonly notes: readonly string[] } {
  const notes: string[] = []
  let settings = wanted
  const change = (changed: Partial<WeightSettings>, note: string) => {
    settings = { ...settings, ...changed }
    notes.push(`${label}: ${note}`)
  }
  const isBlockwise = form.kind === 'dynamic' && type === 'FULLY_CONNECTED' && settings.bits <= 4
  if (settings.granularity === 'group' && !(isBlockwise && columns % settings.groupSize === 0)) {
    change(
      { granularity: 'channel' },
      'a scale for each channel, since it has no form with groups of this size',
    )
  }
  if (form.kind === 'integer' && form.type === 'uint8' && settings.granularity !== 'tensor') {
    change({ granularity: 'tensor' }, 'one scale, as uint8 has it')
  }
  const takesZeroPoint =
    form.kind === 'stored' ||
    (form.kind === 'integer' && form.type === 'uint8') ||
    (form.kind === 'integer' &&
      form.type === 'int8' &&
      type === 'FULLY_CONNECTED' &&
      settings.granularity === 'tensor')
  if (settings.scheme === 'asymmetric' && (!takesZeroPoint || settings.granularity === 'group')) {
    change({ scheme: 'symmetric' }, 'symmetric weights, since it takes no zero points')
  }
  return { settings, notes }
}

/** Operators whose int4 weights the reference kernels run. */
const INT4_OPERATORS = ['CONV_2D', 'FULLY_CONNECTED']

/** Type in the file: the narrowest that holds the codes and that the operator takes. */
export function storedType(
  { bits, method }: Pick<WeightSettings, 'bits' | 'method'>,
  type: string,
  form: Exclude<Form, { kind: 'float' }>,
): 'int8' | 'int4' {
  if (bits > 4 || method === 'piecewise' || !INT4_OPERATORS.includes(type)) return 'int8'
  return form.kind === 'integer' && form.type !== 'int8' ? 'int8' : 'int4'
}
