// The plan: steps in order, and where every tensor lives. Plain data for program/encode.ts and for `inspect`.

import type { Step } from '../ops/contract.js'
import type { Dtype } from '../tensor/dtype.js'
import type { Shape } from '../tensor/shape.js'

export interface PlannedTensor {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: Shape
  readonly bytes: number
  readonly place:
    | { readonly where: 'arena'; readonly offset: number }
    | { readonly where: 'constant'; readonly data: Uint8Array }
  /** First and last step that touches the tensor; -1 for model inputs, `steps.length` for outputs. */
  readonly life: readonly [number, number]
}

export interface PlannedStep {
  readonly step: Step
  /** `CONV_2D #12` */
  readonly origin: string
  /** Name of the operator's definition (`conv2d`). */
  readonly op: string
  /** Indices of tensors; -1 for an absent operand. */
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
}

export interface Plan {
  readonly tensors: readonly PlannedTensor[]
  readonly steps: readonly PlannedStep[]
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly arenaBytes: number
}
