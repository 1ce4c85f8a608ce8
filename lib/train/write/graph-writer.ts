// A graph of float operators that grows from its inputs on: tensors, constants and operators of one subgraph.

import { LowbitError } from '../../errors.js'
import { operatorCode } from '../../format/tflite/schema.js'
import type { OptionValue, TensorRecord } from '../../model/model.js'
import { bytesOf } from '../../quantize/constants.js'
import type { FloatGraph, PlacedOperator } from '../../quantize/prepare.js'
import type { Shape } from '../../tensor/shape.js'

export type RealDtype = 'float32' | 'int32' | 'bool'

export interface OperatorText {
  readonly type: string
  readonly inputs: readonly number[]
  readonly shape: Shape
  readonly options?: Readonly<Record<string, OptionValue>>
  /** Default 1. */
  readonly version?: number
  /** Of the output. Default float32. */
  readonly dtype?: RealDtype
}

export class GraphWriter {
  readonly #tensors: TensorRecord[] = []
  readonly #operators: PlacedOperator[] = []
  readonly #names = new Set<string>()
  /** An operator holds the number of rows of its output: the batch is that of the shapes. */
  #hasFixedBatch = false

  shape(tensor: number): Shape {
    return (this.#tensors[tensor] as TensorRecord).shape
  }

  dtype(tensor: number): RealDtype {
    return (this.#tensors[tensor] as TensorRecord).dtype as RealDtype
  }

  name(tensor: number): string {
    return (this.#tensors[tensor] as TensorRecord).name
  }

  /** A computed tensor. */
  tensor(name: string, shape: Shape, dtype: RealDtype = 'float32'): number {
    return this.#push({ name: this.#unique(name), shape, dtype })
  }

  constant(name: string, values: Float32Array | Int32Array, shape: Shape): number {
    const dtype = values instanceof Float32Array ? 'float32' : 'int32'
    return this.#push({ name: this.#unique(name), shape, dtype, data: bytesOf(values) })
  }

  /** An operator with one output, which it returns. */
  operator(name: string, { type, inputs, shape, options = {}, version = 1, dtype }: OperatorText): number {
    const code = operatorCode(type)
    if (code === undefined) throw new LowbitError('INTERNAL', `there is no operator ${type}`)
    const output = this.tensor(name, shape, dtype)
    const place = this.#operators.length
    this.#operators.push({
      code,
      type,
      version,
      inputs,
      outputs: [output],
      intermediates: [],
      options,
      place,
    })
    return output
  }

  rename(tensor: number, name: string): void {
    const record = this.#tensors[tensor] as TensorRecord
    this.#names.delete(record.name)
    this.#tensors[tensor] = { ...record, name: this.#unique(name) }
  }

  fixBatch(): void {
    this.#hasFixedBatch = true
  }

  /** All that was written. The first dimension of computed tensors is free, unless something holds it. */
  graph(inputs: readonly number[], outputs: readonly number[]): FloatGraph {
    const tensors = this.#tensors.map((tensor) =>
      tensor.data !== undefined || this.#hasFixedBatch || tensor.shape.length === 0
        ? tensor
        : { ...tensor, shapeSignature: [-1, ...tensor.shape.slice(1)] },
    )
    return { name: 'main', tensors, inputs, outputs, operators: this.#operators }
  }

  #push(tensor: Pick<TensorRecord, 'name' | 'shape' | 'dtype' | 'data'>): number {
    const record = { ...tensor, shapeSignature: tensor.shape, isVariable: false, isSparse: false }
    return this.#tensors.push(record) - 1
  }

  /** Layers that are called twice, and those of nested models, may have one name. */
  #unique(name: string): string {
    let unique = name
    for (let i = 1; this.#names.has(unique); i++) unique = `${name}:${i}`
    this.#names.add(unique)
    return unique
  }
}
