// One broken file through the public API: loaded with small limits and run on this thread and another. Good ends are a run and a LowbitError
// with a code that is about files or data, both within the time that a case may take.
// node test/fuzz/file-case.mjs FILE   reproduces a finding.
import { readFileSync } from 'node:fs'
import { LowbitError, loadModel } from '../../dist/esm/index.js'
import { prepare } from '../../dist/esm/session/load.js'
import { arrayOf } from '../../dist/esm/tensor/dtype.js'
import { elementCount } from '../../dist/esm/tensor/shape.js'

const LIMITS = { memory: 1 << 20, steps: 64 }
/** Any other code says that lowbit's own stages disagree: the planner asks for what native code refuses, say. */
const FILE_CODES = [
  ...['FILE_INVALID', 'FILE_TRUNCATED', 'OPERATOR_UNSUPPORTED', 'DTYPE_UNSUPPORTED', 'SHAPE_MISMATCH'],
  ...['LIMIT_EXCEEDED', 'NOT_FINITE', 'DATA_INVALID'],
]
const MOST_SECONDS = 2
/** What a sound model may compute in that time, plain kernels and sanitizers considered. */
const MOST_MACS = 1e8

/** Lowest and highest code of an input. */
const CODES = {
  ...{ bool: [0, 1], int2: [-2, 1], int4: [-8, 7], int8: [-128, 127], uint8: [0, 255] },
  int16: [-32768, 32767],
}

function inputs(model, next) {
  return model.inputs.map(({ dtype, shape }) => {
    const Elements = arrayOf(dtype)
    const values = new Elements(elementCount(shape))
    const [low, high] = CODES[dtype] ?? [-16, 16]
    for (let i = 0; i < values.length; i++) {
      const value = low + (next() % (high - low + 1))
      values[i] =
        values instanceof BigInt64Array ? BigInt(value) : values instanceof Float32Array ? value / 3 : value
    }
    return values
  })
}

/** How it ended: `ran`, the error's code, or a text that begins with `!` for what must not happen. */
async function end(bytes, next) {
  let model
  try {
    model = await loadModel(bytes, { threads: 1, limits: LIMITS })
    const given = inputs(model, next)
    for (const output of [...model.runSync(given), ...(await model.run(given))]) output.toFloat32()
    return 'ran'
  } catch (error) {
    if (!(error instanceof LowbitError)) return `!${error?.stack ?? error}`
    return FILE_CODES.includes(error.code) ? error.code : `!${error.code} ${error.stack}`
  } finally {
    model?.dispose()
  }
}

const isLarge = (bytes) => {
  try {
    return prepare(bytes, LIMITS).plan.steps.reduce((sum, { step }) => sum + (step.macs ?? 0), 0) > MOST_MACS
  } catch {
    return false
  }
}

/** As `end`; a case that takes too long without having so much to compute is a finding as well. */
export async function outcome(bytes, next) {
  const start = process.cpuUsage()
  const how = await end(bytes, next)
  const { user, system } = process.cpuUsage(start)
  const seconds = (user + system) / 1e6
  return seconds > MOST_SECONDS && !how.startsWith('!') && !isLarge(bytes)
    ? `!it took ${seconds.toFixed(1)} s (${how})`
    : how
}

if (process.argv[1] === import.meta.filename) {
  const how = await outcome(new Uint8Array(readFileSync(process.argv[2])), () => 1)
  process.stdout.write(`${how}\n`)
  if (how.startsWith('!')) process.exitCode = 1
}
