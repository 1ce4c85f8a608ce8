// Options of `quantize`, checked.

import { LowbitError } from '../errors.js'
import type { Model } from '../session/model.js'
import { type AbortSignalLike, checkKeys } from '../session/options.js'

/** How far the work is. */
export interface Progress {
  /**
   * `samples`: they are read. `equalise`, `collect`: the float model runs on them. `weights`: layers are quantised.
   * `correct`: the quantised model runs on them for its biases. `measure`: both models run on the samples. `repairs`:
   * models without some of the repairs are built and measured. `evaluate`: the caller's function runs, on the float
   * model first.
   */
  readonly stage:
    | 'samples'
    | 'equalise'
    | 'collect'
    | 'weights'
    | 'correct'
    | 'measure'
    | 'repairs'
    | 'evaluate'
  readonly done: number
  /** 0 where it is not known. */
  readonly total: number
}

export interface QuantizeOptions {
  /** Quality of a model, higher is better: called with the float and with the quantised one, for the report. */
  readonly evaluate?: ((model: Model) => Promise<number>) | undefined
  /** The right answer to each sample, as index into the first output: the report has the share of right answers. */
  readonly labels?: ArrayLike<number> | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /** Aborting ends the work between two runs or layers; the promise rejects with `signal.reason`. */
  readonly signal?: AbortSignalLike | undefined
}

/** @throws {LowbitError} `OPTION_INVALID`. */
export function checkOptions(options: QuantizeOptions): void {
  checkKeys(options, ['evaluate', 'labels', 'onProgress', 'signal'], 'options of quantize')
  for (const name of ['evaluate', 'onProgress'] as const) {
    const given = options[name]
    if (given === undefined || typeof given === 'function') continue
    throw new LowbitError('OPTION_INVALID', `${name}: a function expected`, { actual: typeof given })
  }
}

/** @throws {LowbitError} `SHAPE_MISMATCH` where there is not one label a sample, `OPTION_INVALID` for one that is no index. */
export function checkLabels(
  labels: ArrayLike<number> | undefined,
  samples: number,
): readonly number[] | undefined {
  if (labels === undefined) return undefined
  const list = Array.from(labels)
  if (list.length !== samples) {
    const message = `labels: one for each of ${samples} samples expected, ${list.length} given`
    throw new LowbitError('SHAPE_MISMATCH', message, { expected: samples, actual: list.length })
  }
  const wrong = list.findIndex((label) => !Number.isInteger(label) || label < 0)
  if (wrong < 0) return list
  const message = `labels[${wrong}] is ${list[wrong]}; a whole number of 0 or more expected`
  throw new LowbitError('OPTION_INVALID', message, { actual: list[wrong] })
}
