// Writes the options of an operator by the same tables that decode them.

import type { Builder } from 'flatbuffers'
import { LowbitError } from '../../errors.js'
import type { OperatorRecord, OptionValue } from '../../model/model.js'
import { bytesVector, type Offset, vector } from './encode-vectors.js'
import { BUILTIN_OPERATORS } from './schema.js'
import { type Field, type OptionTable, optionTable } from './schema-options.js'

/** A value ready to be put into a table. */
type Ready =
  | { readonly as: 'int8' | 'int32' | 'float32' | 'offset'; readonly value: number }
  | { readonly as: 'int64'; readonly value: bigint }

/**
 * Writes an operator's option table; undefined if it has none. An operator that takes options but whose record has
 * none is written without, as it was in the file it comes from.
 *
 * @param label The operator's name in messages.
 * @throws {LowbitError} `OPTION_INVALID` for an option that its table lacks or that has another type.
 */
export function encodeOptions(
  builder: Builder,
  operator: OperatorRecord,
  label: string,
): { readonly table: OptionTable; readonly offset: Offset } | undefined {
  const name = BUILTIN_OPERATORS[operator.code]?.options
  const table = name === undefined ? undefined : optionTable(name)
  const fields = table?.fields.filter((field) => field.kind !== 'gone') ?? []
  const stray = Object.keys(operator.options).find((key) => fields.every((field) => field.name !== key))
  if (stray !== undefined) {
    throw new LowbitError('OPTION_INVALID', `${label}: it has no option ${stray}`, { operator: label })
  }
  if (table === undefined) return undefined
  if (fields.length > 0 && Object.keys(operator.options).length === 0) return undefined
  const given = fields.flatMap((field) => {
    const value = operator.options[field.name]
    return value === undefined ? [] : [{ field, ready: prepare(builder, field, value, label) }]
  })
  builder.startObject(table.fields.length)
  for (const { field, ready } of given) put(builder, field, ready)
  return { table, offset: builder.endObject() }
}

function prepare(builder: Builder, field: Field, value: OptionValue, label: string): Ready {
  const { kind, values } = field
  const isInteger = typeof value === 'number' && Number.isSafeInteger(value)
  const isInt32 = isInteger && value === (value | 0)
  const numbers = Array.isArray(value) ? (value as readonly number[]) : undefined
  switch (kind) {
    case 'bool':
      if (typeof value === 'boolean') return { as: 'int8', value: Number(value) }
      break
    case 'i32':
    case 'subgraph':
      if (isInt32) return { as: 'int32', value }
      break
    case 'enum':
    case 'enum32':
      if (isInt32 && value >= 0 && value < values) return { as: kind === 'enum' ? 'int8' : 'int32', value }
      break
    case 'f32':
      if (typeof value === 'number') return { as: 'float32', value }
      break
    case 'i64':
      if (isInteger) return { as: 'int64', value: BigInt(value) }
      break
    case 'bigint':
      if (typeof value === 'bigint') return { as: 'int64', value }
      break
    case 'string':
      if (typeof value === 'string') return { as: 'offset', value: builder.createString(value) }
      break
    case '[u8]':
      if (value instanceof Uint8Array) return { as: 'offset', value: bytesVector(builder, value, 1) }
      break
    case '[bool]':
    case '[i64]':
    case '[f32]':
      if (numbers) {
        return { as: 'offset', value: vector(builder, kind.slice(1, -1) as 'bool' | 'i64' | 'f32', numbers) }
      }
      break
    case '[i32]':
    case '[subgraph]':
      if (numbers) return { as: 'offset', value: vector(builder, 'i32', numbers) }
      break
    case 'gone':
      break
  }
  throw new LowbitError('OPTION_INVALID', `${label}: option ${field.name} is no ${kind}`, {
    operator: label,
    expected: kind,
    actual: value,
  })
}

/** Writes a field. The builder leaves out scalars that have their default. */
function put(builder: Builder, { slot, fallback }: Field, ready: Ready): void {
  const preset = Number(fallback)
  if (ready.as === 'int8') builder.addFieldInt8(slot, ready.value, preset)
  else if (ready.as === 'int32') builder.addFieldInt32(slot, ready.value, preset)
  else if (ready.as === 'float32') builder.addFieldFloat32(slot, ready.value, preset)
  else if (ready.as === 'int64') builder.addFieldInt64(slot, ready.value, 0n)
  else builder.addFieldOffset(slot, ready.value, 0)
}
