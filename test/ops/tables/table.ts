// What the test tables of operators are made of: a case is a model of one operator, its inputs, and outputs that follow
// from the operator's definition, worked out by plain code or by hand.

import { arrayOf, type Dtype, type TypedArray } from '#lib/tensor/dtype.js'
import type { OneOperatorSpec, TensorSpec } from '../../helpers/model-builder.js'

export interface Case {
  readonly what: string
  readonly spec: OneOperatorSpec
  readonly inputs: readonly TypedArray[]
  readonly outputs: readonly (readonly number[])[]
  /** How far results may be off: codes for integers, parts of max(1, |result|) for reals. 0 by default. */
  readonly bound?: number
}

/** Bound of a function of float32 that two libraries round by themselves, in a few units of the last place. */
export const FEW_ULPS = 4 * 2 ** -23

/** Cases by operator. */
export type Table = Readonly<Record<string, readonly Case[]>>

export const elements = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

export const tensor = (dtype: Dtype, ...shape: readonly number[]): TensorSpec => ({ dtype, shape })
export const f32 = (...shape: readonly number[]): TensorSpec => tensor('float32', ...shape)
export const s32 = (...shape: readonly number[]): TensorSpec => tensor('int32', ...shape)
export const constant = (dtype: Dtype, shape: readonly number[], data: readonly number[]): TensorSpec => ({
  dtype,
  shape,
  data,
})
export const ints = (...data: readonly number[]): TensorSpec => constant('int32', [data.length], data)
export const codes = (dtype: Dtype, shape: readonly number[], scale: number, zeroPoint = 0): TensorSpec => ({
  dtype,
  shape,
  scale,
  zeroPoint,
})

/** The typed array of a tensor's values. */
export function arrayFor(dtype: Dtype, values: readonly number[]): TypedArray {
  if (dtype === 'int64') return BigInt64Array.from(values, BigInt)
  const ArrayClass = arrayOf(dtype) as Float32ArrayConstructor
  return ArrayClass.from(values)
}

const RANGES: Partial<Record<Dtype, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
}

const first = (list: number | readonly number[] | undefined, other: number) =>
  typeof list === 'number' ? list : (list?.[0] ?? other)

/** Codes of real numbers, halves away from zero. Tensors without a scale hold the numbers themselves. */
export function codesOf(spec: TensorSpec, reals: readonly number[]): number[] {
  const range = RANGES[spec.dtype]
  if (range === undefined || spec.scale === undefined) {
    return spec.dtype === 'float32' ? reals.map(Math.fround) : [...reals]
  }
  const [low, high] = range
  return reals.map((x) => {
    const quotient = x / first(spec.scale, 1)
    const code = Math.sign(quotient) * Math.floor(Math.abs(quotient) + 0.5) + first(spec.zeroPoint, 0)
    return Math.min(high, Math.max(low, code))
  })
}

/** The real numbers that elements stand for. */
export function realsOf(spec: TensorSpec, values: readonly number[]): number[] {
  if (spec.scale === undefined) return [...values]
  return values.map((code) => first(spec.scale, 1) * (code - first(spec.zeroPoint, 0)))
}

/**
 * A case from real numbers: inputs are rounded to what their tensors hold, `compute` gets what these stand for, and its
 * results are rounded to the outputs'.
 */
export function realCase(
  what: string,
  spec: OneOperatorSpec,
  inputs: readonly (readonly number[])[],
  compute: (...inputs: readonly (readonly number[])[]) => readonly (readonly number[])[],
  bound = 0,
): Case {
  const given = spec.inputs.filter((one) => one !== null && !one.data && !one.isVariable) as TensorSpec[]
  const held = given.map((one, i) => codesOf(one, inputs[i] as readonly number[]))
  const results = compute(...given.map((one, i) => realsOf(one, held[i] as number[])))
  return {
    what,
    spec,
    inputs: given.map((one, i) => arrayFor(one.dtype, held[i] as number[])),
    outputs: spec.outputs.map((one, i) => codesOf(one, results[i] as readonly number[])),
    bound,
  }
}

/** As many numbers from `low` to `high`, all different, in no order; one lies in the middle. */
export function spread(count: number, low: number, high: number): number[] {
  if (count === 1) return [(low + high) / 2]
  const step = [7, 11, 13].find((one) => count % one !== 0) ?? 1
  const place = (i: number) => (i * step + 3) % Math.max(1, count)
  return Array.from({ length: count }, (_, i) => low + ((high - low) * place(i)) / Math.max(1, count - 1))
}

/** Indices of every element of a shape, row-major. */
export function indicesOf(shape: readonly number[]): number[][] {
  return Array.from({ length: elements(shape) }, (_, flat) => {
    const index = new Array<number>(shape.length)
    let rest = flat
    for (let i = shape.length; i-- > 0; ) {
      index[i] = rest % (shape[i] as number)
      rest = Math.floor(rest / (shape[i] as number))
    }
    return index
  })
}

/** The element at an index. */
export function at(shape: readonly number[], values: readonly number[], index: readonly number[]): number {
  return values[shape.reduce((flat, extent, i) => flat * extent + (index[i] as number), 0)] as number
}

/** The element that broadcasting puts at an index of a larger shape. */
export function broadcastAt(
  shape: readonly number[],
  values: readonly number[],
  index: readonly number[],
): number {
  const inner = index.slice(index.length - shape.length)
  return at(
    shape,
    values,
    shape.map((extent, i) => (extent === 1 ? 0 : (inner[i] as number))),
  )
}
