// Writes the table of docs/operators.md: every operator of the registry with the data types that the conformance cases
// in ../shared confirm. Run after a build: node tools/operators-table.mjs
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { decode } from '../dist/esm/format/tflite/decode.js'
import { loadModel } from '../dist/esm/index.js'
import { OPS_BY_TYPE } from '../dist/esm/ops/registry.js'

const root = join(import.meta.dirname, '..')
const cases = join(root, '../shared/conformance')
const WITH_WEIGHTS = /CONV|FULLY_CONNECTED|BATCH_MATMUL/

/** `int8 x int4`, `float32 -> int8`, … of a one-operator file. */
function typesOf(bytes) {
  const { tensors, operators } = decode(bytes).subgraphs[0]
  const { type, inputs, outputs } = operators[0]
  const dtype = (index) => tensors[index].dtype
  // Transposed convolution: output shape, weights, input.
  const [input, weights] = type === 'TRANSPOSE_CONV' ? [inputs[2], inputs[1]] : inputs
  const index =
    ['SPLIT', 'GATHER_ND', 'EMBEDDING_LOOKUP'].includes(type) && type !== 'GATHER_ND' ? inputs[1] : input
  const from = WITH_WEIGHTS.test(type) ? `${dtype(input)} x ${dtype(weights)}` : dtype(index)
  const to = dtype(outputs[0])
  return from.startsWith(to) || to === 'bool' ? from : `${from} -> ${to}`
}

/** Types of the cases that run. */
async function confirmed(type) {
  const types = new Set()
  const file = `${type}.jsonl.gz`
  if (!readdirSync(cases).includes(file)) return types
  for (const line of gunzipSync(readFileSync(join(cases, file)))
    .toString()
    .trim()
    .split('\n')) {
    const bytes = new Uint8Array(Buffer.from(JSON.parse(line).model, 'base64'))
    try {
      const model = await loadModel(bytes)
      model.dispose()
      types.add(typesOf(bytes))
    } catch (error) {
      if (!['OPERATOR_UNSUPPORTED', 'DTYPE_UNSUPPORTED'].includes(error.code)) throw error
    }
  }
  return types
}

const rows = []
for (const type of [...OPS_BY_TYPE.keys()].sort()) {
  rows.push([type, [...(await confirmed(type))].sort().join(', ') || 'see the models in the tests'])
}
const width = (column) => Math.max(...rows.map((row) => row[column].length))
const line = (cells) => `| ${cells.map((cell, i) => cell.padEnd(Math.max(3, width(i)))).join(' | ')} |`
const table = [
  line(['operator', 'types']),
  `| ${'-'.repeat(width(0))} | ${'-'.repeat(width(1))} |`,
  ...rows.map(line),
]
const page = join(root, 'docs/operators.md')
const text = readFileSync(page, 'utf8')
writeFileSync(page, text.replace(/^\| operator[\s\S]*?\n\n/m, `${table.join('\n')}\n\n`))
