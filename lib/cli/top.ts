// The classes with the highest scores.

export interface TopClass {
  readonly index: number
  /** null where no label is known. */
  readonly label: string | null
  readonly score: number
}

/** Rounding of float sums. */
const SLACK = 0.01

/**
 * Whether scores can be those of a softmax. Rounding to codes of size `step` moves each by at most half a step: of many
 * classes most lie below that, so that a flat distribution loses much of its sum.
 */
function isProbability(scores: Float32Array, step: number): boolean {
  let sum = 0
  for (const score of scores) {
    if (!(score >= 0 && score <= 1)) return false
    sum += score
  }
  return Math.abs(sum - 1) <= SLACK + (scores.length * step) / 2
}

/**
 * The `top` highest scores, highest first; of equal ones the lower class first.
 *
 * @param step Size of one code of the output; 0 for float outputs.
 */
export function topClasses(
  scores: Float32Array,
  top: number,
  { labels, step = 0 }: { readonly labels?: readonly string[] | undefined; readonly step?: number } = {},
): { readonly kind: 'probability' | 'score'; readonly top: readonly TopClass[] } {
  const order = Array.from(scores.keys()).sort(
    (a, b) => (scores[b] as number) - (scores[a] as number) || a - b,
  )
  return {
    kind: isProbability(scores, step) ? 'probability' : 'score',
    top: order.slice(0, top).map((index) => ({
      index,
      label: labels?.[index] || null,
      score: scores[index] as number,
    })),
  }
}
