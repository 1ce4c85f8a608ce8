// What `onProgress` is told.

/** Parts of the work, in their order; one that a recipe does not need is left out. */
export const STAGES = ['prepare', 'collect', 'weights', 'correct', 'measure'] as const
export type Stage = (typeof STAGES)[number]

export interface Progress {
  readonly stage: Stage
  /** Samples or layers of this stage, done and in all; `total` is 0 where it is not known. */
  readonly done: number
  readonly total: number
}
