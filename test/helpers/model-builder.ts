// Makes small models for tests: tensors by name, operators between them. `encode` turns them into files.

import { encode } from '#lib/format/tflite/encode.js'
import { CUSTOM_CODE, operatorCode } from '#lib/format/tflite/schema.js'
import type { ModelFile, OperatorRecord, OptionValue, Subgraph, TensorRecord } from '#lib/model/model.js'
import { arrayOf, type Dtype, type TypedArray } from '#lib/tensor/dtype.js'

export interface TensorSpec {
  readonly dtype: Dtype
  readonly shape: readonly number[]
  /** `shape` by default. */
  readonly shapeSignature?: readonly number[]
  /**
   * Values of a constant: numbers (bits for float16), also for int64; one an element for int4 and int2, which are
   * packed here; texts for strings. A Uint8Array is taken as the stored bytes, whatever the type.
   */
  readonly data?: readonly number[] | readonly string[] | TypedArray
  /** One scale, or one for each index of `axis`. */
  readonly scale?: number | readonly number[]
  readonly zeroPoint?: number | readonly number[]
  readonly axis?: number
  readonly blockwise?: TensorRecord['blockwise']
  readonly isVariable?: boolean
}

export interface OperatorSpec {
  /** Builtin name, or any other name for a custom operator. */
  readonly type: string
  readonly version?: number
  /** Names of tensors; null for an absent operand. */
  readonly inputs: readonly (string | null)[]
  readonly outputs: readonly string[]
  readonly intermediates?: readonly string[]
  readonly options?: Readonly<Record<string, OptionValue>>
  readonly customOptions?: Uint8Array
}

export interface SubgraphSpec {
  readonly name?: string
  readonly tensors: Readonly<Record<string, TensorSpec>>
  readonly operators: readonly OperatorSpec[]
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/** A subgraph from names; an unknown name throws. */
export function subgraph(spec: SubgraphSpec): Subgraph {
  const places = new Map(Object.keys(spec.tensors).map((name, place) => [name, place]))
  const place = (name: string | null): number => {
    const found = name === null ? -1 : places.get(name)
    if (found === undefined) throw new Error(`no tensor is called ${name}`)
    return found
  }
  return {
    name: spec.name ?? '',
    tensors: Object.entries(spec.tensors).map(([name, tensor]) => tensorRecord(name, tensor)),
    inputs: spec.inputs.map(place),
    outputs: spec.outputs.map(place),
    operators: spec.operators.map((operator) => operatorRecord(operator, place)),
  }
}

/** A model of these subgraphs; `extra` replaces its other parts. */
export function model(subgraphs: readonly SubgraphSpec[], extra: Partial<ModelFile> = {}): ModelFile {
  return {
    version: 3,
    description: '',
    subgraphs: subgraphs.map(subgraph),
    signatures: [],
    metadata: [],
    fileBytes: 0,
    ...extra,
  }
}

export interface OneOperatorSpec extends Omit<OperatorSpec, 'inputs' | 'outputs' | 'intermediates'> {
  /** Tensors with data are constants, others inputs of the model, variables excepted; called `in0`, `in1`, … */
  readonly inputs: readonly (TensorSpec | null)[]
  /** Called `out0`, … */
  readonly outputs: readonly TensorSpec[]
  /** Called `mid0`, … */
  readonly intermediates?: readonly TensorSpec[]
}

/** A model of a single operator. */
export function oneOperator(spec: OneOperatorSpec): ModelFile {
  const { inputs, outputs, intermediates = [], ...operator } = spec
  const named = <T>(prefix: string, items: readonly T[]) =>
    items.map((item, place): readonly [string, T] => [`${prefix}${place}`, item])
  const present = named('in', inputs).flatMap(([name, tensor]) =>
    tensor === null ? [] : [[name, tensor] as const],
  )
  const results = named('out', outputs)
  const inner = named('mid', intermediates)
  return model([
    {
      tensors: Object.fromEntries([...present, ...results, ...inner]),
      operators: [
        {
          ...operator,
          inputs: inputs.map((tensor, place) => (tensor === null ? null : `in${place}`)),
          outputs: results.map(([name]) => name),
          intermediates: inner.map(([name]) => name),
        },
      ],
      inputs: present.filter(([, tensor]) => !tensor.data && !tensor.isVariable).map(([name]) => name),
      outputs: results.map(([name]) => name),
    },
  ])
}

/** The file of a model of a single operator. */
export function oneOperatorFile(spec: OneOperatorSpec): Uint8Array {
  return encode(oneOperator(spec))
}

function list(values: number | readonly number[]): readonly number[] {
  return typeof values === 'number' ? [values] : values
}

function tensorRecord(name: string, spec: TensorSpec): TensorRecord {
  const { dtype, shape, data, scale, zeroPoint, blockwise } = spec
  return {
    name,
    shape,
    shapeSignature: spec.shapeSignature ?? shape,
    dtype,
    ...(data && { data: constantBytes(dtype, data) }),
    isVariable: spec.isVariable ?? false,
    ...(scale !== undefined && {
      quantization: {
        scale: Float32Array.from(list(scale)),
        zeroPoint: Int32Array.from(list(zeroPoint ?? list(scale).map(() => 0))),
        axis: spec.axis ?? 0,
      },
    }),
    ...(blockwise && { blockwise }),
    isSparse: false,
  }
}

function operatorRecord(spec: OperatorSpec, place: (name: string | null) => number): OperatorRecord {
  return {
    code: operatorCode(spec.type) ?? CUSTOM_CODE,
    type: spec.type,
    version: spec.version ?? 1,
    inputs: spec.inputs.map(place),
    outputs: spec.outputs.map(place),
    intermediates: (spec.intermediates ?? []).map(place),
    options: spec.options ?? {},
    ...(spec.customOptions && { customOptions: spec.customOptions }),
  }
}

/** Bytes of a constant as a file stores them. */
export function constantBytes(dtype: Dtype, data: NonNullable<TensorSpec['data']>): Uint8Array {
  if (data instanceof Uint8Array) return data
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  if (dtype === 'string') return stringBytes(data as readonly string[])
  const values = data as readonly number[]
  if (dtype === 'int4' || dtype === 'int2') return packedBytes(values, dtype === 'int4' ? 4 : 2)
  const ArrayClass = arrayOf(dtype)
  if (ArrayClass === undefined) throw new Error(`${dtype} has no constants`)
  const array = new ArrayClass(values.length)
  for (const [index, value] of values.entries()) {
    array[index] = dtype === 'int64' || dtype === 'uint64' ? BigInt(value) : value
  }
  return new Uint8Array(array.buffer)
}

/** The first value in the lowest bits. */
function packedBytes(values: readonly number[], bits: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((values.length * bits) / 8))
  for (const [index, value] of values.entries()) {
    const byte = (index * bits) >> 3
    bytes[byte] = (bytes[byte] ?? 0) | ((value & ((1 << bits) - 1)) << ((index * bits) & 7))
  }
  return bytes
}

/** Count, count + 1 offsets, then the texts. */
function stringBytes(texts: readonly string[]): Uint8Array {
  const parts = texts.map((text) => new TextEncoder().encode(text))
  const head = 4 * (texts.length + 2)
  const offsets = [head]
  for (const part of parts) offsets.push((offsets.at(-1) ?? head) + part.length)
  const bytes = new Uint8Array(offsets.at(-1) ?? head)
  bytes.set(new Uint8Array(Int32Array.of(texts.length, ...offsets).buffer))
  for (const [index, part] of parts.entries()) bytes.set(part, offsets[index])
  return bytes
}
