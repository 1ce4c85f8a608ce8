// Tensors whose numbers no codes can hold beside others: masks, which say "never" by a number like -3.4e38.

import { LowbitError } from '../errors.js'
import { floatsOf } from './constants.js'
import { extremes } from './find-codes.js'
import type { Group } from './groups.js'
import type { FloatGraph } from './prepare.js'
import type { Range } from './report.js'

/** Networks compute nothing so large: with it the step of 8 bits would be 8000. */
const MOST_REAL = 1e6

export function isMaskRange({ min, max }: Range): boolean {
  return min <= -MOST_REAL || max >= MOST_REAL
}

/**
 * Constants that are masks.
 *
 * @throws {LowbitError} `NOT_FINITE` for a constant that holds NaN.
 */
export function maskConstants({ tensors }: FloatGraph): ReadonlySet<number> {
  const masks = new Set<number>()
  for (const [index, tensor] of tensors.entries()) {
    if (tensor.dtype !== 'float32' || tensor.data === undefined) continue
    const range = extremes(floatsOf(tensor))
    if (Number.isNaN(range.min)) {
      throw new LowbitError('NOT_FINITE', `constant "${tensor.name}" holds a NaN`, { tensor: tensor.name })
    }
    if (isMaskRange(range)) masks.add(index)
  }
  return masks
}

/** All tensors that would share their codes with one of those that were seen to be masks. */
export function maskGroups(
  groups: ReadonlyMap<number, Group>,
  seen: (tensor: number) => Range,
): ReadonlySet<number> {
  const isMask = (group: Group) => [...group.observed.keys()].some((tensor) => isMaskRange(seen(tensor)))
  return new Set([...groups].filter(([, group]) => isMask(group)).map(([tensor]) => tensor))
}
