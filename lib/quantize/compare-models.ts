// The two models side by side on the samples: how far their tensors lie apart, and how often each is right.

import type { Session } from '../session/session.js'
import type { TensorData } from '../session/tensor-data.js'
import type { Tensor } from '../tensor/tensor.js'
import { eachRun, type PassOptions } from './collect.js'
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
  let [rightBefore, rightAfter] = [0, 0]
  for (const [i, sample] of samples.entries()) {
    const seen = await oneRun(
      models.before,
      sample,
      pairs.map(({ before }) => before),
      options,
    )
    const now = await oneRun(
      models.after,
      sample,
      pairs.map(({ after }) => after),
      options,
    )
    for (const { before, after, tracked } of pairs) tracked.add(seen.kept(before), now.kept(after))
    for (const [k, tracked] of outputs.entries()) tracked.add(seen.outputs(k), now.outputs(k))
    if (labels !== undefined) {
      if (largest(seen.outputs(0)) === labels[i]) rightBefore++
      if (largest(now.outputs(0)) === labels[i]) rightAfter++
    }
    options.onSample?.(i + 1)
  }
  if (labels === undefined || samples.length === 0) return undefined
  return { before: rightBefore / samples.length, after: rightAfter / samples.length }
}

async function oneRun(
  session: Session,
  sample: readonly TensorData[],
  keep: readonly number[],
  { signal }: PassOptions,
) {
  const found: { outputs: readonly Tensor[]; kept: (index: number) => Float32Array }[] = []
  await eachRun(session, [sample], keep, { signal }, (outputs, kept) => found.push({ outputs, kept }))
  const [{ outputs, kept }] = found as [(typeof found)[number]]
  return { kept, outputs: (k: number) => (outputs[k] as Tensor).toFloat32() }
}

function largest(values: Float32Array): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i
  return best
}
