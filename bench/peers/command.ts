// Other programs: run one, and say what went wrong with it.

import { execFile } from 'node:child_process'
import { basename } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Standard output. @throws {Error} with the last lines of standard error where the program fails. */
export async function output(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const [program = '', ...args] = command
  try {
    const options = { env: { ...process.env, ...env }, maxBuffer: 2 ** 26 }
    return (await execute(program, args, options)).stdout
  } catch (error) {
    const {
      stderr = '',
      signal,
      code,
    } = error as Error & { stderr?: string; signal?: string; code?: unknown }
    const said = stderr.trim().split('\n').slice(-2).join(' ')
    const end = signal ? `ended by ${signal}` : `ended with ${code}`
    throw new Error(`${basename(program)} ${basename(args[0] ?? '')} ${end}${said && `: ${said}`}`)
  }
}

/** Whether the command can be run and ends well. */
export async function works(command: readonly string[]): Promise<boolean> {
  return output(command).then(
    () => true,
    () => false,
  )
}
