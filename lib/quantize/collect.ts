// One pass of the float model over the samples, in which every observer sees the tensors that it asked for.

import { LowbitError } from '../errors.js'
import type { ActivationSettings } from '../recipe/recipe.js'
import type { AbortSignalLike } from '../session/options.js'
import type { Session } from '../session/session.js'
import type { TensorData } from '../session/tensor-data.js'
import type { Tensor } from '../tensor/tensor.js'
import { extremes } from './find-codes.js'
import type { Group } from './groups.js'
import { isMaskRange } from './masks.js'
import { createObserver, type Observer } from './ranges/observer.js'
import type { Range } from './report.js'
import { CODE_RANGES, CODE_TYPES } from './rules.js'
import type { Watcher } from './watch-layers.js'

export interface PassOptions {
  readonly signal?: AbortSignalLike | undefined
  readonly onSample?: (done: number) => void
}

/** What one pass over the samples found; watchers keep what they saw. */
export interface Collected {
  readonly observers: ReadonlyMap<number, Observer>
  /** Smallest and largest value of each tensor that was looked at. */
  readonly seen: (tensor: number) => Range
}

/**
 * Shows each tensor whose range is asked for to its observer, and others to those that watch them.
 *
 * @throws {LowbitError} What runs throw, and `NOT_FINITE` where the model itself computes such a number. An abort
 *   rejects with `signal.reason`.
 */
export async function collectRanges(
  session: Session,
  samples: readonly (readonly TensorData[])[],
  { groups, watchers }: { groups: ReadonlyMap<number, Group>; watchers: readonly Watcher[] },
  options: PassOptions,
): Promise<Collected> {
  const wanted = new Map([...new Set(groups.values())].flatMap(({ observed }) => [...observed]))
  const observers = new Map([...wanted].map(([tensor, settings]) => [tensor, observerOf(settings)]))
  const seen = new Map<number, Range>()
  // Also tensors that have the codes of another: the report says what was seen of each.
  const computed = [...groups].flatMap(([tensor, { constants }]) => (constants.has(tensor) ? [] : [tensor]))
  const keep = [...new Set([...computed, ...watchers.map(({ tensor }) => tensor)])]
  if (keep.length > 0) {
    await eachRun(session, samples, keep, options, (_outputs, kept, sample) => {
      for (const tensor of keep) {
        const range = extremes(kept(tensor))
        seen.set(tensor, widened(seen.get(tensor), range, `tensor #${tensor} of sample ${sample}`))
        if (!isMaskRange(range)) observers.get(tensor)?.add(kept(tensor))
      }
      for (const { tensor, add } of watchers) add(kept(tensor))
    })
  }
  return { observers, seen: (tensor) => seen.get(tensor) ?? { min: 0, max: 0 } }
}

function observerOf({ range, percentile, type }: ActivationSettings): Observer {
  const { low, high } = CODE_RANGES[CODE_TYPES.find((one) => one === type) ?? 'int8']
  return createObserver({ range, percentile, codes: high - low + 1 })
}

function widened(range: Range | undefined, next: Range, where: string): Range {
  if (Number.isNaN(next.min)) {
    throw new LowbitError('NOT_FINITE', `${where}: the float model computes a number that is NaN`)
  }
  if (range === undefined) return next
  return { min: Math.min(range.min, next.min), max: Math.max(range.max, next.max) }
}

/** What a run gave: outputs, and the tensors that were kept, as real values. */
export interface Seen {
  readonly outputs: readonly Tensor[]
  kept(tensor: number): Float32Array
}

/** Runs a model on each sample, without memory of earlier passes, and gives what it computed to `see`, in order. */
export async function eachRun(
  session: Session,
  samples: readonly (readonly TensorData[])[],
  keep: readonly number[],
  { signal, onSample }: PassOptions,
  see: (outputs: readonly Tensor[], kept: (index: number) => Float32Array, sample: number) => void,
): Promise<void> {
  session.resetState()
  const start = (i: number) => {
    const inputs = samples[i]
    if (inputs === undefined) return undefined
    const run = runKeeping(session, inputs, keep, signal)
    // It is awaited only once the one before was seen; without this a failure meanwhile would be unhandled.
    run.catch(() => undefined)
    return run
  }
  let next = start(0)
  for (let i = 0; next !== undefined; i++) {
    const { outputs, kept } = await next
    next = start(i + 1)
    see(outputs, kept, i)
    onSample?.(i + 1)
  }
}

export async function runKeeping(
  session: Session,
  inputs: readonly TensorData[],
  keep: readonly number[],
  signal: AbortSignalLike | undefined,
): Promise<Seen> {
  const tensors = await session.run(inputs, { signal, keep: keep.map((index) => `#${index}`) })
  return { outputs: tensors, kept: (index) => realsOf(tensors.kept[`#${index}`] as Tensor) }
}

function realsOf(tensor: Tensor): Float32Array {
  return tensor.dtype === 'float32' ? (tensor.data as Float32Array) : tensor.toFloat32()
}
