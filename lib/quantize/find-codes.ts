// From observed ranges to the codes of each tensor.

import { LowbitError } from '../errors.js'
import type { ActivationSettings } from '../recipe/recipe.js'
import { floatsOf } from './constants.js'
import type { Group } from './groups.js'
import type { FloatGraph } from './prepare.js'
import type { Range } from './report.js'
import { type Affine, CODE_RANGES, type CodeType } from './rules.js'

/** What finds a range from the values that it sees. */
export interface RangeObserver {
  add(values: Float32Array): void
  range(): Range
}

export function rangeObserver(_settings: ActivationSettings): RangeObserver {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  return {
    add(values) {
      for (let i = 0; i < values.length; i++) {
        const value = values[i] as number
        if (value < min) min = value
        if (value > max) max = value
      }
    },
    range: () => (min <= max ? { min, max } : { min: 0, max: 0 }),
  }
}

export function affineOf({ min, max }: Range, type: CodeType, scheme: ActivationSettings['scheme']): Affine {
  const [bottom, top] = [Math.min(min, 0), Math.max(max, 0)]
  const { low, high } = CODE_RANGES[type]
  if (top === bottom) return { scale: 1, zeroPoint: type === 'uint8' ? 128 : 0 }
  if (type === 'int16') return { scale: Math.fround(Math.max(top, -bottom) / high), zeroPoint: 0 }
  if (scheme === 'symmetric') {
    return { scale: Math.fround(Math.max(top, -bottom) / 127), zeroPoint: type === 'uint8' ? 128 : 0 }
  }
  const scale = Math.fround((top - bottom) / 255)
  return { scale, zeroPoint: Math.min(high, Math.max(low, Math.round(low - bottom / scale))) }
}

/**
 * The codes that a tensor has in a type: those that its operator prescribes, or such that the range of its group is
 * covered.
 */
export function codeFinder(
  graph: FloatGraph,
  groups: ReadonlyMap<number, Group>,
  observers: ReadonlyMap<number, RangeObserver>,
): (tensor: number, type: CodeType) => Affine {
  const found = new Map<Group, Map<CodeType, Affine>>()
  return (tensor, type) => {
    const group = groups.get(tensor)
    if (group === undefined) throw new LowbitError('INTERNAL', `tensor ${tensor} has no codes`)
    const known = found.get(group) ?? new Map<CodeType, Affine>()
    found.set(group, known)
    const codes = known.get(type) ?? codesOfGroup(graph, group, type, observers)
    known.set(type, codes)
    return codes
  }
}

function codesOfGroup(
  { tensors }: FloatGraph,
  { fixed, observed, constants }: Group,
  type: CodeType,
  observers: ReadonlyMap<number, RangeObserver>,
): Affine {
  const prescribed = fixed?.[type]
  if (prescribed !== undefined) return prescribed
  const ranges = [...observed.keys()].map((tensor) => {
    const observer = observers.get(tensor)
    if (observer === undefined) throw new LowbitError('INTERNAL', `tensor ${tensor} was not observed`)
    return observer.range()
  })
  for (const constant of constants) {
    const tensor = tensors[constant]
    if (tensor?.data !== undefined) ranges.push(extremes(floatsOf(tensor)))
  }
  const min = ranges.reduce((least, range) => Math.min(least, range.min), 0)
  const max = ranges.reduce((most, range) => Math.max(most, range.max), 0)
  const [first] = observed.values()
  return affineOf({ min, max }, type, first?.scheme ?? 'asymmetric')
}

/** Smallest and largest; NaN where one value is. */
export function extremes(values: Float32Array): Range {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  let hasNaN = false
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    if (value < min) min = value
    if (value > max) max = value
    if (Number.isNaN(value)) hasNaN = true
  }
  return hasNaN ? { min: Number.NaN, max: Number.NaN } : { min, max }
}
