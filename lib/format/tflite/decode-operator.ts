// Reads and checks one operator of a .tflite file: its kind, operands and options.

import type { OperatorRecord, OptionValue } from '../../model/model.js'
import {
  broken,
  outsideBytes,
  readBigInt64,
  readBool,
  readBools,
  readBytes,
  readFloat32,
  readFloat32s,
  readInt8,
  readInt32,
  readInt32s,
  readInt64,
  readInt64s,
  readString,
  readTable,
  readUint8,
  readUint32,
  readUint64,
  type Table,
  withFacts,
} from './cursor.js'
import { BUILTIN_OPERATORS, CUSTOM_CODE, OPERATOR, OPERATOR_CODE } from './schema.js'
import { type Field, type OptionTable, optionTable, optionTableOf } from './schema-options.js'

/** An entry of the model's list of operator codes. */
export interface OperatorKind {
  readonly code: number
  readonly type: string
  readonly version: number
}

/**
 * Reads an operator code. Codes beyond the schema that lowbit knows are let through as `UNKNOWN_210`, since whoever
 * runs the operator refuses it with a better error.
 */
export function decodeKind(table: Table): OperatorKind {
  // The byte of old files is 127 where the code does not fit; the wide field is 0 in files older than it.
  const old = readInt8(table, OPERATOR_CODE.deprecatedBuiltinCode)
  const code = Math.max(old, readInt32(table, OPERATOR_CODE.builtinCode))
  const version = readInt32(table, OPERATOR_CODE.version, 1)
  if (code < 0) throw broken(table, `operator code ${code} does not exist`)
  if (code === CUSTOM_CODE) {
    const type = readString(table, OPERATOR_CODE.customCode) ?? ''
    if (type === '') throw broken(table, 'a custom operator code has no name')
    return { code, type, version }
  }
  return { code, type: BUILTIN_OPERATORS[code]?.name ?? `UNKNOWN_${code}`, version }
}

/** What an operator's indices may be. */
export interface Bounds {
  readonly tensors: number
  readonly subgraphs: number
}

/**
 * Reads an operator.
 *
 * @param index Its place in the subgraph, for messages.
 * @throws {LowbitError} `FILE_INVALID` or `FILE_TRUNCATED`.
 */
export function decodeOperator(
  raw: Table,
  index: number,
  kinds: readonly OperatorKind[],
  bounds: Bounds,
): OperatorRecord {
  const opcode = readUint32(raw, OPERATOR.opcodeIndex)
  const kind = kinds[opcode]
  if (kind === undefined) {
    throw broken(withFacts(raw, { operator: `#${index}` }), `operator code entry ${opcode} does not exist`)
  }
  const table = withFacts(raw, { operator: `${kind.type} #${index}` })
  const customOptions = decodeCustomOptions(table)
  return {
    ...kind,
    inputs: decodeIndices(table, OPERATOR.inputs, 'input', -1, bounds.tensors),
    outputs: decodeIndices(table, OPERATOR.outputs, 'output', 0, bounds.tensors),
    intermediates: decodeIndices(table, OPERATOR.intermediates, 'intermediate', -1, bounds.tensors),
    options: decodeOptions(table, kind, bounds),
    ...(customOptions && { customOptions }),
  }
}

/** Tensor indices of `lowest` and up; -1 stands for an absent operand. */
export function decodeIndices(
  table: Table,
  slot: number,
  role: string,
  lowest: number,
  tensors: number,
): readonly number[] {
  const indices = readInt32s(table, slot)
  const place = indices.findIndex((index) => index < lowest || index >= tensors)
  if (place >= 0) {
    throw broken(table, `${role} ${place} is tensor ${indices[place]}, the subgraph has ${tensors} tensors`)
  }
  return indices
}

function decodeCustomOptions(table: Table): Uint8Array | undefined {
  const offset = readUint64(table, OPERATOR.largeCustomOptionsOffset)
  const size = readUint64(table, OPERATOR.largeCustomOptionsSize)
  return (
    readBytes(table, OPERATOR.customOptions) ??
    (offset > 1 ? outsideBytes(table.source, offset, size, table.facts) : undefined)
  )
}

function decodeOptions(
  table: Table,
  kind: OperatorKind,
  bounds: Bounds,
): Readonly<Record<string, OptionValue>> {
  const operator = BUILTIN_OPERATORS[kind.code]
  if (operator === undefined) return {}
  const expected = operator.options === undefined ? undefined : optionTable(operator.options)
  checkUnion(table, expected, 1, readUint8(table, OPERATOR.builtinOptionsType))
  checkUnion(table, expected, 2, readUint8(table, OPERATOR.builtinOptions2Type))
  const slot = expected?.union === 2 ? OPERATOR.builtinOptions2 : OPERATOR.builtinOptions
  const type = expected?.union === 2 ? OPERATOR.builtinOptions2Type : OPERATOR.builtinOptionsType
  if (expected === undefined || readUint8(table, type) === 0) {
    if (expected?.fields.some((field) => field.kind === 'subgraph')) {
      throw broken(table, 'it has no options to say which subgraphs it calls')
    }
    return {}
  }
  const options = readTable(table, slot)
  if (options === undefined) throw broken(table, 'its options have a type but no content')
  const fields = expected.fields.filter((field) => field.kind !== 'gone')
  return Object.fromEntries(fields.map((field) => [field.name, decodeField(options, field, bounds)]))
}

function checkUnion(table: Table, expected: OptionTable | undefined, union: 1 | 2, code: number): void {
  if (code === 0 || (expected?.union === union && expected.code === code)) return
  const found = optionTableOf(union, code)?.name ?? `unknown (${code} of union ${union})`
  throw broken(table, `it has options of ${found}, ${expected?.name ?? 'none'} expected`)
}

function decodeField(options: Table, field: Field, bounds: Bounds): OptionValue {
  const { slot, kind } = field
  const number = Number(field.fallback)
  switch (kind) {
    case 'bool':
      return readBool(options, slot, field.fallback === true)
    case 'i32':
      return readInt32(options, slot, number)
    case 'i64':
      return readInt64(options, slot)
    case 'bigint':
      return readBigInt64(options, slot)
    case 'f32':
      return readFloat32(options, slot, number)
    case 'enum':
      return inRange(options, field, readInt8(options, slot, number), field.values)
    case 'enum32':
      return inRange(options, field, readInt32(options, slot, number), field.values)
    case 'subgraph':
      return inRange(options, field, readInt32(options, slot, number), bounds.subgraphs)
    case 'string':
      return readString(options, slot) ?? ''
    case '[bool]':
      return readBools(options, slot)
    case '[u8]':
      return readBytes(options, slot) ?? new Uint8Array(0)
    case '[i32]':
      return readInt32s(options, slot)
    case '[i64]':
      return readInt64s(options, slot)
    case '[f32]':
      return readFloat32s(options, slot)
    case '[subgraph]':
      return readInt32s(options, slot).map((index) => inRange(options, field, index, bounds.subgraphs))
    case 'gone':
      throw broken(options, `field ${field.name} is no longer used`, 'INTERNAL')
  }
}

function inRange(options: Table, field: Field, value: number, end: number): number {
  if (value >= 0 && value < end) return value
  throw broken(options, `option ${field.name} is ${value}, 0 to ${end - 1} is allowed`)
}
