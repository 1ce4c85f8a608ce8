// The weights of a layer as codes, in the way that its settings and its form ask for.

import type { WeightSettings } from '../recipe/recipe.js'
import type { QuantizedRows } from './codes.js'
import type { Form } from './forms.js'
import type { RowLayout } from './weights/rows.js'

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

/** Type in the file: the narrowest that holds the codes and that the operator takes. */
export function storedType(
  { bits, method }: WeightSettings,
  type: string,
  form: Exclude<Form, { kind: 'float' }>,
): 'int8' | 'int4' {
  if (bits > 4 || method === 'piecewise' || type === 'TRANSPOSE_CONV') return 'int8'
  return form.kind === 'integer' && form.type !== 'int8' ? 'int8' : 'int4'
}

/** Rows by the largest magnitude. */
export function quantizeRows(
  values: Float32Array,
  layout: RowLayout,
  settings: WeightSettings,
): QuantizedRows {
  const { bits, granularity, groupSize } = settings
  const { rows, columns } = layout
  const high = 2 ** (bits - 1) - 1
  const span = granularity === 'tensor' ? values.length : granularity === 'group' ? groupSize : columns
  const scale = new Float32Array(values.length / span)
  for (let s = 0; s < scale.length; s++) {
    let most = 0
    for (let i = s * span; i < (s + 1) * span; i++) most = Math.max(most, Math.abs(values[i] as number))
    scale[s] = most / high
  }
  const codes = Int8Array.from(values, (value, i) => {
    const step = scale[Math.floor(i / span)] as number
    return step === 0 ? 0 : Math.max(-high, Math.min(high, Math.round(value / step)))
  })
  return {
    codes,
    rows,
    columns,
    scale,
    zeroPoint: new Int32Array(scale.length),
    ...(granularity === 'group' && { groupSize }),
    type: 'int8',
  }
}
