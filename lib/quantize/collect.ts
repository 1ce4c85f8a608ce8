// One pass of the float model over the samples, in which every observer sees the tensors that it asked for.

import { LowbitError } from '../errors.js'
import type { AbortSignalLike } from '../session/options.js'
import type { Session } from '../session/session.js'
import type { TensorData } from '../session/tensor-data.js'
import type { Tensor } from '../tensor/tensor.js'
import { extremes, type RangeObserver, rangeObserver } from './find-codes.js'
import type { Group } from './groups.js'
import type { Range } from './report.js'

export interface PassOptions {
  readonly signal?: AbortSignalLike | undefined
  readonly onSample?: (done: number) => void
}

/** What one pass over the samples found. */
export interface Collected {
  readonly observers: ReadonlyMap<number, RangeObserver>
  /** Smallest and largest value of each tensor that was looked at. */
  readonly seen: (tensor: number) => Range
}

/**
 * Shows each tensor whose range is asked for to its observer.
 *
 * @throws {LowbitError} What runs throw, and `NOT_FINITE` where the model itself computes such a number. An abort
 *   rejects with `signal.reason`.
 */
export async function collectRanges(
  session: Session,
  samples: readonly (readonly TensorData[])[],
  groups: ReadonlyMap<number, Group>,
  options: PassOptions,
): Promise<Collected> {
  const wanted = new Map([...new Set(groups.values())].flatMap(({ observed }) => [...observed]))
  const observers = new Map([...wanted].map(([tensor, settings]) => [tensor, rangeObserver(settings)]))
  const seen = new Map<number, Range>()
  if (wanted.size > 0) {
    await eachRun(session, samples, [...wanted.keys()], options, (_outputs, kept, sample) => {
      for (const [tensor, observer] of observers) {
        const values = kept(tensor)
        seen.set(tensor, widened(seen.get(tensor), extremes(values), `tensor #${tensor} of sample ${sample}`))
        observer.add(values)
      }
    })
  }
  return { observers, seen: (tensor) => seen.get(tensor) ?? { min: 0, max: 0 } }
}

function widened(range: Range | undefined, next: Range, where: string): Range {
  if (!Number.isFinite(next.min + next.max) || Number.isNaN(next.min + next.max)) {
    throw new LowbitError('NOT_FINITE', `${where}: the float model computes ${next.min} to ${next.max}`)
  }
  if (range === undefined) return next
  return { min: Math.min(range.min, next.min), max: Math.max(range.max, next.max) }
}

/** Runs a model on each sample and gives the outputs and kept tensors to `see`, in order. */
export async function eachRun(
  session: Session,
  samples: readonly (readonly TensorData[])[],
  keep: readonly number[],
  { signal, onSample }: PassOptions,
  see: (outputs: readonly Tensor[], kept: (index: number) => Float32Array, sample: number) => void,
): Promise<void> {
  const names = keep.map((index) => `#${index}`)
  const start = (i: number) => {
    const inputs = samples[i]
    if (inputs === undefined) return undefined
    const run = session.run(inputs, { signal, keep: names })
    // It is awaited only once the one before was seen; without this a failure meanwhile would be unhandled.
    run.catch(() => undefined)
    return run
  }
  let next = start(0)
  for (let i = 0; next !== undefined; i++) {
    const tensors = await next
    next = start(i + 1)
    see(tensors, (index) => realsOf(tensors.kept[`#${index}`] as Tensor), i)
    onSample?.(i + 1)
  }
}

function realsOf(tensor: Tensor): Float32Array {
  return tensor.dtype === 'float32' ? (tensor.data as Float32Array) : tensor.toFloat32()
}
