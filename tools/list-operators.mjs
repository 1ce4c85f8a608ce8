// Rewrites the table of docs/operators.md: for every operator of the registry the types in which single-operator cases
// of ../shared/conformance equal the reference, and those of its test table (test/ops/tables).
// Needs a build (npm run build:test): node tools/list-operators.mjs
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { decode } from '../dist/esm/format/tflite/decode.js'
import { OPS_BY_TYPE } from '../dist/esm/ops/registry.js'
import { loadModel } from '../dist/esm/session/load.js'
import { arrayOf } from '../dist/esm/tensor/dtype.js'
import { oneOperatorFile } from '../dist/test/helpers/model-builder.js'
import { TABLES } from '../dist/test/ops/tables/all.js'

const root = join(import.meta.dirname, '..')
const cases = join(root, '../shared/conformance')
const document = join(root, 'docs/operators.md')
const ORDER = [
  'bool',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'float16',
  'bfloat16',
  'float32',
  'float64',
  'complex64',
]
/** Second operands with a type of their own. */
const WEIGHTED = ['CONV_2D', 'DEPTHWISE_CONV_2D', 'FULLY_CONNECTED', 'BATCH_MATMUL']
/** Operators whose first operand is not what they compute with. */
const DATA_OPERAND = { SPLIT: 1, TRANSPOSE_CONV: 2 }

const typed = ({ dtype, data }) => {
  const bytes = new Uint8Array(Buffer.from(data, 'base64'))
  const Elements = arrayOf(dtype)
  return new Elements(bytes.buffer, 0, bytes.byteLength / Elements.BYTES_PER_ELEMENT)
}
const close = (dtype) => (a, b) =>
  Object.is(a, b) ||
  a === b ||
  (dtype.startsWith('float') && Math.abs(a - b) <= 1e-4 * Math.max(1, Math.abs(b)))

function typesOf(bytes, type) {
  const { tensors, operators } = decode(bytes).subgraphs[0]
  const { inputs, outputs } = operators.at(-1)
  const dtype = (index) => tensors[index]?.dtype
  const from = dtype(inputs[DATA_OPERAND[type] ?? 0])
  const weights = dtype(inputs[1])
  const to = dtype(outputs[0])
  const left = WEIGHTED.includes(type) && weights !== from ? `${from} x ${weights}` : from
  return from === to || type.startsWith('ARG_') ? left : `${left} -> ${to}`
}

async function equals(bytes, { inputs, outputs }) {
  try {
    const model = await loadModel(bytes, { threads: 1 })
    const results = await model.run(inputs.map(typed))
    model.dispose()
    return outputs.every((wanted, i) => {
      const right = typed(wanted)
      const same = close(wanted.dtype)
      return (
        right.length === results[i].data.length && right.every((value, j) => same(results[i].data[j], value))
      )
    })
  } catch {
    return false
  }
}

const rank = (types) => ORDER.indexOf(types.split(' ')[0])
const rows = []
for (const type of [...OPS_BY_TYPE.keys()].sort()) {
  const file = `${type}.jsonl.gz`
  const lines = readdirSync(cases).includes(file)
    ? gunzipSync(readFileSync(join(cases, file)))
        .toString()
        .trim()
        .split('\n')
    : []
  const good = new Set()
  for (const line of lines) {
    const single = JSON.parse(line)
    const bytes = new Uint8Array(Buffer.from(single.model, 'base64'))
    if (await equals(bytes, single)) good.add(typesOf(bytes, type))
  }
  for (const { spec } of TABLES[type] ?? []) good.add(typesOf(oneOperatorFile(spec), type))
  rows.push([type, [...good].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b)).join(', ')])
}
const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column].length), 8))
const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`
const table = [line(['operator', 'types']), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)]
const text = readFileSync(document, 'utf8')
writeFileSync(document, text.replace(/^\| operator[\s\S]*?(?=\n\n)/m, table.join('\n')))
