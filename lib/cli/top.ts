// The classes with the highest scores.

export interface TopClass {
  readonly index: number
  /** null where no label is known. */
  readonly label: string | null
  readonly score: number
}

/**
 * Outputs of a softmax sum to 1 but for the rounding of 8-bit codes: of many classes most lie below half a step, so
 * that a flat distribution loses much of its sum.
 */
const SUM_SLACK = 0.25

function isProbability(scores: Float32Array): boolean {
  let sum = 0
  for (const score of scores) {
    if (!(score >= 0 && score <= 1)) return false
    sum += score
  }
  return Math.abs(sum - 1) <= SUM_SLACK
}

/** The `top` highest scores, highest first; of equal ones the lower class first. */
export function topClasses(
  scores: Float32Array,
  top: number,
  labels?: readonly string[],
): { readonly kind: 'probability' | 'score'; readonly top: readonly TopClass[] } {
  const order = Array.from(scores.keys()).sort(
    (a, b) => (scores[b] as number) - (scores[a] as number) || a - b,
  )
  return {
    kind: isProbability(scores) ? 'probability' : 'score',
    top: order.slice(0, top).map((index) => ({
      index,
      label: labels?.[index] || null,
      score: scores[index] as number,
    })),
  }
}
