// What an error becomes: one line with its code, and the exit code of the process.

import { LowbitError } from '../errors.js'

/** `interrupted` is what shells give for Ctrl-C. */
export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const

/** Why work ended that Ctrl-C ended. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

export interface Failure {
  readonly code: string
  readonly message: string
  readonly exit: number
}

/** Codes of what is no `LowbitError`: a mistake in the command line itself, and Ctrl-C. */
export const USAGE = 'USAGE'
const INTERRUPTED = 'INTERRUPTED'

const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'is a folder',
  EACCES: 'may not be read',
}

export function failureOf(error: unknown): Failure {
  if (error instanceof LowbitError) {
    return {
      code: error.code,
      message: error.message,
      exit: error.code === 'OPTION_INVALID' ? EXIT.usage : EXIT.failed,
    }
  }
  if (error instanceof Interrupted) {
    return { code: INTERRUPTED, message: error.message, exit: EXIT.interrupted }
  }
  const { code, path, message, stack } = error as NodeJS.ErrnoException
  const known = code === undefined ? undefined : FILE_ERRORS[code]
  if (known !== undefined && path !== undefined) {
    return { code: 'DATA_INVALID', message: `${path}: ${known}`, exit: EXIT.failed }
  }
  return {
    code: 'INTERNAL',
    message: `a fault in lowbit, please report it: ${stack ?? message ?? String(error)}`,
    exit: EXIT.failed,
  }
}
