// Plan -> the flat binary of native/program/format.h, and the constant blocks that it names.

import { LowbitError } from '../errors.js'
import type { NativeFormat } from '../native/binding.js'
import type { StepAttribute } from '../ops/contract.js'
import type { Plan, PlannedTensor } from '../plan/plan.js'
import { shapeText } from '../tensor/shape.js'

export interface EncodedProgram {
  readonly program: Uint8Array
  /** Constant blocks in the order of `TensorRecord.source`: views of the bytes that the plan has, none twice. */
  readonly constants: readonly Uint8Array[]
}

// Sizes of the records, in bytes.
const HEADER = 88
const TENSOR = 64
const STEP = 24
const ATTRIBUTE = 24
const VARIABLE = 16

const UTF8 = new TextEncoder()

interface Data {
  readonly offset: number
  readonly bytes: Uint8Array
}

/**
 * @param idOf Numbers of variables, the same in all programs of a model.
 * @param format Numbers of types, places, kinds and steps, from the binding.
 * @throws {LowbitError} `DTYPE_UNSUPPORTED` or `OPERATOR_UNSUPPORTED` for a tensor that native code has no form for
 *   (type, more than 8 dimensions); `INTERNAL` for a step that the binding does not know.
 */
export function encode(
  plan: Plan,
  format: NativeFormat,
  idOf: (key: string) => number = (key) => plan.variables.findIndex((variable) => variable.key === key),
): EncodedProgram {
  const constants: Uint8Array[] = []
  const sourceOf = blockFinder(constants)
  const operands = plan.steps.flatMap((step) => [...step.inputs, ...step.outputs])
  const attributes = plan.steps.map(({ step }) => Object.entries(step.attributes))
  const attributeCount = attributes.reduce((sum, list) => sum + list.length, 0)

  // Sections, one after the other, each 8-byte aligned.
  let end = HEADER
  const section = (count: number, size: number) => {
    const offset = align(end)
    end = offset + count * size
    return { offset, count }
  }
  const tensorsAt = section(plan.tensors.length, TENSOR)
  const operandsAt = section(operands.length, 4)
  const stepsAt = section(plan.steps.length, STEP)
  const attributesAt = section(attributeCount, ATTRIBUTE)
  const inputsAt = section(plan.inputs.length, 4)
  const outputsAt = section(plan.outputs.length, 4)
  const variablesAt = section(plan.variables.length, VARIABLE)

  // Values and names after them; a name occurs once.
  const data: Data[] = []
  const put = (bytes: Uint8Array): number => {
    const { offset } = section(bytes.byteLength, 1)
    data.push({ offset, bytes })
    return offset
  }
  const names = new Map<string, { offset: number; bytes: number }>()
  const putName = (name: string) => {
    const known = names.get(name)
    if (known !== undefined) return known
    const bytes = UTF8.encode(name)
    const placed = { offset: put(bytes), bytes: bytes.byteLength }
    names.set(name, placed)
    return placed
  }
  const placed = attributes.flat().map(([name, value]) => {
    const { kind, count, bytes } = attributeBytes(value)
    return { kind, count, name: putName(name), value: put(bytes) }
  })

  const program = new Uint8Array(align(end))
  const view = new DataView(program.buffer)
  const u32 = (at: number, value: number) => view.setUint32(at, value, true)
  const i32 = (at: number, value: number) => view.setInt32(at, value, true)
  const u64 = (at: number, value: number) => {
    u32(at, value % 2 ** 32)
    u32(at + 4, Math.floor(value / 2 ** 32))
  }

  u32(0, format.magic)
  u32(4, format.version)
  u64(8, program.byteLength)
  u64(16, plan.arenaBytes)
  const sections = [tensorsAt, operandsAt, stepsAt, attributesAt, inputsAt, outputsAt, variablesAt]
  for (const [i, at] of sections.entries()) {
    u32(24 + 8 * i, at.offset)
    u32(28 + 8 * i, at.count)
  }
  u32(80, plan.mainSteps)
  for (const [i, { key, fill, bytes }] of plan.variables.entries()) {
    const at = variablesAt.offset + i * VARIABLE
    u32(at, idOf(key))
    u32(at + 4, fill)
    u64(at + 8, bytes)
  }
  for (const [i, tensor] of plan.tensors.entries()) {
    const at = tensorsAt.offset + i * TENSOR
    const { place, shape } = tensor
    i32(at, dtypeNumber(tensor, format))
    i32(at + 4, numberOf('place', format.places, place.where))
    const source = place.where === 'constant' ? sourceOf(place.data) : 0
    const number = place.where === 'state' ? place.variable : place.where === 'lent' ? place.port : source
    u32(at + 8, number)
    i32(at + 12, shape.length)
    for (const [axis, extent] of shape.entries()) i32(at + 16 + 4 * axis, extent)
    u64(at + 48, place.where === 'arena' ? place.offset : 0)
    u64(at + 56, tensor.bytes)
  }
  for (const [i, operand] of operands.entries()) i32(operandsAt.offset + 4 * i, operand)
  let operand = 0
  let attribute = 0
  for (const [i, { step, origin, inputs, outputs }] of plan.steps.entries()) {
    const kind = numberOf(`${origin}: step`, format.steps, step.kind)
    const count = attributes[i]?.length ?? 0
    const record = [kind, operand, inputs.length, outputs.length, attribute, count]
    for (const [j, value] of record.entries()) u32(stepsAt.offset + i * STEP + 4 * j, value)
    operand += inputs.length + outputs.length
    attribute += count
  }
  for (const [i, { kind, count, name, value }] of placed.entries()) {
    const at = attributesAt.offset + i * ATTRIBUTE
    u32(at, name.offset)
    u32(at + 4, name.bytes)
    u32(at + 8, numberOf('kind of attribute', format.kinds, kind))
    u32(at + 12, count)
    u64(at + 16, value)
  }
  for (const [i, index] of plan.inputs.entries()) i32(inputsAt.offset + 4 * i, index)
  for (const [i, index] of plan.outputs.entries()) i32(outputsAt.offset + 4 * i, index)
  for (const { offset, bytes } of data) program.set(bytes, offset)
  return { program, constants }
}

/** Finds the block of some bytes, or adds it: the same view of the same buffer is one block. */
function blockFinder(constants: Uint8Array[]): (data: Uint8Array) => number {
  const known = new Map<ArrayBufferLike, Map<string, number>>()
  return (data) => {
    const blocks = known.get(data.buffer) ?? new Map<string, number>()
    known.set(data.buffer, blocks)
    const key = `${data.byteOffset}+${data.byteLength}`
    const block = blocks.get(key) ?? constants.push(data) - 1
    blocks.set(key, block)
    return block
  }
}

function dtypeNumber({ name, dtype, shape }: PlannedTensor, format: NativeFormat): number {
  const number = format.dtypes[dtype]
  if (number === undefined) {
    const message = `tensor "${name}" is of type ${dtype}, which lowbit does not run`
    throw new LowbitError('DTYPE_UNSUPPORTED', message, { tensor: name, actual: dtype })
  }
  if (shape.length > format.maxRank) {
    throw new LowbitError(
      'OPERATOR_UNSUPPORTED',
      `tensor "${name}" of shape ${shapeText(shape)} has more than ${format.maxRank} dimensions`,
      { tensor: name, expected: format.maxRank, actual: shape.length },
    )
  }
  return number
}

/** The number of a name in native/program/format.h; every name here is lowbit's own. */
function numberOf(what: string, numbers: Readonly<Record<string, number>>, name: string): number {
  const number = numbers[name]
  if (number !== undefined) return number
  throw new LowbitError('INTERNAL', `${what} "${name}" is unknown to the native build`, { actual: name })
}

function attributeBytes(value: StepAttribute): { kind: string; count: number; bytes: Uint8Array } {
  if (typeof value === 'number') return { kind: 'int32', count: 1, bytes: bytesOf(Int32Array.of(value)) }
  if (value instanceof Uint8Array) return { kind: 'bytes', count: value.length, bytes: value }
  const kind = value instanceof Int32Array ? 'int32' : value instanceof Float32Array ? 'float32' : 'float64'
  return { kind, count: value.length, bytes: bytesOf(value) }
}

/** As they lie in memory: native code is made for little-endian machines alone, and constants go there as they are, too. */
function bytesOf({ buffer, byteOffset, byteLength }: Int32Array | Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function align(bytes: number): number {
  return Math.ceil(bytes / 8) * 8
}
