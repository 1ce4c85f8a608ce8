// What no operator here runs, whatever it is: forms of tensors, and shapes that are none.

import { type ErrorCode, LowbitError } from '../errors.js'
import type { TensorRecord } from '../model/model.js'
import type { Op } from '../ops/contract.js'
import { elementCount, type Shape, shapeText } from '../tensor/shape.js'
import type { FlatOperator, FlatTensor } from './expand.js'
import type { Value } from './graph.js'

/** Tensors with this many elements or more are refused: element counts and indices stay within int32. */
const MAX_ELEMENTS = 2 ** 31

export function checkForms(
  op: Op,
  { inputs, outputs, origin }: FlatOperator,
  tensors: readonly FlatTensor[],
  values: readonly Value[],
): void {
  for (const [i, index] of [...inputs, ...outputs].entries()) {
    const isInput = i < inputs.length
    const allowed = {
      state: isInput && (op.stateInputs?.includes(i) ?? false),
      blockwise: isInput && (op.blockwiseInputs?.includes(i) ?? false),
    }
    if (index >= 0) checkForm(tensors[index] as TensorRecord, values[index] as Value, allowed, origin)
  }
}

/** Refuses the ways to keep a tensor that no operator here knows. */
function checkForm(
  record: TensorRecord,
  value: Value,
  allowed: { readonly state: boolean; readonly blockwise: boolean },
  operator: string,
): void {
  const form = record.isSparse
    ? 'is stored sparse'
    : record.blockwise && !allowed.blockwise
      ? 'has blockwise quantisation'
      : record.isVariable && !(allowed.state && value.state !== undefined)
        ? 'keeps state between runs, as an operand'
        : undefined
  if (form !== undefined) {
    const message = `${operator}: tensor "${value.name}" ${form}, which lowbit does not run`
    throw new LowbitError('OPERATOR_UNSUPPORTED', message, { operator, tensor: value.name })
  }
  if (value.data !== undefined) checkShape(value, operator)
}

/** Extents are integers >= 0, and there are fewer than 2^31 elements. */
export function checkShape({ name, shape }: { name: string; shape: Shape }, operator?: string): void {
  const fail = (code: ErrorCode, what: string) => {
    const message = `${operator === undefined ? 'input ' : `${operator}: `}tensor "${name}" ${what}`
    const facts = { tensor: name, actual: shape, ...(operator !== undefined && { operator }) }
    return new LowbitError(code, message, facts)
  }
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) {
    throw fail('SHAPE_MISMATCH', `would have the shape ${shapeText(shape)}`)
  }
  if (elementCount(shape) >= MAX_ELEMENTS || shape.some((extent) => extent >= MAX_ELEMENTS)) {
    throw fail('LIMIT_EXCEEDED', `of shape ${shapeText(shape)} has 2^31 elements or more`)
  }
}
