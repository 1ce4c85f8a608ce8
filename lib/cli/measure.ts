// Times a function: warm-up, then samples that are batches of at least half a millisecond.

const WARM_UP_MS = 300
const LEAST_BATCH_MS = 0.5

export interface Latency {
  readonly samples: number
  /** Milliseconds a run. */
  readonly latencyMs: {
    readonly min: number
    readonly median: number
    readonly mean: number
    readonly p90: number
    readonly p99: number
  }
}

/** The smallest value that `share` of the sorted values do not exceed. */
const quantile = (sorted: Float64Array, share: number) =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number

/** Figures of times, in any order. */
export function summarize(times: ArrayLike<number>): Latency {
  const sorted = Float64Array.from(times).sort()
  const middle = sorted.length / 2
  const median = ((sorted[Math.ceil(middle) - 1] as number) + (sorted[Math.floor(middle)] as number)) / 2
  return {
    samples: sorted.length,
    latencyMs: {
      min: sorted[0] as number,
      median,
      mean: sorted.reduce((a, b) => a + b, 0) / sorted.length,
      p90: quantile(sorted, 0.9),
      p99: quantile(sorted, 0.99),
    },
  }
}

/**
 * Runs `run` for 0.3 s, then takes samples for `seconds`. A sample is the time of a batch divided by its runs; a batch
 * that took less than 0.5 ms is not counted, and the next ones are longer. There is at least one sample.
 */
export function measure(run: () => void, seconds: number): Latency {
  const warmed = performance.now() + WARM_UP_MS
  let batch = 1
  let now = performance.now()
  do {
    const started = now
    for (let i = 0; i < batch; i++) run()
    now = performance.now()
    if (now - started < LEAST_BATCH_MS) batch = longer(batch, now - started)
  } while (now < warmed)

  const times: number[] = []
  const end = now + 1000 * seconds
  while (now < end || times.length === 0) {
    const started = performance.now()
    for (let i = 0; i < batch; i++) run()
    now = performance.now()
    const took = now - started
    if (took >= LEAST_BATCH_MS) times.push(took / batch)
    else batch = longer(batch, took)
  }
  return summarize(times)
}

/** Runs of the next batch, when `batch` runs took `ms`: enough with a tenth to spare, at most ten times as many. */
function longer(batch: number, ms: number): number {
  return Math.ceil(batch * Math.min(10, (1.1 * LEAST_BATCH_MS) / Math.max(ms, 1e-6)))
}
