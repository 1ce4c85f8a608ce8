// Whole real models against the outputs of TFLite's reference kernels, bit for bit, on every level of this machine.

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
  }[]
}

const root = shared('goldens')
const UNLIMITED = { memory: 2 ** 40, steps: 2 ** 20 }
/** Models that could be run when this was written: fewer is a loss. */
const LEAST = 18
const fileOf = ({ model }: Meta) => shared('models', `${model}.tflite`)

/** Classifiers of pictures that this build runs: others are named in a log. */
const models: readonly (readonly [folder: string, meta: Meta])[] =
  root === undefined
    ? []
    : readdirSync(root)
        .filter((name) => name.startsWith('image__') && existsSync(join(root, name, 'meta.json')))
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
          const results = await model.run(golden.inputs.map((input) => read(folder, input)))
          for (const [i, wanted] of expectedOf(meta, golden).entries()) {
            const expected = read(folder, wanted)
            const all = results[i]?.data ?? new Int8Array(0)
            const stride = wanted.stride ?? 1
            const actual = stride === 1 ? all : all.filter((_: unknown, at: number) => at % stride === 0)
            t.deepEqual(actual, expected, `${meta.model} ${golden.name} output ${i}`)
          }
        }
        model.dispose()
      }
    })
  }
}
