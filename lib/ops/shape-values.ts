// SHAPE, RANK, RANGE and BROADCAST_ARGS, which are constants once shapes are known; FILL and ZEROS_LIKE, which repeat one element.

import { bitsOf, type Dtype } from '../tensor/dtype.js'
import { elementCount } from '../tensor/shape.js'
import {
  broadcastShape,
  expectDtype,
  expectInputs,
  expectRank,
  expectSameDtype,
  fewConstants,
  MOVABLE,
} from './checks.js'
import { bytesOf, constantScalar, MOST_MADE } from './constant.js'
import { defineOp, type Inferred, type Lowered, type NodeContext, type Operand } from './contract.js'
import { stridedStep } from './strided.js'

const INTEGERS: readonly Dtype[] = ['int32', 'int64']

/** Whole numbers of int32 or int64 as a constant. */
function integers(dtype: Dtype, shape: readonly number[], values: readonly number[]): Inferred {
  const array = dtype === 'int64' ? BigInt64Array.from(values, BigInt) : Int32Array.from(values)
  return { shape, dtype, data: bytesOf(array) }
}

/** What these would be lowered to: `infer` has given their results. */
function isConstant(node: NodeContext<unknown>): Lowered {
  throw node.fail('INTERNAL', 'a constant that was not folded')
}

export const shape = defineOp<Record<string, never>>({
  name: 'shape',
  tflite: { type: 'SHAPE', read: () => ({}) },
  infer(node) {
    expectInputs(node, 1)
    const extents = node.input(0).shape
    expectDtype(node, node.output(0), INTEGERS)
    return [integers(node.output(0).dtype, [extents.length], extents)]
  },
  lower: isConstant,
})

export const rank = defineOp<Record<string, never>>({
  name: 'rank',
  tflite: { type: 'RANK', read: () => ({}) },
  infer(node) {
    expectInputs(node, 1)
    return [integers('int32', [], [node.input(0).shape.length])]
  },
  lower: isConstant,
})

/** start, start + delta, … as long as they lie before the limit; float32 is added up step by step, as in the reference. */
export const range = defineOp<Record<string, never>>({
  name: 'range',
  tflite: { type: 'RANGE', read: () => ({}) },
  infer(node) {
    expectInputs(node, 3)
    const operands = [node.input(0), node.input(1), node.input(2)] as const
    const { dtype } = operands[0]
    expectDtype(node, operands[0], ['int32', 'int64', 'float32'])
    expectSameDtype(node, ...operands)
    const [start, limit, delta] = operands.map((operand) => constantScalar(node, operand)) as [
      number,
      number,
      number,
    ]
    const isWhole = dtype !== 'float32'
    const span = isWhole ? limit - start : Math.fround(limit - start)
    const count = Math.ceil(isWhole ? span / delta : Math.fround(span / delta))
    const known = [start, limit, delta].every(isWhole ? Number.isSafeInteger : Number.isFinite)
    if (!known || delta === 0 || count < 0) {
      throw node.fail('FILE_INVALID', `no range goes from ${start} to ${limit} by ${delta}`, {
        actual: [start, limit, delta],
      })
    }
    if (!(count <= MOST_MADE))
      throw node.fail('LIMIT_EXCEEDED', `a range of ${count} numbers`, { actual: count })
    if (isWhole) {
      return [
        integers(
          dtype,
          [count],
          Array.from({ length: count }, (_, i) => start + i * delta),
        ),
      ]
    }
    const values = new Float32Array(count)
    for (let i = 0, value = start; i < count; i++, value = Math.fround(value + delta)) values[i] = value
    return [{ shape: [count], dtype, data: bytesOf(values) }]
  },
  lower: isConstant,
})

/** Every element is the one of `value`. */
function repeated(value: Operand, output: Operand): Lowered {
  const count = elementCount(output.shape)
  return { steps: [stridedStep(value, output, { dims: [count], strides: [0], offset: 0 })] }
}

export const fill = defineOp<Record<string, never>>({
  name: 'fill',
  tflite: { type: 'FILL', read: () => ({}) },
  infer(node) {
    expectInputs(node, 2)
    const [dims, value] = [node.input(0), node.input(1)]
    expectDtype(node, dims, INTEGERS)
    expectDtype(node, value, MOVABLE)
    expectRank(node, value, 0)
    return [{ shape: fewConstants(node, dims), dtype: value.dtype }]
  },
  lower(node) {
    const [value, output] = [node.input(1), node.output(0)]
    expectSameDtype(node, value, output)
    return repeated(value, output)
  },
})

export const zerosLike = defineOp<Record<string, never>>({
  name: 'zeros_like',
  tflite: { type: 'ZEROS_LIKE', read: () => ({}) },
  infer(node) {
    expectInputs(node, 1)
    const { shape, dtype } = node.input(0)
    expectDtype(node, node.input(0), ['int32', 'int64', 'float32'])
    return [{ shape, dtype }]
  },
  lower(node) {
    const output = node.output(0)
    expectSameDtype(node, node.input(0), output)
    const data = new Uint8Array((bitsOf(output.dtype) ?? 0) / 8)
    return repeated({ name: `${output.name}/zero`, dtype: output.dtype, shape: [], data }, output)
  },
})

/** The shape that two shapes broadcast to. */
export const broadcastArgs = defineOp<Record<string, never>>({
  name: 'broadcast_args',
  tflite: { type: 'BROADCAST_ARGS', read: () => ({}) },
  infer(node) {
    expectInputs(node, 2)
    const [a, b] = [node.input(0), node.input(1)]
    expectDtype(node, a, INTEGERS)
    expectSameDtype(node, a, b)
    const extents = broadcastShape(node, fewConstants(node, a), fewConstants(node, b))
    return [integers(a.dtype, [extents.length], extents)]
  },
  lower: isConstant,
})
