// docs/json.md names every key that the commands print with --json.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { lowbit, ROOT } from '../helpers/cli.js'
import { npy } from '../helpers/npy.js'
import { floatColourSums } from '../helpers/picture-models.js'
import { tree } from '../helpers/tree.js'

/** Objects whose keys are names that the file or the machine gives, or that have a page of their own. */
const FREE = ['environment', 'peers', 'recipe']

function keysOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(keysOf)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [key, ...(FREE.includes(key) ? [] : keysOf(inner))])
}

const text = readFileSync(join(ROOT, 'docs/json.md'), 'utf8')
const codeSpans = [...text.matchAll(/`[^`]+`/g)].flatMap(([code]) => code.match(/\w+/g) ?? [])
const documented = new Set(codeSpans)
const model = join(ROOT, 'assets/cifar10.tflite')

const data = tree({
  'data.mjs': `const train = { inputs: new Uint8Array(600), labels: [0, 1] }
export default { shape: [10, 10, 3], train, test: train }`,
  'float.tflite': floatColourSums(),
  'x.npy': npy(
    Float32Array.from({ length: 24 }, (_, i) => 10 * i),
    [2, 2, 2, 3],
  ),
  'y.npy': npy(Int32Array.of(0, 1), [2], { descr: '<i4' }),
})
const labelled = ['--data', join(data, 'x.npy'), '--labels', join(data, 'y.npy')]

const training = ['train', join(data, 'data.mjs'), '--network', 'digits', '--epochs', '1']

for (const args of [
  ['run'],
  ['inspect', model],
  ['inspect', model, '--strict'],
  ['diff', model, model],
  ['bench', model, '--seconds', '0.01', '--profile'],
  ['doctor'],
  ['quantize', join(data, 'float.tflite'), ...labelled, '-o', join(data, 'out.tflite')],
  ['evaluate', join(data, 'float.tflite'), ...labelled],
  [...training, '--qat', 'int8', '--qat-epochs', '1', '--out', join(data, 'trained.tflite')],
  ['inspect', 'no-such-file'],
]) {
  test(args.join(' ').replaceAll(model, 'model').replaceAll(`${data}/`, ''), async (t) => {
    const { stdout } = await lowbit([...args, '--json'])
    const keys = [...new Set(keysOf(JSON.parse(stdout)))]
    t.true(keys.length > 1)
    t.deepEqual(
      keys.filter((key) => !documented.has(key)),
      [],
    )
  })
}
