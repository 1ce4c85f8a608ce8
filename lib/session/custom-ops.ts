// Custom operators that the caller of `loadModel` implements in JavaScript: how they look, and the definitions in the
// form of lib/ops by which graphs are built with them.

import { type ErrorFacts, LowbitError } from '../errors.js'
import { CUSTOM_PREFIX, type Node, type Value } from '../graph/graph.js'
import { defineOp, type Inferred, type NodeContext, type Op, type Operand } from '../ops/contract.js'
import { byteLength, DTYPES, type Dtype, type TypedArray } from '../tensor/dtype.js'
import { packCodes, unpackCodes } from '../tensor/packed.js'
import type { Shape } from '../tensor/shape.js'
import type { TensorQuantization } from '../tensor/tensor.js'
import { portOf } from './tensor-data.js'

/** An operand of a custom operator, while shapes are inferred. */
export interface CustomOperand {
  readonly name: string
  readonly shape: Shape
  readonly dtype: Dtype
  readonly quantization?: TensorQuantization
  /** Elements of a constant, as `Tensor.data`; undefined for what is computed. */
  readonly data?: TypedArray
}

/** An operand of a custom operator, while it runs. */
export interface CustomTensor extends CustomOperand {
  /** Elements, row-major, as `Tensor.data`. Those of inputs are only to be read. */
  readonly data: TypedArray
}

/** A custom operator. Both functions are synchronous, and depend on nothing but their arguments. */
export interface CustomOp {
  /**
   * Shapes and types of the outputs, called when a model is loaded or resized.
   *
   * @param inputs One an input; null for an absent optional one.
   * @param customOptions The operator's raw options in the file (usually a FlexBuffer); empty if it has none.
   * @returns One entry an output. The types must be those that the file declares.
   */
  infer(
    inputs: readonly (CustomOperand | null)[],
    customOptions: Uint8Array,
  ): readonly { readonly shape: Shape; readonly dtype: Dtype }[]
  /** Fills the outputs' `data`, which is zero before. */
  run(
    inputs: readonly (CustomTensor | null)[],
    outputs: readonly CustomTensor[],
    customOptions: Uint8Array,
  ): void
}

/** By the operator's name in the file. */
export type CustomOps = Readonly<Record<string, CustomOp>>

export interface CustomAttributes {
  readonly type: string
  readonly options: Uint8Array
}

/** @throws {LowbitError} `OPTION_INVALID`. */
export function checkCustomOps(given: unknown): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    const message = 'customOps: an object of operators by their names expected'
    throw new LowbitError('OPTION_INVALID', message, { actual: given })
  }
  for (const [type, op] of Object.entries(given)) {
    const { infer, run } = (op ?? {}) as Partial<CustomOp>
    if (typeof infer === 'function' && typeof run === 'function') continue
    const message = `customOps.${type}: an object with the functions infer and run expected`
    throw new LowbitError('OPTION_INVALID', message, { actual: op })
  }
}

/** Definitions for building graphs, by the operators' types. */
export function customOperators(customOps: CustomOps): ReadonlyMap<string, Op> {
  return new Map(
    Object.entries(customOps).map(([type, custom]) => [
      type,
      defineOp<CustomAttributes>({
        name: `${CUSTOM_PREFIX}${type}`,
        tflite: { type, read: (_, options) => ({ type, options: new Uint8Array(options ?? []) }) },
        infer: (node) => inferCustom(node, custom),
        lower(node) {
          throw node.fail('INTERNAL', 'a custom operator has no native steps')
        },
      }),
    ]),
  )
}

function inferCustom(node: NodeContext<CustomAttributes>, custom: CustomOp): readonly Inferred[] {
  const inputs = node.inputs.map((operand) => (operand === null ? null : operandOf(operand)))
  const results = callCustom(node.origin, 'infer', () =>
    custom.infer(inputs, new Uint8Array(node.attributes.options)),
  )
  if (!Array.isArray(results) || results.length !== node.outputs.length) {
    const expected = node.outputs.length
    const actual = Array.isArray(results) ? results.length : results
    throw failed(node.origin, `infer gives ${String(actual)}, the operator has ${expected} outputs`, {
      expected,
      actual,
    })
  }
  return results.map((result: unknown, i) => {
    const { shape, dtype } = (result ?? {}) as Partial<Inferred>
    const isShape =
      Array.isArray(shape) && shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)
    if (!isShape || !DTYPES.includes(dtype as Dtype)) {
      throw failed(node.origin, `infer gives no shape and type for output ${i}`, { actual: result })
    }
    const declared = node.outputs[i]
    if (dtype !== declared?.dtype) {
      throw failed(
        node.origin,
        `infer says that "${declared?.name}" is ${dtype}, the file ${declared?.dtype}`,
        {
          tensor: declared?.name ?? '',
          expected: declared?.dtype,
          actual: dtype,
        },
      )
    }
    return { shape: [...(shape as number[])], dtype: dtype as Dtype }
  })
}

/** Runs a custom operator over the bytes of its operands, and puts those of its outputs beside them. */
export function runCustom(
  { origin, attributes, inputs, outputs }: Node,
  values: readonly Value[],
  known: Map<number, Uint8Array>,
  customOps: CustomOps,
): void {
  const { type, options } = attributes as CustomAttributes
  const tensor = (index: number, data: Uint8Array): CustomTensor => {
    const { name, shape, dtype, quantization } = values[index] as Value
    const facts = { name, shape, dtype, ...(quantization && { quantization }) }
    return { ...facts, data: elementsOf({ ...facts, data }) }
  }
  const given = inputs.map((index) =>
    index < 0 ? null : tensor(index, (known.get(index) ?? values[index]?.data) as Uint8Array),
  )
  const wanted = outputs.map((index) => {
    const { dtype, shape } = values[index] as Value
    return tensor(index, new Uint8Array(byteLength(dtype, shape) ?? 0))
  })
  const arrays = wanted.map(({ data }) => data)
  const lengths = arrays.map(({ length }) => length)
  callCustom(origin, 'run', () => (customOps[type] as CustomOp).run(given, wanted, new Uint8Array(options)))
  for (const [i, index] of outputs.entries()) {
    const array = arrays[i] as TypedArray
    const { name, dtype } = values[index] as Value
    if (wanted[i]?.data !== array || array.length !== lengths[i]) {
      const message = `run took away the array of output "${name}"; it is to be filled`
      throw failed(origin, message, { tensor: name })
    }
    known.set(index, storedBytes(dtype, array))
  }
}

function storedBytes(dtype: Dtype, array: TypedArray): Uint8Array {
  if (dtype === 'int4' || dtype === 'int2') return packCodes(array as Int8Array, dtype === 'int4' ? 4 : 2)
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

/** Calls a caller's function; what it throws becomes the cause of a `CUSTOM_OP_FAILED`. */
function callCustom<Result>(operator: string, what: string, call: () => Result): Result {
  let result: Result
  try {
    result = call()
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw failed(operator, `${what} threw: ${message}`, { cause })
  }
  if (typeof (result as { then?: unknown } | undefined)?.then !== 'function') return result
  // Nobody waits for it; its own failure is not to end the process.
  Promise.resolve(result).catch(() => {})
  throw failed(operator, `${what} gave a promise; custom operators are synchronous`)
}

function failed(operator: string, message: string, facts: ErrorFacts = {}): LowbitError {
  return new LowbitError('CUSTOM_OP_FAILED', `${operator}: ${message}`, { operator, ...facts })
}

function operandOf({ data, ...operand }: Operand): CustomOperand {
  return data === undefined ? operand : { ...operand, data: elementsOf({ ...operand, data }) }
}

/** A tensor of a graph with its bytes, as callers see it. The elements are a copy. */
function elementsOf(operand: Operand & { readonly data: Uint8Array }): TypedArray {
  const port = portOf({ ...operand, shapeSignature: operand.shape })
  const array = port.create()
  if (port.packed !== undefined) unpackCodes(operand.data, port.packed, array as Int8Array)
  else new Uint8Array(array.buffer).set(operand.data)
  return array
}
