// Builds programs by hand, as native/program/format.h lays them out.

import type { NativeFormat } from '#lib/native/binding.js'

export interface TensorSpec {
  readonly dtype: string
  readonly dims: readonly number[]
  readonly bytes: number
  readonly place: { readonly offset: number } | { readonly source: number; readonly offset: number }
}

export interface AttributeSpec {
  readonly kind: string
  readonly count: number
  readonly value: Uint8Array
}

export interface StepSpec {
  readonly kind: string
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly attributes?: Readonly<Record<string, AttributeSpec>>
}

export interface ProgramSpec {
  readonly arenaBytes: number
  readonly tensors: readonly TensorSpec[]
  readonly steps: readonly StepSpec[]
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
}

const HEADER = 88
const RECORDS = { tensors: 64, operands: 4, steps: 24, attributes: 24, inputs: 4, outputs: 4 } as const

/** The program's bytes. */
export function encodeProgram(spec: ProgramSpec, format: NativeFormat): Uint8Array {
  const operands = spec.steps.flatMap((step) => [...step.inputs, ...step.outputs])
  const attributes = spec.steps.flatMap((step) => Object.entries(step.attributes ?? {}))
  const counts = {
    tensors: spec.tensors.length,
    operands: operands.length,
    steps: spec.steps.length,
    attributes: attributes.length,
    inputs: spec.inputs.length,
    outputs: spec.outputs.length,
  }
  const align = (offset: number) => Math.ceil(offset / 8) * 8
  let end = HEADER
  const offsets = {} as Record<keyof typeof RECORDS, number>
  for (const name of Object.keys(RECORDS) as (keyof typeof RECORDS)[]) {
    offsets[name] = end
    end = align(end + counts[name] * RECORDS[name])
  }
  const values = attributes.map(([name, attribute]) => {
    const nameOffset = end
    const valueOffset = align(end + name.length)
    end = align(valueOffset + attribute.value.length)
    return { name, nameOffset, valueOffset, attribute }
  })

  const bytes = new Uint8Array(end)
  const view = new DataView(bytes.buffer)
  const u32 = (at: number, value: number) => view.setUint32(at, value, true)
  const i32 = (at: number, value: number) => view.setInt32(at, value, true)
  const u64 = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true)
  const number = (table: Readonly<Record<string, number>>, name: string) => table[name] ?? 999

  u32(0, format.magic)
  u32(4, format.version)
  u64(8, end)
  u64(16, spec.arenaBytes)
  for (const [i, name] of (Object.keys(RECORDS) as (keyof typeof RECORDS)[]).entries()) {
    u32(24 + 8 * i, offsets[name])
    u32(28 + 8 * i, counts[name])
  }
  u32(80, spec.steps.length)
  for (const [i, tensor] of spec.tensors.entries()) {
    const at = offsets.tensors + i * RECORDS.tensors
    const constant = 'source' in tensor.place
    i32(at, number(format.dtypes, tensor.dtype))
    i32(at + 4, number(format.places, constant ? 'constant' : 'arena'))
    u32(at + 8, 'source' in tensor.place ? tensor.place.source : 0)
    i32(at + 12, tensor.dims.length)
    for (const [axis, extent] of tensor.dims.entries()) i32(at + 16 + 4 * axis, extent)
    u64(at + 48, tensor.place.offset)
    u64(at + 56, tensor.bytes)
  }
  for (const [i, tensor] of operands.entries()) i32(offsets.operands + 4 * i, tensor)
  let operand = 0
  let attribute = 0
  for (const [i, step] of spec.steps.entries()) {
    const at = offsets.steps + i * RECORDS.steps
    const count = Object.keys(step.attributes ?? {}).length
    for (const [j, value] of [
      number(format.steps, step.kind),
      operand,
      step.inputs.length,
      step.outputs.length,
      attribute,
      count,
    ].entries()) {
      u32(at + 4 * j, value)
    }
    operand += step.inputs.length + step.outputs.length
    attribute += count
  }
  for (const [i, value] of values.entries()) {
    const at = offsets.attributes + i * RECORDS.attributes
    u32(at, value.nameOffset)
    u32(at + 4, value.name.length)
    u32(at + 8, number(format.kinds, value.attribute.kind))
    u32(at + 12, value.attribute.count)
    u64(at + 16, value.valueOffset)
    bytes.set(new TextEncoder().encode(value.name), value.nameOffset)
    bytes.set(value.attribute.value, value.valueOffset)
  }
  for (const [i, tensor] of spec.inputs.entries()) i32(offsets.inputs + 4 * i, tensor)
  for (const [i, tensor] of spec.outputs.entries()) i32(offsets.outputs + 4 * i, tensor)
  return bytes
}

/** A chain of `steps` copies of `bytes` bytes, between two places of the arena. */
export function copyChain(bytes: number, steps: number): ProgramSpec {
  const slot = Math.ceil(bytes / 64) * 64
  return {
    arenaBytes: 2 * slot,
    tensors: [0, 1].map((i) => ({ dtype: 'uint8', dims: [bytes], bytes, place: { offset: i * slot } })),
    steps: Array.from({ length: steps }, (_, i) => ({
      kind: 'copy',
      inputs: [i % 2],
      outputs: [(i + 1) % 2],
    })),
    inputs: [0],
    outputs: [steps % 2],
  }
}
