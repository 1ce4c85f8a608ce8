// docs/json.md names every key that the commands print with --json.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { lowbit, ROOT } from '../helpers/cli.js'

/** Objects whose keys are names that the file or the machine gives. */
const FREE = ['environment', 'peers']

function keysOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(keysOf)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [key, ...(FREE.includes(key) ? [] : keysOf(inner))])
}

const text = readFileSync(join(ROOT, 'docs/json.md'), 'utf8')
const codeSpans = [...text.matchAll(/`[^`]+`/g)].flatMap(([code]) => code.match(/\w+/g) ?? [])
const documented = new Set(codeSpans)
const model = join(ROOT, 'assets/cifar10.tflite')

for (const args of [
  ['run'],
  ['inspect', model],
  ['inspect', model, '--strict'],
  ['diff', model, model],
  ['bench', model, '--seconds', '0.01', '--profile'],
  ['doctor'],
  ['inspect', 'no-such-file'],
]) {
  test(args.join(' ').replace(model, 'model').replace(model, 'model'), async (t) => {
    const { stdout } = await lowbit([...args, '--json'])
    const keys = [...new Set(keysOf(JSON.parse(stdout)))]
    t.true(keys.length > 1)
    t.deepEqual(
      keys.filter((key) => !documented.has(key)),
      [],
    )
  })
}
