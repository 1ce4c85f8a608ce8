// What an operator's file tells: how TFLite spells it, which shapes it gives, and the native steps it becomes.

import { type ErrorCode, type ErrorFacts, LowbitError } from '../errors.js'
import type { OptionValue, Quantization } from '../model/model.js'
import type { Dtype } from '../tensor/dtype.js'
import type { Shape } from '../tensor/shape.js'

/** An operand as an operator sees it. Structurally a graph `Value`. */
export interface Operand {
  readonly name: string
  readonly shape: Shape
  readonly dtype: Dtype
  readonly quantization?: Quantization
  readonly data?: Uint8Array
  /** Set for memory that keeps its bytes from run to run: the one of this name, all over `fill` before the first run. */
  readonly state?: { readonly key: string; readonly fill: number }
  /** Set for weights with a scale for each block of `blockSize` elements along the last dimension. */
  readonly blockwise?: {
    readonly scales: Operand
    /** Undefined where they are all 0. */
    readonly zeroPoints?: Operand
    readonly blockSize: number
  }
}

export interface Inferred {
  readonly shape: Shape
  readonly dtype: Dtype
  /** The bytes, where they follow from shapes and constants alone. A node whose outputs all have them is not run. */
  readonly data?: Uint8Array
}

/** One attribute of a native step: int32, int32s, float32s, float64s or raw bytes. A plain number is an int32. */
export type StepAttribute = number | Int32Array | Float32Array | Float64Array | Uint8Array

/**
 * One native step (native/program/steps). Operands are the node's own, or constants made while lowering. State that a
 * step changes is among its inputs (and may be an output as well).
 */
export interface Step {
  /** Name in the native step table: `conv`, `pool`, … */
  readonly kind: string
  readonly inputs: readonly (Operand | null)[]
  readonly outputs: readonly Operand[]
  readonly attributes: Readonly<Record<string, StepAttribute>>
  /** Index of the input whose memory output 0 may take over, when that input dies here (same byte size). */
  readonly inPlace?: number
  /** Multiply-accumulates of the step, by the unpadded definition; 0 where it has none. */
  readonly macs?: number
}

/** How the step of a node runs what the node calls (native/program/steps/flow.cc). */
export type Flow = 'if' | 'while' | 'once'

/**
 * A node is lowered into steps; or is only another view of its first input's bytes, or of the first of them; or calls
 * graphs, which are lowered in their turn.
 */
export type Lowered = { readonly steps: readonly Step[] } | { readonly view: true } | { readonly flow: Flow }

/** A graph that a node calls, seen from outside. */
export interface Called {
  readonly inputs: readonly Operand[]
  readonly outputs: readonly Operand[]
}

/** What an operator says of shapes depends on the value of an operand that is computed in the run. */
export class NeedsValue extends LowbitError {
  readonly operand: Operand

  constructor(error: LowbitError, operand: Operand) {
    const { code, message, operator = '' } = error
    super(code, message, { operator, tensor: operand.name })
    this.operand = operand
  }
}

/** Graphs that a node calls give results of other shapes than it needs, so that they cannot be steps of its plan. */
export class ShapesDiffer extends LowbitError {}

/** What infer and lower are given. */
export interface NodeContext<Attributes> {
  /** `CONV_2D #12` */
  readonly origin: string
  readonly attributes: Attributes
  /** null for an absent optional operand. */
  readonly inputs: readonly (Operand | null)[]
  /** As the file declares them while inferring; with inferred shapes while lowering. */
  readonly outputs: readonly Operand[]
  /** Tensors that only tell how results in between are quantised; null for absent ones. */
  readonly intermediates: readonly (Operand | null)[]
  /** The graphs that the node calls. */
  readonly called: readonly Called[]
  /** Input i, which must be there: else `FILE_INVALID`. */
  input(i: number): Operand
  output(i: number): Operand
  /** Quantisation of an operand, per tensor: else `FILE_INVALID` (missing) or `OPERATOR_UNSUPPORTED` (per channel). */
  affine(operand: Operand): { readonly scale: number; readonly zeroPoint: number }
  /** The bytes of a constant operand, aligned, as int32s: else `NeedsValue` if it is computed in the run. */
  constantInts(operand: Operand): Int32Array
  /** An error that names the node. */
  fail(code: ErrorCode, message: string, facts?: ErrorFacts): LowbitError
}

export interface Op<Attributes = unknown> {
  /** lower_case name in graphs, profiles and docs. */
  readonly name: string
  readonly tflite: {
    /** `BuiltinOperator` name in the schema. */
    readonly type: string
    /** Set for a custom operator, known by the name it has in the file. */
    readonly custom?: boolean
    /** @param customOptions Raw options of a custom operator. */
    read(options: Readonly<Record<string, OptionValue>>, customOptions?: Uint8Array): Attributes
  }
  /** Inputs that are state, which the operator reads and writes; elsewhere state is refused. */
  readonly stateInputs?: readonly number[]
  /** Inputs that may have blockwise quantisation; elsewhere it is refused. */
  readonly blockwiseInputs?: readonly number[]
  /** Shapes and types of the outputs, from the inputs. Throws what `fail` gives for shapes that do not fit. */
  infer(node: NodeContext<Attributes>): readonly Inferred[]
  lower(node: NodeContext<Attributes>): Lowered
}

/** Keeps the attribute type inside one operator's file; the registry sees all of them alike. */
export function defineOp<Attributes>(op: Op<Attributes>): Op {
  return op as unknown as Op
}

export { LowbitError }
