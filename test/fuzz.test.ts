// Broken files through the whole public API: an error with a code, or a run; never a crash, never another error.

import test from 'ava'
import { ERROR_CODES, LowbitError, loadModel } from '#lib/index.js'
import { arrayOf } from '#lib/tensor/dtype.js'
import { elementCount } from '#lib/tensor/shape.js'
import { random } from './helpers/random.js'
import { convFile } from './helpers/small-models.js'

const LIMITS = { memory: 1 << 20, steps: 16 }
const file = convFile({ image: 6, channels: 3, layers: 2 })

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
  for (let length = 0; length < Math.min(file.length, 4096); length++) {
    const end = await outcome(file.subarray(0, length))
    t.true(end === 'FILE_TRUNCATED' || end === 'FILE_INVALID', `${length} bytes: ${end}`)
  }
})

test('files with wrong bytes are refused or run', async (t) => {
  const counts: Record<string, number> = {}
  for (let seed = 0; seed < 10_000; seed++) {
    const next = random(seed)
    const bytes = file.slice()
    // One to three bytes: single bits, single bytes, and the ends of number ranges.
    for (let left = 1 + (next() % 3); left > 0; left--) {
      const at = next() % bytes.length
      const kind = next() % 3
      bytes[at] =
        kind === 0
          ? (bytes[at] as number) ^ (1 << (next() % 8))
          : kind === 1
            ? next() & 255
            : (([0, 1, 127, 128, 255] as const)[next() % 5] as number)
    }
    const end = await outcome(bytes)
    if (!GOOD.has(end)) t.fail(`seed ${seed}: ${end}`)
    counts[end] = (counts[end] ?? 0) + 1
  }
  t.log(counts)
  t.true((counts['ran'] ?? 0) > 100 && (counts['FILE_INVALID'] ?? 0) > 100)
})
