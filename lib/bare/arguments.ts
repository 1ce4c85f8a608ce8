// Checks of the bare kernels' arguments: each names the function, what was expected and what came.

import { LowbitError } from '../errors.js'
import { elementCount, type Shape, shapeText } from '../tensor/shape.js'

/** Extents and element counts stay below this, so that native indices cannot overflow. */
const MAX_ELEMENTS = 2 ** 31 - 1

const show = (value: unknown) =>
  ArrayBuffer.isView(value) ? value.constructor.name : (JSON.stringify(value) ?? String(value))

/** An error about one argument of the function `of`. */
export function badArgument(of: string, name: string, expected: string, actual: unknown): LowbitError {
  return new LowbitError('OPTION_INVALID', `${of}: ${name} is ${show(actual)}; ${expected} expected`, {
    expected,
    actual,
  })
}

/** A whole number from `low` to `high`. */
export function wholeArgument(of: string, name: string, value: unknown, low: number, high: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high) return value
  throw badArgument(of, name, `a whole number from ${low} to ${high}`, value)
}

export const extent = (of: string, name: string, value: unknown) =>
  wholeArgument(of, name, value, 1, MAX_ELEMENTS)

export const zeroPoint = (of: string, name: string, value: unknown) =>
  wholeArgument(of, name, value, -128, 127)

/** Four extents, whose product is an element count. */
export function shape4(of: string, name: string, value: unknown): readonly [number, number, number, number] {
  if (!Array.isArray(value) || value.length !== 4) throw badArgument(of, name, 'four extents', value)
  const extents = value.map((item, i) => extent(of, `${name}[${i}]`, item))
  if (elementCount(extents) > MAX_ELEMENTS) {
    throw badArgument(of, name, `a shape of at most ${MAX_ELEMENTS} elements`, value)
  }
  return extents as [number, number, number, number]
}

/** One number for height and width, or one for each. */
export function heightWidth(of: string, name: string, value: unknown, fallback?: number): [number, number] {
  const pair = Array.isArray(value) ? value : [value ?? fallback, value ?? fallback]
  if (pair.length !== 2) throw badArgument(of, name, 'a number, or one for height and one for width', value)
  return [extent(of, name, pair[0]), extent(of, name, pair[1])]
}

/**
 * An array of the class, with one element for each place of the shape. What lies in shared memory is copied, so that other
 * threads cannot change it between check and use; an output there is refused.
 */
export function arrayArgument<T extends Int8Array | Int32Array>(
  of: string,
  name: string,
  value: unknown,
  Class: new (length: number) => T,
  shape: Shape,
  role: 'input' | 'output' = 'input',
): T {
  if (!(value instanceof Class)) {
    throw new LowbitError('DTYPE_MISMATCH', `${of}: ${name} is ${show(value)}; ${Class.name} expected`, {
      tensor: name,
      expected: Class.name,
      actual: show(value),
    })
  }
  const count = elementCount(shape)
  if (value.length !== count) {
    throw new LowbitError(
      'SHAPE_MISMATCH',
      `${of}: ${name} has ${value.length} elements; ${count} expected, for ${shapeText(shape)}`,
      { tensor: name, expected: count, actual: value.length },
    )
  }
  const { resizable, growable } = value.buffer as { resizable?: boolean; growable?: boolean }
  if (resizable || growable) throw badArgument(of, name, 'an array over a buffer of fixed size', value)
  if (value.buffer instanceof ArrayBuffer) return value
  if (role === 'output') throw badArgument(of, name, 'an array over a buffer that is not shared', value)
  const copy = new Class(count)
  copy.set(value)
  return copy
}

/** Real factors, one for each of `count` output channels. */
export function multipliers(of: string, value: unknown, count: number): Float64Array {
  if (typeof value !== 'number' && !(value instanceof Float64Array)) {
    throw badArgument(of, 'multiplier', 'a number or a Float64Array', value)
  }
  if (typeof value !== 'number' && value.length !== count) {
    throw new LowbitError(
      'SHAPE_MISMATCH',
      `${of}: multiplier has ${value.length} factors; ${count} expected, one for each output channel`,
      { expected: count, actual: value.length },
    )
  }
  const factors = typeof value === 'number' ? new Float64Array(count).fill(value) : value.slice()
  for (const factor of factors) {
    if (!Number.isFinite(factor)) {
      throw new LowbitError('NOT_FINITE', `${of}: a multiplier is ${factor}`, { actual: factor })
    }
    if (factor < 0 || factor >= 2 ** 30)
      throw badArgument(of, 'multiplier', 'a factor from 0 to 2^30', factor)
  }
  return factors
}
