// The loss of a batch, its gradient and the right answers, in one pass over the outputs.

export interface LossSettings {
  /** Whether outputs are probabilities already, or logits, of which the softmax is still to be taken. */
  readonly areProbabilities: boolean
  readonly labelSmoothing: number
}

export interface BatchLoss {
  /** Sum over the batch of the cross entropies. */
  readonly loss: number
  readonly right: number
  /** Of the mean loss, by the outputs. */
  readonly gradient: Float32Array
}

/** Probabilities are not taken for less, as Keras does; the logarithm of 0 has no gradient. */
const LEAST = 1e-7

/** @param outputs A row for each label. */
export function crossEntropy(
  outputs: Float32Array,
  labels: ArrayLike<number>,
  { areProbabilities, labelSmoothing }: LossSettings,
): BatchLoss {
  const count = labels.length
  const classes = outputs.length / count
  const gradient = new Float32Array(outputs.length)
  const other = labelSmoothing / classes
  let [loss, right] = [0, 0]
  for (let row = 0; row < count; row++) {
    const values = outputs.subarray(row * classes, (row + 1) * classes)
    const label = labels[row] as number
    const highest = largest(values)
    if (highest === label) right++
    const shift = areProbabilities ? 0 : logOfSum(values, values[highest] as number)
    for (let c = 0; c < classes; c++) {
      const target = other + (c === label ? 1 - labelSmoothing : 0)
      const value = values[c] as number
      const at = row * classes + c
      if (areProbabilities) {
        loss -= target === 0 ? 0 : target * Math.log(Math.max(value, LEAST))
        gradient[at] = value < LEAST ? 0 : -target / value / count
      } else {
        loss -= target === 0 ? 0 : target * (value - shift)
        gradient[at] = (Math.exp(value - shift) - target) / count
      }
    }
  }
  return { loss, right, gradient }
}

function largest(values: Float32Array): number {
  let at = 0
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[at] as number)) at = i
  return at
}

function logOfSum(values: Float32Array, highest: number): number {
  let sum = 0
  for (const value of values) sum += Math.exp(value - highest)
  return highest + Math.log(sum)
}
