// Checks that many operators make of their operands.

import type { Dtype } from '../tensor/dtype.js'
import { elementCount, MAX_RANK, type Shape, sameShape, shapeText } from '../tensor/shape.js'
import { codeRange, isClamp, isQuantizedDtype } from './activation.js'
import type { NodeContext, Operand } from './contract.js'

type AnyNode = NodeContext<unknown>

/** As many inputs as the operator takes: else `FILE_INVALID`. Absent optional ones do not count. */
export function expectInputs(node: AnyNode, least: number, most = least): void {
  const actual = node.inputs.filter((operand) => operand !== null).length
  if (actual >= least && actual <= most) return
  const expected = least === most ? least : `${least} to ${most}`
  throw node.fail('FILE_INVALID', `it has ${actual} inputs, the operator takes ${expected}`, {
    expected,
    actual,
  })
}

/** One of the types that the operator runs: else `DTYPE_UNSUPPORTED`. */
export function expectDtype(node: AnyNode, operand: Operand, dtypes: readonly Dtype[]): void {
  if (dtypes.includes(operand.dtype)) return
  throw node.fail(
    'DTYPE_UNSUPPORTED',
    `tensor "${operand.name}" is ${operand.dtype}, lowbit runs this operator on ${dtypes.join(', ')}`,
    { tensor: operand.name, expected: dtypes, actual: operand.dtype },
  )
}

/** Operands of one type: else `FILE_INVALID`. */
export function expectSameDtype(node: AnyNode, ...operands: readonly Operand[]): void {
  const [first, ...rest] = operands
  for (const operand of rest) {
    if (operand.dtype === first?.dtype) continue
    throw node.fail(
      'FILE_INVALID',
      `tensors "${first?.name}" (${first?.dtype}) and "${operand.name}" (${operand.dtype}) differ in type`,
      { tensor: operand.name, expected: first?.dtype, actual: operand.dtype },
    )
  }
}

export function expectRank(node: AnyNode, operand: Operand, least: number, most = least): void {
  const actual = operand.shape.length
  if (actual >= least && actual <= most) return
  const expected = least === most ? least : `${least} to ${most}`
  throw node.fail('SHAPE_MISMATCH', `tensor "${operand.name}" has rank ${actual}, ${expected} is needed`, {
    tensor: operand.name,
    expected,
    actual,
  })
}

/**
 * The quantisation of a code tensor, with its zero point in the type's range: else `FILE_INVALID`.
 *
 * @param shifted Whether the operator runs int16 with a zero point other than 0.
 */
export function codesOf(
  node: AnyNode,
  operand: Operand,
  shifted = false,
): { scale: number; zeroPoint: number } {
  const { scale, zeroPoint } = node.affine(operand)
  const { name, dtype } = operand
  if (!(scale > 0) || !Number.isFinite(scale)) {
    throw node.fail('FILE_INVALID', `tensor "${name}" has the scale ${scale}`, {
      tensor: name,
      actual: scale,
    })
  }
  if (isQuantizedDtype(dtype)) {
    const { low, high } = codeRange(dtype)
    if (zeroPoint < low || zeroPoint > high) {
      throw node.fail(
        'FILE_INVALID',
        `tensor "${name}" has the zero point ${zeroPoint}, which is no ${dtype}`,
        {
          tensor: name,
          expected: [low, high],
          actual: zeroPoint,
        },
      )
    }
    if (dtype === 'int16' && zeroPoint !== 0 && !shifted) {
      throw node.fail(
        'OPERATOR_UNSUPPORTED',
        `int16 tensor "${name}" has the zero point ${zeroPoint}, only 0 runs`,
        { tensor: name, expected: 0, actual: zeroPoint },
      )
    }
  }
  return { scale, zeroPoint }
}

/** Two tensors with the same codes for the same numbers: else `OPERATOR_UNSUPPORTED`. */
export function expectSameCodes(node: AnyNode, a: Operand, b: Operand): void {
  if (a.quantization === undefined && b.quantization === undefined) return
  const [from, to] = [codesOf(node, a), codesOf(node, b)]
  if (from.scale === to.scale && from.zeroPoint === to.zeroPoint) return
  throw node.fail(
    'OPERATOR_UNSUPPORTED',
    `tensors "${a.name}" and "${b.name}" are quantised differently, which this operator does not run`,
    { tensor: b.name, expected: from, actual: to },
  )
}

/** An activation that is a clamp: else `OPERATOR_UNSUPPORTED`. */
export function expectClamp(node: AnyNode, activation: number): void {
  if (isClamp(activation)) return
  throw node.fail('OPERATOR_UNSUPPORTED', `fused activation ${activation} is not supported`, {
    actual: activation,
  })
}

/** A dimension from 0 to rank - 1; negative ones count from the end. `SHAPE_MISMATCH` outside. */
export function axisOf(node: AnyNode, axis: number | undefined, rank: number): number {
  const found = axis !== undefined && axis < 0 ? axis + rank : axis
  if (found !== undefined && Number.isInteger(found) && found >= 0 && found < rank) return found
  throw node.fail('SHAPE_MISMATCH', `axis ${axis} does not exist in a tensor of rank ${rank}`, {
    expected: `${-rank} to ${rank - 1}`,
    actual: axis,
  })
}

/** Constant integers, exactly `count` of them: else `SHAPE_MISMATCH`. */
export function constants(node: AnyNode, operand: Operand, count: number): readonly number[] {
  return counted(node, operand, (actual) => actual === count, count)
}

/** Constant extents or axes, at most `most` of them: else `SHAPE_MISMATCH`. */
export function fewConstants(node: AnyNode, operand: Operand, most = MAX_RANK): readonly number[] {
  return counted(node, operand, (actual) => actual <= most, `at most ${most}`)
}

// Counted before they are read: an input that is taken for a shape may have millions of elements.
function counted(
  node: AnyNode,
  operand: Operand,
  fits: (actual: number) => boolean,
  expected: number | string,
) {
  const actual = elementCount(operand.shape)
  if (fits(actual)) return [...node.constantInts(operand)]
  const message = `tensor "${operand.name}" holds ${actual} numbers, ${expected} are needed`
  throw node.fail('SHAPE_MISMATCH', message, { tensor: operand.name, expected, actual })
}

/** The shape of two operands that broadcast as NumPy's do: else `SHAPE_MISMATCH`. */
export function broadcastShape(node: AnyNode, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a[a.length - rank + i] ?? 1, b[b.length - rank + i] ?? 1]
    if (x === y || y === 1) return x
    if (x === 1) return y
    throw node.fail('SHAPE_MISMATCH', `shapes ${shapeText(a)} and ${shapeText(b)} do not broadcast`, {
      expected: a,
      actual: b,
    })
  })
}

/** Product of the extents from dimension `from` up to, but without, `to`. */
export function extentOf(shape: Shape, from: number, to: number): number {
  return elementCount(shape.slice(from, to))
}

export { sameShape }

/** Types whose elements are whole bytes, which copying steps move. */
export const MOVABLE: readonly Dtype[] = [
  'bool',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'float16',
  'bfloat16',
  'float32',
  'float64',
  'complex64',
]
