// FULLY_CONNECTED with int4 weights in blocks, against the sum that the format defines.

import test from 'ava'
import { encode } from '#lib/format/tflite/encode.js'
import { loadModel } from '#lib/index.js'
import { model, type TensorSpec } from '../helpers/model-builder.js'

const [ROWS, CHANNELS, DEPTH, BLOCK] = [2, 3, 64, 32] as const
const codes = Array.from({ length: CHANNELS * DEPTH }, (_, i) => ((i * 7) % 16) - 8)
/** binary16, used as they are; the first four have more bits than the bfloat16 that XNNPACK rounds them to. */
const HALVES = [0x3801, 0x34ab, 0x3c07, 0xc003, 0x0001, 0x0000]
const SCALES = [1025 / 2048, (1024 + 0xab) / 4096, 1031 / 1024, -1027 / 512, 2 ** -24, 0]

function file(change: Record<string, TensorSpec> = {}, blockSize: number = BLOCK): Uint8Array {
  const tensors: Record<string, TensorSpec> = {
    scales: { dtype: 'float16', shape: [CHANNELS, 2], data: HALVES },
    x: { dtype: 'float32', shape: [ROWS, DEPTH] },
    w: {
      dtype: 'int4',
      shape: [CHANNELS, DEPTH],
      data: codes,
      blockwise: { scales: 0, zeroPoints: -1, blockSize },
    },
    b: { dtype: 'float32', shape: [CHANNELS], data: [1, 2, 3] },
    y: { dtype: 'float32', shape: [ROWS, CHANNELS] },
    ...change,
  }
  const operator = { type: 'FULLY_CONNECTED', inputs: ['x', 'w', 'b'], outputs: ['y'] }
  return encode(model([{ tensors, operators: [operator], inputs: ['x'], outputs: ['y'] }]))
}

test('the sum of scaled blocks', async (t) => {
  const loaded = await loadModel(file())
  // Multiples of 1/4 from -32 to 31.75 are quantised without loss.
  const x = Float32Array.from({ length: ROWS * DEPTH }, (_, i) =>
    i % DEPTH === 0 ? -32 : i % DEPTH === 1 ? 31.75 : ((i * 13) % 200) / 4 - 20,
  )
  const [y] = await loaded.run([x])
  for (let row = 0; row < ROWS; row++) {
    for (let channel = 0; channel < CHANNELS; channel++) {
      let wanted = channel + 1
      for (let k = 0; k < DEPTH; k++) {
        const scale = SCALES[channel * 2 + Math.floor(k / BLOCK)] as number
        wanted += (x[row * DEPTH + k] as number) * (codes[channel * DEPTH + k] as number) * scale
      }
      const actual = y?.data[row * CHANNELS + channel] as number
      t.true(Math.abs(actual - wanted) <= 1e-5 * Math.max(1, Math.abs(wanted)), `${actual} is not ${wanted}`)
    }
  }
  loaded.dispose()
})

const refused: readonly (readonly [string, Uint8Array, string])[] = [
  ['blocks that do not fill a row', file({}, 48), 'SHAPE_MISMATCH'],
  [
    'too few scales',
    file({ scales: { dtype: 'float16', shape: [5], data: HALVES.slice(1) } }),
    'SHAPE_MISMATCH',
  ],
  ['scales that are computed', file({ scales: { dtype: 'float16', shape: [6] } }), 'OPERATOR_UNSUPPORTED'],
]
for (const [title, bytes, code] of refused) {
  test(`refused: ${title}`, async (t) => {
    await t.throwsAsync(() => loadModel(bytes), { code })
  })
}
