// Whether files run in LiteRT and give there what they give in lowbit.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadModel, type Tensor, type TensorInfo } from '#lib/index.js'
import { quantizeAffine } from '#lib/numerics/affine.js'
import { arrayOf, type TypedArray } from '#lib/tensor/dtype.js'
import { output } from '../peers/command.js'
import { type Entry, root, sampleSet } from './entries.js'

/** Enough for differences to show; the reference kernels are slow. */
const SAMPLES = 8

const KERNELS = ['reference', 'default'] as const

/** By kernels: `same`, the greatest difference (codes, or of the largest magnitude for floats), or why it does not run. */
export type Check = Record<
  (typeof KERNELS)[number],
  { readonly difference?: number; readonly error?: string }
> & {
  readonly dtype: string
}

const LIMITS: Record<string, readonly [number, number]> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
}

/** What a port of integers takes for real values. */
function elementsFor({ dtype, quantization }: TensorInfo, values: Float32Array): TypedArray {
  const limits = LIMITS[dtype]
  const Elements = arrayOf(dtype)
  if (limits === undefined || quantization === undefined || Elements === undefined) return values
  const codes = new Elements(values.length) as Int8Array
  const [scale = 1] = quantization.scale
  quantizeAffine(
    values,
    { scale, zeroPoint: quantization.zeroPoint[0] ?? 0, low: limits[0], high: limits[1] },
    codes,
  )
  return codes
}

/** Inputs as bytes, and lowbit's outputs. */
async function ours(work: string, entry: Entry, file: string) {
  const set = sampleSet(work, entry, 'check')
  const model = await loadModel(file, { threads: 1 })
  try {
    const inputs: Uint8Array[] = []
    const outputs: TypedArray[] = []
    let dtype = ''
    for (let i = 0; i < Math.min(SAMPLES, set.count); i++) {
      const elements = elementsFor(model.inputs[0] as TensorInfo, set.at(i))
      const first = model.runSync([elements])[0] as Tensor
      dtype = first.dtype
      inputs.push(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength))
      outputs.push(first.data)
    }
    return { bytes: Buffer.concat(inputs), count: inputs.length, outputs, dtype }
  } finally {
    model.dispose()
  }
}

function differenceOf(outputs: readonly TypedArray[], file: string): number {
  const bytes = new Uint8Array(readFileSync(file)).buffer
  const first = outputs[0] as TypedArray
  const theirs = new (first.constructor as new (buffer: ArrayBuffer) => TypedArray)(bytes)
  let [worst, largest] = [0, 0]
  outputs.forEach((one, i) => {
    one.forEach((value: number | bigint, at: number) => {
      const other = Number(theirs[i * one.length + at])
      worst = Math.max(worst, Math.abs(Number(value) - other))
      largest = Math.max(largest, Math.abs(other))
    })
  })
  return first instanceof Float32Array ? worst / largest : worst
}

/** Compares each file on the first samples of its entry. */
export async function checkInLitert(
  python: string,
  work: string,
  files: readonly { readonly entry: Entry; readonly file: string }[],
): Promise<readonly Check[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'lowbit-quantize-'))
  try {
    const runs = []
    for (const { entry, file } of files) runs.push(await ours(work, entry, file))
    const jobs = runs.map(({ bytes, count }, i) => {
      const inputs = join(scratch, `${i}.inputs`)
      writeFileSync(inputs, bytes)
      return { model: files[i]?.file, inputs, count, prefix: join(scratch, `${i}`) }
    })
    const list = join(scratch, 'jobs.json')
    writeFileSync(list, JSON.stringify(jobs))
    const said = await output([python, join(root, 'bench/quantize/litert.py'), list])
    const answers = said
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    return runs.map(({ outputs, dtype }, i) => {
      const check = (kernels: (typeof KERNELS)[number]) => {
        const { error } = answers[i][kernels]
        return error === undefined
          ? { difference: differenceOf(outputs, join(scratch, `${i}.${kernels}`)) }
          : { error }
      }
      return { dtype, reference: check('reference'), default: check('default') }
    })
  } finally {
    rmSync(scratch, { recursive: true })
  }
}
