// Where the command line writes: results to stdout, notes to stderr; colours only where a person looks.

import pc from 'picocolors'

/** Each stream has its own colours: one may be a terminal while the other is a pipe. */
export const out = pc.createColors(pc.isColorSupported && process.stdout.isTTY === true)
export const err = pc.createColors(pc.isColorSupported && process.stderr.isTTY === true)

/** Characters a line on stdout may have: the terminal's width; unlimited in files and pipes. */
export function stdoutWidth(): number {
  return process.stdout.isTTY ? Math.max(40, process.stdout.columns) : Number.POSITIVE_INFINITY
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** One JSON object, indented, the whole result of a command with `--json`. */
export function printJson(value: object): void {
  print(JSON.stringify(value, null, 2))
}

export function note(text: string): void {
  process.stderr.write(`${err.dim('note:')} ${text}\n`)
}

export function heading(text: string): string {
  return out.bold(text)
}

/** A reader that went away (`lowbit … | head -1`) ends the command quietly. */
export function endOnBrokenPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      process.exit()
    })
  }
}
