// The share of right answers of a model over labelled samples.

import { LowbitError } from '../errors.js'
import type { Answers } from '../samples/answers.js'
import type { Samples } from '../samples/samples.js'
import { Score } from '../samples/score.js'
import type { Model } from '../session/model.js'
import { classCount, scoresOutput } from './classes.js'

export interface ScoringOptions {
  readonly signal: AbortSignal
  /** Told how many samples are done. */
  readonly onSample?: (done: number) => void
}

/** @throws {LowbitError} `DATA_INVALID` for no samples; as samples, answers and runs do. */
export async function score(
  model: Model,
  samples: Samples,
  answers: Answers,
  { signal, onSample }: ScoringOptions,
): Promise<Score> {
  const total = new Score(classCount(scoresOutput(model, 'lowbit evaluate')))
  for await (const sample of samples) {
    const answer = answers.of(sample)
    const [scores] = await model.run(sample.inputs, { signal })
    if (!scores) throw new LowbitError('INTERNAL', 'the run gave no output')
    total.add(scores.toFloat32(), answer)
    onSample?.(total.samples)
  }
  if (total.samples === 0)
    throw new LowbitError('DATA_INVALID', `${samples.path}: there are no samples in it`)
  return total
}
