// Layers of one output row: fully connected ones of batch 1 and convolutions of one pixel, on every instruction set and
// any number of threads against scalar, and which of them take kernels of their own.

import test from 'ava'
import { createLayerProgram } from '#lib/bare/kernels.js'
import { convLayer, gemmLayer, type Layer } from '#lib/bare/layers.js'
import { loadBinding } from '#lib/native/load.js'
import { randomIntegers } from '#lib/numerics/random.js'

const ISAS = loadBinding()
  .cpu()
  .isas.filter((isa) => isa !== 'scalar')

const codes = (seed: number, count: number, low: number) =>
  Int8Array.from(randomIntegers(seed, count, low, 127))
const outputs = (n: number, k: number) => ({
  bias: Int32Array.from(randomIntegers(3, n, -10_000, 10_000)),
  multiplier: Float64Array.from({ length: n }, (_, i) => (61 + (i % 7)) / (74.3 * 74 * Math.sqrt(k) * 3)),
  outZeroPoint: -7,
})

const connected = (n: number, k: number, low = -127) =>
  gemmLayer('gemm', {
    m: 1,
    n,
    k,
    a: codes(1, k, -128),
    b: codes(2, n * k, low),
    aZeroPoint: 127,
    ...outputs(n, k),
  })

/** One filter over the whole picture, unless it is padded. */
const picture = (n: number, [h, w, c]: readonly [number, number, number], padding: 'same' | 'valid') =>
  convLayer('conv2d', {
    input: codes(1, h * w * c, -128),
    inputShape: [1, h, w, c],
    filter: codes(2, n * h * w * c, -127),
    filterShape: [n, h, w, c],
    stride: [h, w],
    padding,
    inputZeroPoint: -128,
    ...outputs(n, h * w * c),
  })

function run(layer: Layer, isa: string, threads = 1): { kernel: string; out: Int8Array } {
  const out = new Int8Array(layer.outputShape.reduce((a, b) => a * b, 1))
  const program = createLayerProgram(layer, { isa, threads })
  program.run([layer.input], [out])
  const kernel = program.info().kernels[0] ?? ''
  program.dispose()
  return { kernel, out }
}

const LAYERS: Record<string, Layer> = {
  'one of everything': connected(64, 4),
  'odd extents': connected(77, 33),
  'a few channels': connected(5, 1000),
  'a classifier': connected(1001, 640),
  'more than one thread has to do': connected(1100, 2003),
  'weights of -128': connected(70, 50, -128),
  'one pixel': picture(96, [1, 1, 40], 'same'),
  'a whole picture': picture(33, [3, 5, 7], 'valid'),
}

for (const isa of ISAS) {
  for (const [what, layer] of Object.entries(LAYERS)) {
    test(`${isa}: ${what}`, (t) => {
      const expected = run(layer, 'scalar').out
      const { kernel, out } = run(layer, isa)
      if (isa !== 'avx2' || what !== 'weights of -128') t.regex(kernel, /^gemv\./)
      else t.notRegex(kernel, /^gemv\./)
      t.deepEqual(out, expected)
      for (const threads of [2, 3]) t.deepEqual(run(layer, isa, threads).out, expected, `${threads} threads`)
    })
  }
}
