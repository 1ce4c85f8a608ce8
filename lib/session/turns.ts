// The order of the runs of a model with state where runs go through JavaScript: one after the other. Native code orders the
// runs of single programs by itself (native/binding/strand.h); this is for runs of several programs each.

export class Turns {
  #last: Promise<unknown> = Promise.resolve()
  #count = 0

  /** Whether someone has the turn, or waits for it. */
  get isTaken(): boolean {
    return this.#count > 0
  }

  /** Does something when all that came before has ended. */
  take<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    this.#count++
    const turn = this.#last.then(work).finally(() => {
      this.#count--
    })
    this.#last = turn.catch(() => {})
    return turn
  }
}
