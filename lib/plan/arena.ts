// Packs storages into one block of memory: those in use at the same time never overlap.

import type { Storage } from './lifetime.js'

/** Offsets are multiples of this many bytes: a cache line, and the widest register of any ISA here. */
export const ARENA_ALIGNMENT = 64

export interface Arena {
  /** Offset of each storage, a multiple of 64. */
  readonly offsets: readonly number[]
  readonly bytes: number
}

/**
 * Greedy by order: each storage takes the lowest offset at which it meets no storage that is placed already and in
 * use at the same time. Of a few orders the one with the smallest arena wins; the result depends on the input alone.
 *
 * @see Pisarchyk and Lee 2020, "Efficient Memory Management for Deep Neural Net Inference", sections 5.2 and 5.3
 *   (greedy by size, greedy by breadth).
 */
export function packArena(storages: readonly Storage[]): Arena {
  let best: Arena | undefined
  for (const order of [bySize(storages), byBreadth(storages)]) {
    const arena = place(storages, order)
    if (best === undefined || arena.bytes < best.bytes) best = arena
  }
  return best as Arena
}

/** The most bytes that are in use in one step: no arena can be smaller. */
export function liveBytes(storages: readonly Storage[]): number {
  const changes = new Map<number, number>()
  const change = (step: number, bytes: number) => changes.set(step, (changes.get(step) ?? 0) + bytes)
  for (const { first, last, bytes } of storages) {
    change(first, bytes)
    change(last + 1, -bytes)
  }
  let live = 0
  let most = 0
  for (const step of [...changes.keys()].sort((a, b) => a - b)) {
    live += changes.get(step) as number
    most = Math.max(most, live)
  }
  return most
}

function bySize(storages: readonly Storage[]): number[] {
  const at = (i: number) => storages[i] as Storage
  return [...storages.keys()].sort((a, b) => at(b).bytes - at(a).bytes || at(a).first - at(b).first || a - b)
}

/** Steps with the most bytes in use first; within a step, largest first. */
function byBreadth(storages: readonly Storage[]): number[] {
  const sized = bySize(storages)
  const steps = [...new Set(storages.map(({ first }) => first))]
  // What lives longest over a busy step matters; a storage belongs to the busiest step it begins in or lives through.
  const breadth = new Map<number, number>()
  const events = [...storages].sort((a, b) => a.first - b.first)
  const ends = [...storages].sort((a, b) => a.last - b.last)
  let live = 0
  let begun = 0
  let ended = 0
  for (const step of steps.sort((a, b) => a - b)) {
    for (; begun < events.length && (events[begun] as Storage).first <= step; begun++) {
      live += (events[begun] as Storage).bytes
    }
    for (; ended < ends.length && (ends[ended] as Storage).last < step; ended++) {
      live -= (ends[ended] as Storage).bytes
    }
    breadth.set(step, live)
  }
  const busiest = steps.sort((a, b) => (breadth.get(b) as number) - (breadth.get(a) as number) || a - b)
  const order = new Set<number>()
  for (const step of busiest) {
    for (let at = 0; at < sized.length; at++) {
      const { first, last } = storages[sized[at] as number] as Storage
      if (first <= step && step <= last) order.add(sized[at] as number)
    }
    if (order.size === storages.length) break
  }
  return [...order]
}

function place(storages: readonly Storage[], order: readonly number[]): Arena {
  const offsets = new Array<number>(storages.length).fill(0)
  /** Placed storages, by offset. */
  const placed: number[] = []
  let bytes = 0
  for (const index of order) {
    const storage = storages[index] as Storage
    if (storage.bytes === 0) continue
    let offset = 0
    for (let at = 0; at < placed.length; at++) {
      const other = placed[at] as number
      const { first, last, bytes: size } = storages[other] as Storage
      if (last < storage.first || first > storage.last) continue
      const start = offsets[other] as number
      if (start >= offset + storage.bytes) break
      offset = Math.max(offset, align(start + size))
    }
    offsets[index] = offset
    bytes = Math.max(bytes, align(offset + storage.bytes))
    const after = placed.findIndex((other) => (offsets[other] as number) > offset)
    placed.splice(after < 0 ? placed.length : after, 0, index)
  }
  return { offsets, bytes }
}

function align(bytes: number): number {
  return Math.ceil(bytes / ARENA_ALIGNMENT) * ARENA_ALIGNMENT
}
