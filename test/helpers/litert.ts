// Runs models in LiteRT's reference kernels, where its Python package can be imported: the second witness of what is
// written. LOWBIT_PYTHON names the interpreter, default python3.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { arrayOf, type Dtype, type TypedArray } from '#lib/tensor/dtype.js'

const SCRIPT = `
import base64, json, sys
import numpy
from ai_edge_litert.interpreter import Interpreter, OpResolverType
jobs = json.load(sys.stdin)
results = []
for job in jobs:
    interpreter = Interpreter(model_path=job['path'], experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    runs = []
    for inputs in job['runs']:
        for detail, data in zip(interpreter.get_input_details(), inputs):
            array = numpy.frombuffer(base64.b64decode(data), dtype=detail['dtype'])
            interpreter.set_tensor(detail['index'], array.reshape(detail['shape']))
        interpreter.invoke()
        outputs = [interpreter.get_tensor(detail['index']) for detail in interpreter.get_output_details()]
        runs.append([base64.b64encode(output.tobytes()).decode() for output in outputs])
    results.append(runs)
json.dump(results, sys.stdout)
`
const python = process.env['LOWBIT_PYTHON'] ?? 'python3'

/** Why LiteRT cannot be asked; undefined if it can. */
export const litertMissing: string | undefined = (() => {
  const probe = spawnSync(python, ['-c', 'import ai_edge_litert.interpreter'], { encoding: 'utf8' })
  if (probe.status === 0) return undefined
  const why = probe.error?.message ?? probe.stderr.trim().split('\n').at(-1)
  return `${python} cannot import ai_edge_litert (${why}); LOWBIT_PYTHON names another`
})()

export interface LitertJob {
  readonly file: Uint8Array
  /** Arrays for the inputs of each run. */
  readonly runs: readonly (readonly TypedArray[])[]
  readonly outputs: readonly Dtype[]
}

/** Outputs of each run of each job. Throws with what LiteRT says. */
export function runLitert(jobs: readonly LitertJob[]): readonly (readonly (readonly TypedArray[])[])[] {
  const folder = mkdtempSync(join(tmpdir(), 'lowbit-'))
  try {
    const input = jobs.map(({ file, runs }, i) => {
      const path = join(folder, `${i}.tflite`)
      writeFileSync(path, file)
      return { path, runs: runs.map((arrays) => arrays.map(text)) }
    })
    const { status, signal, stdout, stderr } = spawnSync(python, ['-c', SCRIPT], {
      input: JSON.stringify(input),
      encoding: 'utf8',
      maxBuffer: 2 ** 30,
    })
    if (status !== 0) throw new Error(`LiteRT ended with ${signal ?? status}: ${stderr.slice(-2000)}`)
    const results = JSON.parse(stdout) as string[][][]
    return results.map((runs, i) =>
      runs.map((outputs) => outputs.map((data, k) => array(data, jobs[i]?.outputs[k] as Dtype))),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function text(values: TypedArray): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64')
}

function array(data: string, dtype: Dtype): TypedArray {
  const bytes = new Uint8Array(Buffer.from(data, 'base64'))
  const Elements = arrayOf(dtype)
  if (Elements === undefined) throw new Error(`${dtype} has no arrays`)
  return new Elements(bytes.buffer)
}
