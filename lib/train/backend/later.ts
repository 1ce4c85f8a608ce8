// Steps that wait until somebody asks for their numbers: what nobody asks for is not computed, and what comes next may
// take such a step over.

import { elementCount } from '../../tensor/shape.js'
import type { ArrayPool } from './memory.js'
import { type Attributes, type Dense, runStep } from './steps.js'
import type { Held } from './tfjs.js'

/** A step with one output; `shape` is how it sees that. */
export interface LaterStep {
  readonly kind: string
  readonly attributes: Attributes
  readonly inputs: readonly Dense[]
  readonly shape: readonly number[]
}

export class LaterSteps {
  readonly #pool: ArrayPool
  readonly #waiting = new WeakMap<object, LaterStep>()

  constructor(pool: ArrayPool) {
    this.#pool = pool
  }

  /** The tensor's numbers become those of the step. Its inputs stay as they are until then, or until the tensor goes. */
  put(dataId: object, held: Held, step: LaterStep): void {
    const { kind, attributes, inputs, shape } = step
    for (const { data } of inputs) this.#pool.hold(data)
    this.#waiting.set(dataId, step)
    Object.defineProperty(held, 'values', {
      configurable: true,
      get: () => {
        const data = this.#pool.take(elementCount(shape))
        runStep(kind, attributes, inputs, [{ shape, data }])
        Object.defineProperty(held, 'values', { value: data, writable: true })
        this.drop(dataId)
        return data
      },
    })
  }

  /** The step, where the tensor still waits for it. */
  of(dataId: object): LaterStep | undefined {
    return this.#waiting.get(dataId)
  }

  /** Lets go of the inputs. */
  drop(dataId: object): void {
    for (const { data } of this.#waiting.get(dataId)?.inputs ?? []) this.#pool.release(data)
    this.#waiting.delete(dataId)
  }
}
