// Stages: stretches of a model that are planned for the shapes that a run has come to. Those that were used last are kept,
// so that the next run with such shapes plans nothing.

import type { Cursor, Stop } from '../graph/build.js'
import type { Graph, Node, Value } from '../graph/graph.js'
import type { NativeProgram } from '../native/binding.js'

/** One native program, or the call of one custom operator. */
export type Part =
  | {
      readonly kind: 'native'
      readonly graph: Graph
      readonly program: NativeProgram
      readonly steps: readonly StepInfo[]
    }
  | { readonly kind: 'custom'; readonly node: Node; readonly values: readonly Value[] }

/** One native step, or one call of a custom operator. */
export interface StepInfo {
  readonly op: string
  readonly name: string
  readonly macs: number
}

export interface Stage {
  /** No other stage of the process has it. */
  readonly id: number
  readonly parts: readonly Part[]
  /** Where the stage ends; its values have all shapes that are known by then. */
  readonly end: Cursor
  /** What decides how it goes on; undefined for the last stage. */
  readonly stop?: Stop
  /** Bytes that a run of the stage takes. */
  readonly bytes: number
}

const MOST_STAGES = 256
const MOST_BYTES = 2 ** 28

interface Entry {
  readonly stage: Stage
  /** Runs that are at it. */
  users: number
  isKept: boolean
}

export class StageCache {
  /** The latest used last. */
  readonly #entries = new Map<string, Entry>()
  #bytes = 0
  #isClosed = false

  /** The stage, made where there is none; it lives at least until `leave`. */
  enter(key: string, make: () => Stage): { readonly stage: Stage; leave(): void } {
    const entry = this.#entries.get(key) ?? this.#add(make())
    entry.users++
    if (!this.#isClosed) {
      // Again at the end: the first of the map is the one that was used least lately.
      this.#entries.delete(key)
      this.#entries.set(key, entry)
      this.#shrink()
    }
    return {
      stage: entry.stage,
      leave: () => {
        entry.users--
        disposeUnused(entry)
      },
    }
  }

  /** Forgets all stages; runs that are at one may end. */
  clear(): void {
    for (const key of [...this.#entries.keys()]) this.#drop(key)
  }

  /** Keeps nothing from here on. */
  close(): void {
    this.#isClosed = true
    this.clear()
  }

  #add(stage: Stage): Entry {
    if (!this.#isClosed) this.#bytes += stage.bytes
    return { stage, users: 0, isKept: !this.#isClosed }
  }

  #shrink(): void {
    for (const key of this.#entries.keys()) {
      const isMuch = this.#entries.size > MOST_STAGES || this.#bytes > MOST_BYTES
      if (!isMuch || this.#entries.size <= 1) return
      this.#drop(key)
    }
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#bytes -= entry.stage.bytes
    entry.isKept = false
    disposeUnused(entry)
  }
}

function disposeUnused({ stage, users, isKept }: Entry): void {
  if (users === 0 && !isKept) disposeStage(stage)
}

export function disposeStage({ parts }: Pick<Stage, 'parts'>): void {
  for (const part of parts) if (part.kind === 'native') part.program.dispose()
}
