// Whole real models against the outputs of TFLite's reference kernels, on every level of this machine: integers bit
// for bit; reals within 1e-4 of the largest, or within what the reference's own implementations differ by.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import test from 'ava'
import { loadModel } from '#lib/index.js'
import { loadBinding } from '#lib/native/load.js'
import { prepare } from '#lib/session/load.js'
import { arrayOf, type Dtype, type TypedArray } from '#lib/tensor/dtype.js'
import { shared } from './helpers/shared.js'

interface Golden {
  readonly dtype: Dtype
  readonly file: string
  /** A large output is kept as every stride-th element. */
  readonly stride?: number
}
interface Difference {
  readonly max_abs?: number
}
interface Meta {
  /** Path under models/, without its ending. */
  readonly model: string
  /** Says so where the reference kernels are wrong and another runtime's output is to be used. */
  readonly warning?: string
  readonly cases: readonly {
    readonly name: string
    readonly inputs: readonly Golden[]
    readonly ref: readonly Golden[]
    readonly xnnpack: readonly (Golden | string)[]
    /** Models with state: so many runs, the first dimension of inputs and outputs. */
    readonly steps: number
    readonly ref_minus_xnnpack?: readonly (Difference | null)[]
    readonly ref_minus_optimised?: readonly (Difference | null)[]
  }[]
}

const root = shared('goldens')
const UNLIMITED = { memory: 2 ** 40, steps: 2 ** 20 }
/** Models that could be run when this was written: fewer is a loss. */
const LEAST = 26
const fileOf = ({ model }: Meta) => shared('models', `${model}.tflite`)

/** Models that this build runs: others are named in a log. */
const models: readonly (readonly [folder: string, meta: Meta])[] =
  root === undefined
    ? []
    : readdirSync(root)
        .filter((name) => existsSync(join(root, name, 'meta.json')))
        .sort()
        .map((name) => join(root, name))
        .map((folder) => [folder, JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8'))] as const)
        .filter(([, meta]) => isRunnable(meta))

function isRunnable(meta: Meta): boolean {
  const path = fileOf(meta)
  try {
    return path !== undefined && prepare(new Uint8Array(readFileSync(path)), UNLIMITED).plan.steps.length > 0
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === 'OPERATOR_UNSUPPORTED' || code === 'DTYPE_UNSUPPORTED') return false
    throw error
  }
}

function read(folder: string, { dtype, file }: Golden): TypedArray {
  const raw = readFileSync(join(folder, file))
  const Elements = arrayOf(dtype)
  if (Elements === undefined) throw new Error(`no array for ${dtype}`)
  return new Elements(new Uint8Array(file.endsWith('.gz') ? gunzipSync(raw) : raw).buffer)
}

function expectedOf(meta: Meta, { ref, xnnpack }: Meta['cases'][number]): readonly Golden[] {
  const other =
    /use the xnnpack output/.test(meta.warning ?? '') && xnnpack.every((g) => typeof g !== 'string')
  return other ? (xnnpack as readonly Golden[]) : ref
}

/** Every stride-th element. */
function sampled(data: TypedArray, stride: number): TypedArray {
  return stride === 1 ? data : (data as Float32Array).filter((_, at) => at % stride === 0)
}

/** How far a real output may lie off; 0 for integers. */
function toleranceOf(golden: Meta['cases'][number], output: number, expected: TypedArray): number {
  if (!(expected instanceof Float32Array)) return 0
  const largest = expected.reduce((top, x) => Math.max(top, Math.abs(x)), 0)
  const among = [golden.ref_minus_xnnpack, golden.ref_minus_optimised].map((d) => d?.[output]?.max_abs ?? 0)
  return Math.max(1e-4 * largest, ...among)
}

/** How many elements differ by more than the tolerance, or are missing. */
function unequal(actual: TypedArray, expected: TypedArray, tolerance: number): number {
  let count = Math.abs(actual.length - expected.length)
  for (let i = 0; i < Math.min(actual.length, expected.length); i++) {
    if (!(Math.abs(Number(actual[i]) - Number(expected[i])) <= tolerance)) count++
  }
  return count
}

test('there are models to compare', (t) => {
  if (root === undefined) t.log('skipped: ../shared does not exist')
  else t.log(`${models.length} models: ${models.map(([, { model }]) => model).join(', ')}`)
  t.true(root === undefined || models.length >= LEAST)
})

for (const isa of models.length === 0 ? [] : loadBinding().cpu().isas) {
  for (const threads of [1, 2]) {
    test.serial(`equal to the reference: ${isa}, threads ${threads}`, async (t) => {
      process.env['LOWBIT_ISA'] = isa
      for (const [folder, meta] of models) {
        const model = await loadModel(fileOf(meta) ?? '', { threads })
        for (const golden of meta.cases) {
          const steps = golden.steps
          model.resetState()
          const part = (data: TypedArray, step: number) => {
            const each = data.length / steps
            return data.subarray(step * each, (step + 1) * each)
          }
          const inputs = golden.inputs.map((input) => read(folder, input))
          const wanted = expectedOf(meta, golden)
          for (let step = 0; step < steps; step++) {
            const results = await model.run(inputs.map((input) => part(input, step)))
            for (const [i, output] of wanted.entries()) {
              const expected = part(read(folder, output), step)
              const all = results[i]?.data ?? new Int8Array(0)
              const actual = sampled(all as TypedArray, output.stride ?? 1)
              t.is(
                unequal(actual, expected, toleranceOf(golden, i, expected)),
                0,
                `${meta.model} ${golden.name} output ${i}`,
              )
            }
          }
        }
        model.dispose()
      }
    })
  }
}
