// Finds the folder of models, data and reference outputs that stands beside the project, where there is one.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'

/** Root of the project: this file runs as dist/test/helpers/shared.js. */
export const projectRoot = join(import.meta.dirname, '../../..')

const folder = join(projectRoot, '../shared')

/** Path of ../shared, or of something in it; undefined if it does not exist. */
export function shared(...path: readonly string[]): string | undefined {
  const full = join(folder, ...path)
  return existsSync(full) ? full : undefined
}

/** Passes a test that needs ../shared, and says so. */
export function passWithoutShared(t: ExecutionContext): void {
  t.log('skipped: ../shared does not exist')
  t.pass()
}

/** All files under a folder whose names end so, in a fixed order, with their paths from that folder. */
export function filesUnder(
  root: string,
  suffix: string,
): readonly { name: string; bytes: () => Uint8Array }[] {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' })
  return names
    .filter((name) => name.endsWith(suffix))
    .sort()
    .map((name) => ({ name, bytes: () => new Uint8Array(readFileSync(join(root, name))) }))
}
