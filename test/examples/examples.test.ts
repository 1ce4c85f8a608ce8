// Each example runs, and says what it should.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { encode } from '#lib/format/tflite/encode.js'
import { ROOT, shell } from '../helpers/cli.js'
import { model } from '../helpers/model-builder.js'

const SAYS: Readonly<Record<string, RegExp>> = {
  'classify.mjs': /^ship \d+\.\d %\n$/,
  'classify.cjs': /^ship \d+\.\d %\n$/,
  'batch.mjs': /^by name: class 8\ntwo: shape 2,10, the first is class 8\ninside: mean of shape 2,96\n$/,
  'custom-op.mjs': /^0 0.25 4 9\n$/,
  'kernels.mjs': /output 1 x 5 x 5 x 1\n(0\t){4}0\n0\t10\t10\t10\t0\n/,
}

for (const name of readdirSync(join(ROOT, 'examples'))) {
  if (!/\.[cm]js$/.test(name)) continue
  test(name, async (t) => {
    const { code, stdout, stderr } = await shell(`node "${join(ROOT, 'examples', name)}"`)
    t.is(stderr, '')
    t.is(code, 0)
    t.regex(stdout, SAYS[name] ?? /^$/)
  })
}

test('custom-op.tflite is what its example says', (t) => {
  const real = { dtype: 'float32', shape: [1, 4], shapeSignature: [-1, 4] } as const
  const file = model(
    [
      {
        tensors: { input: real, positive: real, output: real },
        operators: [
          { type: 'RELU', inputs: ['input'], outputs: ['positive'] },
          { type: 'Power', inputs: ['positive'], outputs: ['output'], customOptions: Uint8Array.of(2) },
        ],
        inputs: ['input'],
        outputs: ['output'],
      },
    ],
    { description: 'RELU, then the custom operator Power' },
  )
  t.deepEqual(new Uint8Array(readFileSync(join(ROOT, 'examples/custom-op.tflite'))), encode(file))
})
