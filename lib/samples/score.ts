// How many answers of a classifier are right.

/** The right answer's place among the scores, 0 for the highest; of equal scores the lower class comes first. */
function rankOf(scores: ArrayLike<number>, answer: number): number {
  const own = scores[answer] as number
  let rank = 0
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] as number
    // Written so that NaN never ranks as right.
    if (i !== answer && !(score < own) && !(score === own && i > answer)) rank++
  }
  return rank
}

function best(scores: ArrayLike<number>): number {
  let at = 0
  for (let i = 1; i < scores.length; i++) if ((scores[i] as number) > (scores[at] as number)) at = i
  return at
}

/** Counts right answers over samples. */
export class Score {
  samples = 0
  readonly #classes: number
  #first = 0
  #five = 0
  /** How often class `given` came where `right` was right, by right * classes + given. */
  readonly #counts = new Map<number, number>()

  constructor(classes: number) {
    this.#classes = classes
  }

  add(scores: ArrayLike<number>, answer: number): void {
    const rank = rankOf(scores, answer)
    this.samples++
    if (rank === 0) this.#first++
    if (rank < 5) this.#five++
    const key = answer * this.#classes + best(scores)
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  /** Share of samples whose right answer has the highest score; NaN before there are any. */
  get top1(): number {
    return this.#first / this.samples
  }

  /** Share of samples whose right answer is among the five highest. */
  get top5(): number {
    return this.#five / this.samples
  }

  /** [right][given]: how often. */
  confusion(): number[][] {
    const numbers = Array.from({ length: this.#classes }, (_, i) => i)
    return numbers.map((right) =>
      numbers.map((given) => this.#counts.get(right * this.#classes + given) ?? 0),
    )
  }
}
