// The inputs of all contenders: the same numbers, in any language, from a rule without state.

import { arrayOf, type Dtype, type TypedArray } from '#lib/tensor/dtype.js'

/** A well mixed number of 32 bits for element `index` of input `seed`. */
function mixed(seed: number, index: number): number {
  let h = (Math.imul(index + 1, 0x9e3779b1) + seed * 40503) >>> 0
  h = Math.imul(h ^ (h >>> 16), 0x045d9f3b) >>> 0
  return (h ^ (h >>> 16)) >>> 0
}

/**
 * `count` numbers: floats in [-1, 1), codes over the whole range of 8 and 16 bits, 0 and 1 for wider integers, which
 * are indices more often than numbers. drivers/common.py has the same rule.
 */
export function numbers(seed: number, count: number, dtype: Dtype): TypedArray {
  const Elements = arrayOf(dtype)
  if (Elements === undefined) throw new Error(`no numbers of type ${dtype}`)
  const data = new Elements(count)
  for (let i = 0; i < count; i++) {
    const h = mixed(seed, i)
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(h & 1)
    else if (dtype === 'float32' || dtype === 'float64') data[i] = (h >>> 8) / 2 ** 23 - 1
    else if (dtype === 'bool' || data.BYTES_PER_ELEMENT > 2) data[i] = h & 1
    else data[i] = h
  }
  return data
}
