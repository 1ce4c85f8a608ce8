// Single-operator models against TFLite's reference kernels (../shared/conformance), on the plainest and on the best
// kernels of this machine. Integers must be equal; real numbers within what float32 sums may lose.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import test from 'ava'
import { loadModel } from '#lib/index.js'
import { loadBinding } from '#lib/native/load.js'
import { OPS_BY_TYPE } from '#lib/ops/registry.js'
import { arrayOf, type Dtype, type TypedArray } from '#lib/tensor/dtype.js'
import { filesUnder, passWithoutShared, shared } from './helpers/shared.js'

interface Tensor {
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly data: string
}

interface Case {
  readonly name: string
  readonly model: string
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
}

/** Forms of registered operators that lowbit does not run yet: their cases must be refused with a code, not be wrong. */
const REFUSALS = ['OPERATOR_UNSUPPORTED', 'DTYPE_UNSUPPORTED']

/** Operators all of whose cases must run. */
const COMPLETE = [...OPS_BY_TYPE.keys()].filter((type) => !/CONV_2D|FULLY_CONNECTED/.test(type))

function typed({ dtype, data }: Tensor): TypedArray {
  const ArrayClass = arrayOf(dtype)
  if (ArrayClass === undefined) throw new Error(`no array for ${dtype}`)
  const bytes = new Uint8Array(Buffer.from(data, 'base64'))
  return new ArrayClass(bytes.buffer, 0, bytes.byteLength / new ArrayClass(0).BYTES_PER_ELEMENT)
}

/**
 * The first element that differs. Real results come from sums of few hundred terms near 1, in another order than the
 * reference's, and from exp, log and tanh: a few units in the last place of the largest partial sum, which may be some
 * times the result.
 */
function difference(got: TypedArray, want: TypedArray, dtype: Dtype): string | undefined {
  if (got.length !== want.length) return `${got.length} elements, not ${want.length}`
  const tolerance = 32 * 2 ** -24
  for (let i = 0; i < want.length; i++) {
    const [a, b] = [Number(got[i]), Number(want[i])]
    if (Object.is(a, b) || a === b) continue
    if (dtype === 'float32' && Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b))) continue
    return `element ${i} is ${a}, not ${b}`
  }
  return undefined
}

async function run({ model, inputs, outputs }: Case): Promise<string | undefined> {
  const session = await loadModel(new Uint8Array(Buffer.from(model, 'base64')), { threads: 1 })
  try {
    const results = await session.run(inputs.map(typed) as Parameters<typeof session.run>[0])
    return outputs
      .map((output, i) => difference(results[i]?.data as TypedArray, typed(output), output.dtype))
      .find((found) => found !== undefined)
  } finally {
    session.dispose()
  }
}

const folder = shared('conformance')
if (folder === undefined) {
  test('conformance with the reference kernels', passWithoutShared)
} else {
  const best = loadBinding().cpu().isa
  const files = filesUnder(folder, '.jsonl.gz')
  for (const isa of new Set(['scalar', best])) {
    for (const { name, bytes } of files) {
      const type = name.replace('.jsonl.gz', '')
      if (!OPS_BY_TYPE.has(type)) continue
      // The level comes from the environment, which all tests of a process share.
      test.serial(`${type} on ${isa}`, async (t) => {
        process.env['LOWBIT_ISA'] = isa
        const lines = gunzipSync(bytes()).toString().trim().split('\n')
        for (const line of lines) {
          const one = JSON.parse(line) as Case
          try {
            t.is(await run(one), undefined, one.name)
          } catch (error) {
            const { code = '', message } = error as { code?: string; message: string }
            if (COMPLETE.includes(type) || !REFUSALS.includes(code)) t.fail(`${one.name}: ${message}`)
            else t.log(`refused: ${one.name}`)
          }
        }
        delete process.env['LOWBIT_ISA']
      })
    }
  }
}

test('every conformance file is read where there is one', (t) => {
  if (folder === undefined) {
    passWithoutShared(t)
    return
  }
  const index = JSON.parse(readFileSync(`${folder}/INDEX.json`, 'utf8')) as {
    operators: Record<string, unknown>
  }
  t.deepEqual(
    filesUnder(folder, '.jsonl.gz').map(({ name }) => name.replace('.jsonl.gz', '')),
    Object.keys(index.operators).sort(),
  )
})
