// From observed ranges to the codes of each tensor.

import { LowbitError } from '../errors.js'
import { floatsOf } from './constants.js'
import type { Group } from './groups.js'
import type { FloatGraph } from './prepare.js'
import { affineOf } from './ranges/affine.js'
import type { Observer } from './ranges/observer.js'
import type { Range } from './report.js'
import type { Affine, CodeType } from './rules.js'

/**
 * The codes that a tensor has in a type: those that its operator prescribes, or such that the range of its group is
 * covered.
 */
export function codeFinder(
  graph: FloatGraph,
  groups: ReadonlyMap<number, Group>,
  observers: ReadonlyMap<number, Observer>,
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
  observers: ReadonlyMap<number, Observer>,
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
