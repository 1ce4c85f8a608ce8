// Times of the steps of a script, for a profile.

import type { FlatOperator } from '../graph/expand.js'
import type { Value } from '../graph/graph.js'
import type { Part, StepInfo } from './stages.js'

/** Stands for the kernel of what JavaScript runs. */
export const JAVASCRIPT = 'javascript'

/** A step of a profile. */
export interface TimedStep extends StepInfo {
  readonly kernel: string
  readonly medianUs: number
}

type Native = Part & { readonly kind: 'native' }

/** Takes times for a profile. */
export class Clock {
  readonly #times: TimedStep[]
  readonly #runs: number

  constructor(times: TimedStep[], runs: number) {
    this.#times = times
    this.#runs = runs
  }

  /** Medians of the steps of a native part. */
  times({ program }: Native, inputs: readonly Uint8Array[]): Promise<Float64Array> {
    return program.profile(inputs, this.#runs)
  }

  native({ program, steps }: Native, medians: ArrayLike<number>): void {
    const { kernels } = program.info()
    for (const [i, step] of steps.entries()) {
      this.#times.push({ ...step, kernel: kernels[i] ?? '', medianUs: medians[i] ?? 0 })
    }
  }

  custom({ node, values }: Part & { readonly kind: 'custom' }, call: () => void): void {
    const samples = Array.from({ length: this.#runs }, () => {
      const began = performance.now()
      call()
      return (performance.now() - began) * 1000
    })
    const medianUs = samples.sort((a, b) => a - b)[this.#runs >> 1] ?? 0
    const name = values[node.outputs[0] ?? -1]?.name ?? ''
    this.#times.push({ op: node.op, name, macs: 0, kernel: JAVASCRIPT, medianUs })
  }

  flow({ record, outputs }: FlatOperator, values: readonly Value[], milliseconds: number): void {
    const name = values[outputs[0] ?? -1]?.name ?? ''
    const op = record.type.toLowerCase()
    this.#times.push({ op, name, macs: 0, kernel: JAVASCRIPT, medianUs: milliseconds * 1000 })
  }
}
