// Broken files through the whole public API: an error with a code, or a run; never a crash, never another error.

import test from 'ava'
import { encode } from '#lib/format/tflite/encode.js'
import { ERROR_CODES, LowbitError, loadModel } from '#lib/index.js'
import { arrayOf } from '#lib/tensor/dtype.js'
import { elementCount } from '#lib/tensor/shape.js'
import { choice, countingByHandle, fibonacci, positives } from './helpers/flow-models.js'
import { random } from './helpers/random.js'
import { convFile, mixedFile } from './helpers/small-models.js'

const LIMITS = { memory: 1 << 20, steps: 16 }
const convolutions = convFile({ image: 6, channels: 3, layers: 2 })

/** How it ended: `ran`, or the code of the error. */
async function outcome(bytes: Uint8Array): Promise<string> {
  try {
    const model = await loadModel(bytes, { threads: 1, limits: LIMITS })
    try {
      const inputs = model.inputs.map(({ dtype, shape }) => {
        const Elements = arrayOf(dtype)
        if (Elements === undefined) throw new Error(`an input of ${dtype} was accepted`)
        return new Elements(elementCount(shape))
      })
      model.runSync(inputs)
    } finally {
      model.dispose()
    }
    return 'ran'
  } catch (error) {
    if (error instanceof LowbitError) return error.code
    throw error
  }
}

const GOOD = new Set<string>(['ran', ...ERROR_CODES.filter((code) => code !== 'INTERNAL')])

test('files cut off at any byte are refused', async (t) => {
  for (const file of [convolutions, mixedFile()]) {
    for (let length = 0; length < Math.min(file.length, 4096); length++) {
      const end = await outcome(file.subarray(0, length))
      t.true(end === 'FILE_TRUNCATED' || end === 'FILE_INVALID', `${length} bytes: ${end}`)
    }
  }
})

/** One to three wrong bytes: single bits, any byte, and the ends of ranges. */
function damaged(file: Uint8Array, seed: number): Uint8Array {
  const next = random(seed)
  const bytes = file.slice()
  for (let left = 1 + (next() % 3); left > 0; left--) {
    const at = next() % bytes.length
    const [bit, any, end] = [1 << (next() % 8), next() & 255, [0, 1, 127, 128, 255][next() % 5] as number]
    bytes[at] = [(bytes[at] as number) ^ bit, any, end][next() % 3] as number
  }
  return bytes
}

for (const [title, file, runs] of [
  ['convolutions', convolutions, 10_000],
  ['many operators', mixedFile(), 10_000],
  ['a loop', encode(fibonacci), 4000],
  ['branches', encode(choice), 4000],
  ['shapes that a run decides', encode(positives), 4000],
  ['state in a loop', encode(countingByHandle), 4000],
] as const) {
  test(`files with wrong bytes are refused or run: ${title}`, async (t) => {
    t.is(await outcome(file), 'ran')
    const counts: Record<string, number> = {}
    for (let seed = 0; seed < runs; seed++) {
      const end = await outcome(damaged(file, seed))
      if (!GOOD.has(end)) t.fail(`seed ${seed}: ${end}`)
      counts[end] = (counts[end] ?? 0) + 1
    }
    t.log(counts)
    t.true((counts['ran'] ?? 0) > 100 && (counts['FILE_INVALID'] ?? 0) > 100)
  })
}
