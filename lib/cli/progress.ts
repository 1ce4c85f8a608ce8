// Progress on stderr: a bar on a terminal, a line a stage elsewhere.

import ora, { type Ora } from 'ora'

const WIDTH = 24

/** `collecting  ████████░░░░░░░░░░░░░░░░ 33/100`; without a total the count alone. */
export function progressText(title: string, done: number, total: number): string {
  if (total <= 0) return done > 0 ? `${title} ${done}` : title
  const full = Math.min(WIDTH, Math.floor((WIDTH * done) / total))
  return `${title} ${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${done}/${total}`
}

export interface ProgressLine {
  show(title: string, done: number, total: number): void
  /** Takes the bar off the terminal. */
  stop(): void
}

export function progressLine(): ProgressLine {
  if (process.stderr.isTTY !== true) return plainLines()
  let spinner: Ora | undefined
  return {
    show(title, done, total) {
      const text = progressText(title, done, total)
      // Keys stay the terminal's: Ctrl-C must become a signal.
      spinner ??= ora({ text, stream: process.stderr, discardStdin: false }).start()
      spinner.text = text
    },
    stop: () => spinner?.stop(),
  }
}

function plainLines(): ProgressLine {
  let last: string | undefined
  return {
    show(title) {
      if (title !== last) process.stderr.write(`${title}\n`)
      last = title
    },
    stop() {},
  }
}
