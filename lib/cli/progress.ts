// Progress on stderr: a bar on a terminal, a line a stage elsewhere.

import { performance } from 'node:perf_hooks'

const WIDTH = 24
/** Milliseconds between two looks of the bar. */
const PAUSE = 50

/** `collecting  ████████░░░░░░░░░░░░░░░░ 33/100`; without a total the count alone. */
export function progressText(title: string, done: number, total: number): string {
  if (total <= 0) return done > 0 ? `${title} ${done}` : title
  const full = Math.min(WIDTH, Math.floor((WIDTH * done) / total))
  return `${title} ${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${done}/${total}`
}

export interface ProgressLine {
  /** @param more What a terminal shows behind the bar. */
  show(title: string, done: number, total: number, more?: string): void
  /** Takes the bar off the terminal. */
  stop(): void
}

/** What is needed of a stream that may be a terminal. */
export interface Screen {
  readonly isTTY?: boolean
  /** 0 where a terminal does not know its width. */
  readonly columns?: number
  write(text: string): unknown
}

export function progressLine(screen: Screen = process.stderr): ProgressLine {
  return screen.isTTY === true ? bar(screen) : lines(screen)
}

/** One line that is written over and over. */
function bar(screen: Screen): ProgressLine {
  let next = 0
  let isShown = false
  return {
    show(title, done, total, more) {
      const now = performance.now()
      if (now < next && done !== total) return
      next = now + PAUSE
      isShown = true
      // A line that is as wide as the screen would go on in the next one.
      const text = `${progressText(title, done, total)}${more ? ` ${more}` : ''}`.slice(
        0,
        (screen.columns || 80) - 1,
      )
      screen.write(`\r${text}\u001b[K`)
    },
    stop() {
      if (isShown) screen.write('\r\u001b[K')
      isShown = false
    },
  }
}

function lines(screen: Screen): ProgressLine {
  let last: string | undefined
  return {
    show(title) {
      if (title !== last) screen.write(`${title}\n`)
      last = title
    },
    stop() {},
  }
}
