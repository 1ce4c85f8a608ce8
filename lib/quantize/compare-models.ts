// The two models side by side on the samples: how far their tensors lie apart, and how often each is right.

import type { Session } from '../session/session.js'
import type { TensorData } from '../session/tensor-data.js'
import type { Tensor } from '../tensor/tensor.js'
import { type PassOptions, runKeeping, type Seen } from './collect.js'
import type { Change } from './report.js'

export interface Pair<Tracked> {
  readonly before: number
  readonly after: number
  readonly tracked: Tracked
}

export interface Models {
  readonly before: Session
  readonly after: Session
}

/** What sees each pair of tensors. */
export interface Tracker {
  add(before: Float32Array, after: Float32Array): void
}

/**
 * @param pairs Tensors of both models that belong together.
 * @param outputs One tracker for each output of the models.
 * @returns The share of right answers, where labels are given: the largest of the first output is the answer.
 */
export async function compareModels(
  models: Models,
  samples: readonly (readonly TensorData[])[],
  pairs: readonly Pair<Tracker>[],
  outputs: readonly Tracker[],
  labels: readonly number[] | undefined,
  options: PassOptions,
): Promise<Change | undefined> {
  const [keepBefore, keepAfter] = [pairs.map(({ before }) => before), pairs.map(({ after }) => after)]
  let [rightBefore, rightAfter] = [0, 0]
  models.before.resetState()
  models.after.resetState()
  for (const [i, sample] of samples.entries()) {
    const [seen, now] = await Promise.all([
      runKeeping(models.before, sample, keepBefore, options.signal),
      runKeeping(models.after, sample, keepAfter, options.signal),
    ])
    for (const { before, after, tracked } of pairs) tracked.add(seen.kept(before), now.kept(after))
    for (const [k, tracked] of outputs.entries()) tracked.add(realsOf(seen, k), realsOf(now, k))
    if (labels !== undefined) {
      if (largest(realsOf(seen, 0)) === labels[i]) rightBefore++
      if (largest(realsOf(now, 0)) === labels[i]) rightAfter++
    }
    options.onSample?.(i + 1)
  }
  if (labels === undefined || samples.length === 0) return undefined
  return { before: rightBefore / samples.length, after: rightAfter / samples.length }
}

function realsOf({ outputs }: Seen, place: number): Float32Array {
  return (outputs[place] as Tensor).toFloat32()
}

function largest(values: Float32Array): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i
  return best
}
