// Whether training leaves memory behind.

/** What a process held after so many steps. */
export interface Mark {
  readonly steps: number
  readonly rssBytes: number
  readonly tensors: number
  readonly tensorBytes: number
}

/** Steps in which programs are made, code is compiled and arrays come into use. */
export const SETTLING_STEPS = 200

/**
 * What the resident set may grow by after these, whatever the number of steps: once, where V8 compiles its functions anew, it
 * grows by up to 15 MB. A step of the CIFAR network makes more than 10 MB of tensors; an epoch that kept a thousandth of them
 * would not pass two looks.
 */
export const MOST_GROWTH = 24 * 2 ** 20

/** Steps after which to look: once settled, then after each epoch. */
export const marksOf = (epochs: number, steps: number) =>
  Array.from({ length: epochs + 1 }, (_, i) => SETTLING_STEPS + i * steps)

/** What is not flat, in words. */
export function growth(marks: readonly Mark[]): string | undefined {
  const first = marks[0]
  for (const { steps, rssBytes, tensors, tensorBytes } of marks) {
    if (first === undefined) break
    const from = `from step ${first.steps} to ${steps}`
    if (tensors !== first.tensors) return `${first.tensors} tensors became ${tensors} ${from}`
    if (tensorBytes !== first.tensorBytes)
      return `${first.tensorBytes} bytes of tensors became ${tensorBytes} ${from}`
    const grown = rssBytes - first.rssBytes
    if (grown > MOST_GROWTH)
      return `the resident set grew by ${grown} bytes ${from}, at most ${MOST_GROWTH} expected`
  }
  return first === undefined ? 'nothing was measured' : undefined
}
