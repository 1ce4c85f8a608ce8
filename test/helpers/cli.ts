// Runs the command line as a user does: in a process of its own.

import { spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
export const MAIN = join(ROOT, 'dist/esm/cli/main.js')

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function ended(
  command: string,
  args: readonly string[],
  environment: Record<string, string>,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: '1', ...environment }
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (part) => {
      stdout += part
    })
    child.stderr.on('data', (part) => {
      stderr += part
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

export function lowbit(args: readonly string[], environment: Record<string, string> = {}): Promise<Ended> {
  return ended(process.execPath, [MAIN, ...args], environment)
}

/** A line of a POSIX shell; `$LOWBIT` stands for the command. */
export function shell(line: string): Promise<Ended> {
  return ended('sh', ['-c', line.replaceAll('$LOWBIT', `"${process.execPath}" "${MAIN}"`)], {})
}

/** Writes files into a new folder; returns a function that gives their paths. */
export function folderOf(files: Readonly<Record<string, Uint8Array | string>>): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'lowbit-test-'))
  for (const [name, data] of Object.entries(files)) writeFileSync(join(folder, name), data)
  return (name) => join(folder, name)
}
