// Constants that operators make, and the values of those that a file holds.

import type { Dtype, TypedArray } from '../tensor/dtype.js'
import type { Shape } from '../tensor/shape.js'
import { NeedsValue, type NodeContext, type Operand } from './contract.js'

/** Operators make no constant with more elements: one of 2^24 already takes as much memory as a large model. */
export const MOST_MADE = 2 ** 24

export function bytesOf(values: TypedArray): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}

/** A constant made while lowering; its bytes are those of `values`. */
export function constantOperand(name: string, dtype: Dtype, shape: Shape, values: TypedArray): Operand {
  return { name, dtype, shape, data: bytesOf(values) }
}

/** The one number of a constant scalar: else `NeedsValue`, `SHAPE_MISMATCH` or `DTYPE_UNSUPPORTED`. */
export function constantScalar(node: NodeContext<unknown>, operand: Operand): number {
  const { name, dtype, data } = operand
  if (data === undefined) {
    const message = `tensor "${name}" must be a constant; here it is computed in the run`
    throw new NeedsValue(node.fail('OPERATOR_UNSUPPORTED', message), operand)
  }
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const expectBytes = (bytes: number) => {
    if (data.byteLength === bytes) return
    throw node.fail('SHAPE_MISMATCH', `tensor "${name}" is not one number`, {
      tensor: name,
      actual: operand.shape,
    })
  }
  switch (dtype) {
    case 'int16':
      expectBytes(2)
      return view.getInt16(0, true)
    case 'int32':
      expectBytes(4)
      return view.getInt32(0, true)
    case 'int64':
      expectBytes(8)
      return Number(view.getBigInt64(0, true))
    case 'float32':
      expectBytes(4)
      return view.getFloat32(0, true)
    default:
      throw node.fail('DTYPE_UNSUPPORTED', `tensor "${name}" is ${dtype}, a number is needed`, {
        tensor: name,
        actual: dtype,
      })
  }
}
