// What a model file says, as plain readonly data. Nothing here knows flatbuffers or operators' arithmetic.

import type { Dtype } from '../tensor/dtype.js'
import type { Shape } from '../tensor/shape.js'

export interface ModelFile {
  readonly version: number
  readonly description: string
  readonly subgraphs: readonly Subgraph[]
  readonly signatures: readonly Signature[]
  /** Named blobs of the file (`TFLITE_METADATA`, `min_runtime_version`, …). */
  readonly metadata: readonly { readonly name: string; readonly data: Uint8Array }[]
  /** Size of the whole file in bytes. */
  readonly fileBytes: number
}

export interface Subgraph {
  readonly name: string
  readonly tensors: readonly TensorRecord[]
  /** Indices into `tensors`. */
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  /** In execution order. */
  readonly operators: readonly OperatorRecord[]
}

export interface TensorRecord {
  readonly name: string
  readonly shape: Shape
  /** As `shape`, with -1 where the extent is free. */
  readonly shapeSignature: Shape
  readonly dtype: Dtype
  /** Bytes of a constant, row-major little-endian as the file stores them (a view, not aligned); undefined for computed tensors. */
  readonly data?: Uint8Array
  readonly isVariable: boolean
  /** Of integer types only: scales that files give to float tensors mean nothing and are dropped. */
  readonly quantization?: Quantization
  /** Blockwise quantisation (`BlockwiseQuantization`): indices of the tensors that hold scales and zero points (-1: all 0). */
  readonly blockwise?: { readonly scales: number; readonly zeroPoints: number; readonly blockSize: number }
  readonly isSparse: boolean
}

/** real = scale[c] * (code - zeroPoint[c]); one entry per tensor, or one for each index of `axis`. */
export interface Quantization {
  readonly scale: Float32Array
  readonly zeroPoint: Int32Array
  /** Dimension that keeps its own scale, in the stored layout; 0 when there is one scale only. */
  readonly axis: number
}

export type OptionValue = number | bigint | boolean | string | readonly number[] | Uint8Array

export interface OperatorRecord {
  /** Builtin code of the schema (`BuiltinOperator`); 32 for a custom operator. */
  readonly code: number
  /** `CONV_2D`, or the custom operator's own name; `UNKNOWN_999` for a code that the schema lacks. */
  readonly type: string
  readonly version: number
  /** Indices into the subgraph's tensors; -1 for an optional operand that is absent. */
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly intermediates: readonly number[]
  /** Builtin options by field name (`strideW`, `fusedActivationFunction`), defaults filled in; {} when the file has none. */
  readonly options: Readonly<Record<string, OptionValue>>
  /** Raw custom options (usually a FlexBuffer). */
  readonly customOptions?: Uint8Array
}

export interface Signature {
  readonly name: string
  readonly subgraph: number
  readonly inputs: readonly { readonly name: string; readonly tensor: number }[]
  readonly outputs: readonly { readonly name: string; readonly tensor: number }[]
}
