// Which tensors share memory, and from which step to which each piece of memory is in use.

import type { LoweredStep, Lowering } from './lower.js'

/** A piece of the arena, and the moments, both ends included, in which it holds something. */
export interface Storage {
  readonly bytes: number
  readonly first: number
  readonly last: number
}

export interface Storages {
  readonly storages: readonly Storage[]
  /** For each tensor the storage it lives in, or -1 for constants, state, and their views. */
  readonly storageOf: readonly number[]
  /** For each tensor the one that it shows, or takes its memory from; itself where there is none. */
  readonly rootOf: readonly number[]
  /** First and last moment that touch each tensor itself; inputs are written at -1, outputs read at `moments`. */
  readonly touched: readonly (readonly [number, number])[]
  /** One a step, and one more for the end of each step that runs blocks. */
  readonly moments: number
}

/** What happens at a moment. */
type Moment = Pick<LoweredStep, 'inputs' | 'outputs'> & { readonly inPlace?: number | undefined }

/** The steps in the order of the file: blocks after the step that runs them, whether or how often they run. */
function momentsOf(steps: readonly LoweredStep[]): readonly Moment[] {
  return steps.flatMap(({ step, inputs, outputs, blocks, holds = [] }) => [
    { inputs: blocks ? [...inputs, ...holds] : inputs, outputs, inPlace: step.inPlace },
    ...(blocks?.flatMap(momentsOf) ?? []),
    // What a loop needs in its next pass lives until after the last step of its body.
    ...(blocks ? [{ inputs: holds, outputs: [] }] : []),
  ])
}

/**
 * Views live where the tensor they show lives. A step's output takes over the memory of an input if the step allows
 * it, the input is neither constant nor state, nothing reads the input's memory later, and no other operand of the step has it.
 */
export function shareStorage(lowering: Lowering): Storages {
  const { tensors, views, inputs, outputs } = lowering
  const moments = momentsOf(lowering.steps)
  const isFixed = (root: number) => {
    const { data, state } = tensors[root]?.operand ?? {}
    return data !== undefined || state !== undefined
  }
  const parent = tensors.map((_, index) => index)
  const rootOf = (index: number): number => {
    let root = index
    while (parent[root] !== root) root = parent[root] as number
    for (let i = index; i !== root; ) {
      const next = parent[i] as number
      parent[i] = root
      i = next
    }
    return root
  }

  // Views point at what they show, so that a chain's root is the tensor that is really computed or given.
  for (const [view, shown] of views) parent[view] = rootOf(shown)

  const touched = tensors.map((): [number, number] => [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
  const touch = (index: number, step: number) => {
    const life = touched[index]
    if (life === undefined) return // an absent operand
    life[0] = Math.min(life[0], step)
    life[1] = Math.max(life[1], step)
  }
  for (const index of inputs) touch(index, -1)
  moments.forEach((step, at) => {
    for (const index of step.inputs) touch(index, at)
    for (const index of step.outputs) touch(index, at)
  })
  for (const index of outputs) touch(index, moments.length)

  const life = touched.map((own): [number, number] => [...own])
  const merge = (into: number, from: number) => {
    const [target, source] = [life[into], life[from]] as [[number, number], [number, number]]
    target[0] = Math.min(target[0], source[0])
    target[1] = Math.max(target[1], source[1])
  }
  for (const index of parent.keys()) if (rootOf(index) !== index) merge(rootOf(index), index)

  moments.forEach(({ inPlace, inputs: operands, outputs: [output] }, at) => {
    if (inPlace === undefined || output === undefined) return
    const from = operands[inPlace] ?? -1
    if (from < 0 || tensors[from]?.bytes !== tensors[output]?.bytes) return
    const root = rootOf(from)
    const target = rootOf(output)
    const dies = life[root]?.[1] === at
    // What a loop carries was there before, and is still needed.
    const begins = life[target]?.[0] === at
    const shared = operands.some((other, i) => i !== inPlace && other >= 0 && rootOf(other) === root)
    if (isFixed(root) || isFixed(target) || !dies || !begins || shared || root === target) return
    parent[target] = root
    merge(root, target)
  })

  const storages: Storage[] = []
  const numbers = new Map<number, number>()
  const storageOf = tensors.map((_, index) => {
    const root = rootOf(index)
    if (isFixed(root)) return -1
    const known = numbers.get(root)
    if (known !== undefined) return known
    const [first, last] = life[root] as [number, number]
    numbers.set(root, storages.length)
    return storages.push({ bytes: tensors[root]?.bytes ?? 0, first, last }) - 1
  })
  const roots = tensors.map((_, index) => rootOf(index))
  return { storages, storageOf, rootOf: roots, touched, moments: moments.length }
}
