// Every level of this machine computes the same bits. Logs `ISA <name> ran`, which CI counts: a level that is skipped
// in silence is the dearest bug.

import test from 'ava'
import type { LayerCase } from '#bench/cases/layers.js'
import { benchLayer, checkedPlaces } from '#bench/layers.js'
import { cpu, createLayerProgram } from '#lib/bare/kernels.js'
import type { Layer } from '#lib/bare/layers.js'
import { loadBinding } from '#lib/native/load.js'

/** Shapes around the tiles of kernels: full ones, ragged ends, odd channels. */
const SMALL: readonly LayerCase[] = [
  ...[1, 5, 16, 37].flatMap((n): LayerCase[] =>
    [1, 7, 13].map((m) => ({ kind: 'gemm', name: `${m}x${n}`, m, n, k: 3 * n + m })),
  ),
  ...[1, 3, 8, 17, 48].flatMap((c): LayerCase[] =>
    [1, 2, 3].flatMap((stride): LayerCase[] => [
      { kind: 'conv', name: `1x1 ${c} s${stride}`, input: [9, 7, c], filter: 1, stride, channels: c + 3 },
      { kind: 'conv', name: `3x3 ${c} s${stride}`, input: [9, 7, c], filter: 3, stride, channels: 2 * c },
      { kind: 'depthwise', name: `${c} s${stride}`, input: [9, 7, c], filter: 3, stride, channels: c },
      { kind: 'depthwise', name: `5x5 ${c} s${stride}`, input: [9, 7, c], filter: 5, stride, channels: c },
    ]),
  ),
  // Enough work to be split over threads; odd numbers of rows in a part.
  ...[3, 5].flatMap((filter) =>
    [1, 2].map(
      (stride): LayerCase => ({
        kind: 'depthwise',
        name: `${filter}x${filter} s${stride} 41x37x200`,
        input: [41, 37, 200],
        filter,
        stride,
        channels: 200,
      }),
    ),
  ),
]

function outputOf(layer: Layer, isa: string, threads: number): Int8Array {
  const out = new Int8Array(layer.outputShape.reduce((a, b) => a * b, 1))
  const program = createLayerProgram(layer, { isa, threads })
  program.run([layer.input], [out])
  program.dispose()
  return out
}

for (const isa of loadBinding().cpu().isas) {
  test(`${isa} equals the reference and scalar, on any number of threads`, (t) => {
    for (const row of SMALL) {
      const { layer, expected } = benchLayer(row)
      const out = outputOf(layer, isa, 1)
      const title = `${isa} ${row.kind} ${row.name}`
      for (const place of checkedPlaces(layer, 1e4)) t.is(out[place], expected(place), `${title} at ${place}`)
      t.deepEqual(out, outputOf(layer, 'scalar', 1), title)
      t.deepEqual(outputOf(layer, isa, 3), out, `${title}, 3 threads`)
    }
    t.log(`ISA ${isa} ran`)
  })
}

test('LOWBIT_ISA caps what cpu() tells', (t) => {
  const before = process.env['LOWBIT_ISA']
  process.env['LOWBIT_ISA'] = 'scalar'
  try {
    t.is(cpu().isa, 'scalar')
  } finally {
    if (before === undefined) delete process.env['LOWBIT_ISA']
    else process.env['LOWBIT_ISA'] = before
  }
})
