// Outputs of two runs of one model, compared.

import { arrayOf, byteLength, type Dtype } from '#lib/tensor/dtype.js'
import type { Difference } from './results.js'

/** What a driver prints of its outputs, and the bytes that it wrote. */
export interface Outputs {
  readonly layout: readonly { readonly dtype: string; readonly count: number }[]
  readonly bytes: Uint8Array
}

/** Of the greatest magnitude: float sums in another order may move a code of a later layer. */
const FLOAT_TOLERANCE = 0.01

function elements(outputs: Outputs): { numbers: number[]; float: boolean }[] {
  let at = 0
  return outputs.layout.map(({ dtype, count }) => {
    const Elements = arrayOf(dtype as Dtype)
    const length = byteLength(dtype as Dtype, [count])
    if (Elements === undefined || length === undefined) {
      throw new Error(`outputs of type ${dtype} cannot be compared`)
    }
    const end = at + length
    const numbers = Array.from(new Elements(new Uint8Array(outputs.bytes.subarray(at, end)).buffer), Number)
    at = end
    return { numbers, float: dtype.startsWith('float') }
  })
}

/**
 * Integers differ if they are not equal, floats if they are further apart than a hundredth of the greatest magnitude
 * of the right output.
 */
export function difference(right: Outputs, actual: Outputs): Difference {
  const shape = ({ layout }: Outputs) => layout.map(({ dtype, count }) => `${dtype} x ${count}`).join(', ')
  if (shape(right) !== shape(actual)) {
    throw new Error(`the outputs are ${shape(actual)}, those of the reference ${shape(right)}`)
  }
  const found = elements(actual)
  let [count, differing, greatest] = [0, 0, 0]
  for (const [i, { numbers, float }] of elements(right).entries()) {
    const allowed = float ? FLOAT_TOLERANCE * numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0) : 0
    for (const [k, expected] of numbers.entries()) {
      const apart = Math.abs((found[i]?.numbers[k] as number) - expected)
      count++
      // Written so that a NaN differs.
      if (!(apart <= allowed)) differing++
      greatest = Math.max(greatest, apart)
    }
  }
  return { elements: count, differing, greatest }
}

/** `1.2 % of 1000 differ, by up to 3`. */
export function differenceText({ elements, differing, greatest }: Difference): string {
  const share = Number(((100 * differing) / elements).toPrecision(2))
  return `${share} % of ${elements} differ, by up to ${Number(greatest.toPrecision(3))}`
}
