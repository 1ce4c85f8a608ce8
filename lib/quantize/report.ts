// What quantising did, as plain JSON: `--json` prints it, the HTML report draws it.

import type { Recipe } from '../recipe/recipe.js'

export interface QuantizeReport {
  /** Of this form. */
  readonly version: 1
  /** As it was used, presets written out. */
  readonly recipe: Recipe
  readonly samples: number
  readonly seconds: number
  readonly fileBytes: Change
  readonly weightBytes: Change
  /** Result of the caller's `evaluate`, or the share of right answers where labels were given. */
  readonly accuracy?: Change
  /** Over all samples, real values against those of the float model. */
  readonly outputs: readonly { readonly name: string; readonly sqnrDb: number | null }[]
  /** In the order of the file; operators that stay float have `kept`. */
  readonly layers: readonly LayerReport[]
  /** In the order in which they were done: the first output's SQNR (or accuracy) without and with it. */
  readonly repairs: readonly RepairReport[]
  readonly notes: readonly string[]
}

export interface Change {
  readonly before: number
  readonly after: number
}

export interface RepairReport {
  readonly name: string
  readonly sqnrDb: { readonly without: number | null; readonly with: number | null }
  readonly accuracy?: { readonly without: number; readonly with: number }
}

export interface LayerReport {
  /** Place in the file. */
  readonly index: number
  readonly op: string
  /** Of the first output tensor. */
  readonly name: string
  /** Why it is not quantised. */
  readonly kept?: string
  readonly output?: OutputReport
  readonly weights?: WeightReport
}

/** A computed tensor of the quantised model against the same one of the float model. */
export interface OutputReport {
  readonly type: string
  readonly scale: number
  readonly zeroPoint: number
  /** Smallest and largest real value that was seen, and that a code has. */
  readonly seen: Range
  readonly range: Range
  /** Share of the values seen that lie outside of `range`. */
  readonly clippedShare: number
  readonly sqnrDb: number | null
  readonly maxError: number
  readonly histogram: Histogram
}

export interface WeightReport {
  readonly type: string
  readonly bits: number
  readonly method: 'uniform' | 'piecewise'
  readonly granularity: 'tensor' | 'channel' | 'group'
  readonly scales: number
  readonly seen: Range
  /** Of the widest channel. */
  readonly range: Range
  readonly clippedShare: number
  readonly sqnrDb: number | null
  readonly maxError: number
  readonly bytes: Change
  readonly histogram: Histogram
}

export interface Range {
  readonly min: number
  readonly max: number
}

/** Counts in equal bins from `min` to `max`, before and after rounding. */
export interface Histogram extends Range {
  readonly before: readonly number[]
  readonly after: readonly number[]
}
