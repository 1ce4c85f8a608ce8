// The clock of this core while it is busy, and what an instruction set can do in one of its cycles.

const CHAIN = 16
const LOOPS = 50_000
const TRIES = 200

/** Each addition waits for the one before: one cycle each, whatever else the core could do beside it. */
function dependentAdds(loops: number, step: number): number {
  let x = 1
  for (let i = 0; i < loops; i++) {
    x = (x + step) | 0
    x = (x + step) | 0
    x = (x + step) | 0
    x = (x + step) | 0
    x = (x + step) | 0
    x = (x + step) | 0
    x = (x + step) | 0
    x = (x + step) | 0
    x = (x + step) | 0
    x = (x + step) | 0
    x = (x + step) | 0
    x = (x + step) | 0
    x = (x + step) | 0
    x = (x + step) | 0
    x = (x + step) | 0
    x = (x + step) | 0
  }
  return x
}

/** Cycles a second in units of 10^9, from the fastest of many tries (about 40 ms); the first ones are not compiled yet. */
export function clockGigahertz(): number {
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < TRIES; i++) {
    const started = performance.now()
    dependentAdds(LOOPS, i)
    best = Math.min(best, performance.now() - started)
  }
  return (CHAIN * LOOPS) / best / 1e6
}

/**
 * Most int8 multiply-accumulates a cycle that exact products reach from registers alone, on Zen 5: vpmaddwd with vpaddd on
 * AVX2 (32 without the additions), one vpdpbusd of 32 or 64 bytes in each of two pipes on the others.
 */
const LIMITS: Readonly<Record<string, number>> = { avx2: 28.4, avxvnni: 64, avx512vnni: 128 }

/** Of all threads together; undefined where the instruction set's limit is not known. */
export function macLimit(isa: string, threads: number): number | undefined {
  const limit = LIMITS[isa]
  return limit && limit * threads
}
