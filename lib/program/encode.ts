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

  // In words, which a store takes modulo 2^32. Native code is made for little-endian machines alone, and constants go
  // there as they are, too. The loops are plain: this is a good part of a first load, in code that is not compiled yet.
  const program = new Uint8Array(align(end))
  const words = new Int32Array(program.buffer)
  const upper = (value: number) => Math.floor(value / 2 ** 32)

  const sections = [tensorsAt, operandsAt, stepsAt, attributesAt, inputsAt, outputsAt, variablesAt]
  const { length: bytes } = program
  words.set([format.magic, format.version, bytes, upper(bytes), plan.arenaBytes, upper(plan.arenaBytes)])
  words.set(
    sections.flatMap(({ offset, count }) => [offset, count]),
    6,
  )
  words[20] = plan.mainSteps
  let at = variablesAt.offset / 4
  for (const { key, fill, bytes } of plan.variables) {
    words.set([idOf(key), fill, bytes, upper(bytes)], at)
    at += VARIABLE / 4
  }
  at = tensorsAt.offset / 4
  for (const tensor of plan.tensors) {
    const { place, shape } = tensor
    const source = place.where === 'constant' ? sourceOf(place.data) : 0
    const number = place.where === 'state' ? place.variable : place.where === 'lent' ? place.port : source
    const offset = place.where === 'arena' ? place.offset : 0
    words[at] = dtypeNumber(tensor, format)
    words[at + 1] = numberOf('place', format.places, place.where)
    words[at + 2] = number
    words[at + 3] = shape.length
    words.set(shape, at + 4)
    words[at + 12] = offset
    words[at + 13] = upper(offset)
    words[at + 14] = tensor.bytes
    words[at + 15] = upper(tensor.bytes)
    at += TENSOR / 4
  }
  words.set(operands, operandsAt.offset / 4)
  let operand = 0
  let attribute = 0
  at = stepsAt.offset / 4
  for (let i = 0; i < plan.steps.length; i++) {
    const { step, origin, inputs, outputs } = plan.steps[i] as Plan['steps'][number]
    const kind = numberOf('step', format.steps, step.kind, origin)
    const count = attributes[i]?.length ?? 0
    const record = [kind, operand, inputs.length, outputs.length, attribute, count]
    words.set(record, at)
    at += STEP / 4
    operand += inputs.length + outputs.length
    attribute += count
  }
  at = attributesAt.offset / 4
  for (const { kind, count, name, value } of placed) {
    words[at] = name.offset
    words[at + 1] = name.bytes
    words[at + 2] = numberOf('kind of attribute', format.kinds, kind)
    words[at + 3] = count
    words[at + 4] = value
    words[at + 5] = upper(value)
    at += ATTRIBUTE / 4
  }
  words.set(plan.inputs, inputsAt.offset / 4)
  words.set(plan.outputs, outputsAt.offset / 4)
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
function numberOf(
  what: string,
  numbers: Readonly<Record<string, number>>,
  name: string,
  origin?: string,
): number {
  const number = numbers[name]
  if (number !== undefined) return number
  const where = origin === undefined ? '' : `${origin}: `
  const message = `${where}${what} "${name}" is unknown to the native build`
  throw new LowbitError('INTERNAL', message, { actual: name })
}

function attributeBytes(value: StepAttribute): { kind: string; count: number; bytes: Uint8Array } {
  if (typeof value === 'number') return { kind: 'int32', count: 1, bytes: bytesOf(Int32Array.of(value)) }
  if (value instanceof Uint8Array) return { kind: 'bytes', count: value.length, bytes: value }
  const kind = value instanceof Int32Array ? 'int32' : value instanceof Float32Array ? 'float32' : 'float64'
  return { kind, count: value.length, bytes: bytesOf(value) }
}

/** As they lie in memory. */
function bytesOf({ buffer, byteOffset, byteLength }: Int32Array | Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function align(bytes: number): number {
  return Math.ceil(bytes / 8) * 8
}
