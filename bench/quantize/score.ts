// How good the outputs of a file are: against the labels, and against those of the float model.

export interface Score {
  readonly samples: number
  /** Of the samples, where there are labels: the highest output is that of the label; of equal ones the first counts. */
  readonly right?: number
  /** 10 log10 of the sums of squares, signal over error, over all samples; null without any error. */
  readonly sqnrDb: number | null
  readonly signal: number
  readonly noise: number
}

export function score(
  float: Float32Array,
  outputs: Float32Array,
  samples: number,
  labels?: Uint8Array,
): Score {
  if (float.length !== outputs.length) {
    throw new Error(`${outputs.length} outputs, the float model has ${float.length}`)
  }
  let [signal, noise] = [0, 0]
  for (let i = 0; i < float.length; i++) {
    const real = float[i] as number
    signal += real ** 2
    noise += (real - (outputs[i] as number)) ** 2
  }
  const base = { samples, ...withDecibels(signal, noise) }
  return labels === undefined ? base : { ...base, right: rightOf(outputs, labels) }
}

/** Several entries as one row. */
export function sum(scores: readonly Score[]): Score {
  const total = (pick: (score: Score) => number) => scores.reduce((all, one) => all + pick(one), 0)
  const base = {
    samples: total((s) => s.samples),
    ...withDecibels(
      total((s) => s.signal),
      total((s) => s.noise),
    ),
  }
  return scores.every((s) => s.right !== undefined)
    ? { ...base, right: total((s) => s.right as number) }
    : base
}

function withDecibels(signal: number, noise: number) {
  return { signal, noise, sqnrDb: noise > 0 ? 10 * Math.log10(signal / noise) : null }
}

function rightOf(outputs: Float32Array, labels: Uint8Array): number {
  const classes = outputs.length / labels.length
  let right = 0
  labels.forEach((label, i) => {
    const row = outputs.subarray(i * classes, (i + 1) * classes)
    if (row.indexOf(Math.max(...row)) === label) right++
  })
  return right
}
