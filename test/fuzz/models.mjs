// Models to begin with: our own, and where ../shared stands beside the checkout its single-operator cases and its
// small real models. Needs the built tests (npm run build:test).
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { encode } from '../../dist/esm/format/tflite/encode.js'
import { FLOW_MODELS } from '../../dist/test/helpers/flow-models.js'
import { oneOperatorFile } from '../../dist/test/helpers/model-builder.js'
import { convFile, identityFile, mixedFile } from '../../dist/test/helpers/small-models.js'
import { TABLES } from '../../dist/test/ops/tables/all.js'

const shared = join(import.meta.dirname, '../../../shared')

const codes = (shape, more = {}) => ({ dtype: 'int8', shape, scale: 0.1, zeroPoint: 3, ...more })
const real = (shape) => ({ dtype: 'float32', shape })
const ints = (values, shape = [values.length]) => ({ dtype: 'int32', shape, data: values })
const weights = (shape, more = {}) => {
  const count = shape.reduce((product, extent) => product * extent, 1)
  return codes(shape, {
    data: Array.from({ length: count }, (_, i) => ((i * 37) % 15) - 7),
    scale: 0.02,
    zeroPoint: 0,
    ...more,
  })
}
const constant = (shape) => ({ ...real(shape), data: new Array(shape[0]).fill(0.5) })
const window = { padding: 0, strideH: 1, strideW: 1 }
const wide = (shape) => ({ dtype: 'int16', shape, scale: 0.001, zeroPoint: 0 })

// One row an operator: type, inputs, outputs, options.
const OPERATORS = [
  ['ARG_MAX', [codes([2, 7]), ints([1])], [{ dtype: 'int32', shape: [2] }], {}],
  ['ADD', [codes([2, 3, 4]), codes([3, 1])], [codes([2, 3, 4])], {}],
  ['MUL', [real([2, 3]), real([3])], [real([2, 3])], {}],
  ['MAXIMUM', [wide([5]), wide([5])], [wide([5])], {}],
  ['CAST', [real([9])], [{ dtype: 'int32', shape: [9] }], { inDataType: 0, outDataType: 2 }],
  ['CONCATENATION', [codes([2, 3]), codes([2, 1])], [codes([2, 4])], { axis: 1 }],
  ['CONV_2D', [real([1, 5, 5, 2]), weights([3, 3, 3, 2]), null], [real([1, 5, 5, 3])], window],
  ['CONV_2D', [wide([1, 5, 5, 2]), weights([3, 3, 3, 2]), null], [wide([1, 5, 5, 3])], window],
  ['DEQUANTIZE', [codes([3, 4])], [real([3, 4])], {}],
  ['QUANTIZE', [real([3, 4])], [codes([3, 4])], {}],
  ['QUANTIZE', [codes([3, 4])], [{ ...codes([3, 4], { zeroPoint: 9 }), dtype: 'uint8' }], {}],
  ['FULLY_CONNECTED', [codes([2, 9]), weights([5, 9], { dtype: 'int4' }), null], [codes([2, 5])], {}],
  ['FULLY_CONNECTED', [wide([2, 9]), weights([5, 9]), null], [wide([2, 5])], {}],
  ['FULLY_CONNECTED', [real([2, 9]), weights([5, 9]), null], [real([2, 5])], {}],
  ['GATHER', [codes([4, 3]), { dtype: 'int32', shape: [2, 2] }], [codes([2, 2, 3])], { axis: 0 }],
  ['LOGISTIC', [wide([6])], [{ ...wide([6]), scale: 1 / 32768 }], {}],
  ['TANH', [real([6])], [real([6])], {}],
  ['PAD', [real([2, 3]), ints([1, 0, 0, 2], [2, 2])], [real([3, 5])], {}],
  [
    'MAX_POOL_2D',
    [codes([1, 5, 5, 3])],
    [codes([1, 3, 3, 3])],
    { ...window, padding: 1, filterHeight: 3, filterWidth: 3 },
  ],
  ['SUM', [codes([2, 3, 4]), ints([0, 2])], [codes([3])], { keepDims: false }],
  ['RESIZE_BILINEAR', [codes([1, 3, 3, 2]), ints([5, 4])], [codes([1, 5, 4, 2])], {}],
  ['RESIZE_NEAREST_NEIGHBOR', [real([1, 3, 3, 2]), ints([5, 4])], [real([1, 5, 4, 2])], {}],
  ['SOFTMAX', [wide([2, 5])], [{ ...wide([2, 5]), scale: 1 / 32768 }], { beta: 1 }],
  ['LOG_SOFTMAX', [codes([2, 5])], [codes([2, 5], { scale: 1 / 16, zeroPoint: 127 })], {}],
  ['TRANSPOSE', [codes([2, 3, 4]), ints([2, 0, 1])], [codes([4, 2, 3])], {}],
  [
    'RNN',
    [real([2, 3]), weights([4, 3]), weights([4, 4]), constant([4]), { ...real([2, 4]), isVariable: true }],
    [real([2, 4])],
    { fusedActivationFunction: 4 },
  ],
  ['STRIDED_SLICE', [real([5, 5]), ints([1, 4]), ints([4, 0]), ints([2, -1])], [real([2, 4])], {}],
]

function own() {
  const files = [
    { name: 'conv', bytes: convFile({ image: 6, channels: 3, layers: 2 }) },
    { name: 'conv9', bytes: convFile({ image: 5, channels: 9, layers: 1, filter: 2 }) },
    { name: 'identity', bytes: identityFile(8) },
    { name: 'identity-uint8', bytes: identityFile(5, { dtype: 'uint8' }) },
    { name: 'mixed', bytes: mixedFile() },
  ]
  for (const [i, [type, inputs, outputs, options]] of OPERATORS.entries()) {
    files.push({ name: `own-${i}-${type}`, bytes: oneOperatorFile({ type, inputs, outputs, options }) })
  }
  // The first and the last case of each test table.
  for (const [type, cases] of Object.entries(TABLES)) {
    for (const at of [0, -1])
      files.push({ name: `own-${type}-${at}`, bytes: oneOperatorFile(cases.at(at).spec) })
  }
  for (const [name, model] of Object.entries(FLOW_MODELS)) {
    files.push({ name: `own-flow-${name}`, bytes: encode(model) })
  }
  return files
}

function conformance() {
  const folder = join(shared, 'conformance')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl.gz'))
    .sort()
    .flatMap((name) =>
      gunzipSync(readFileSync(join(folder, name)))
        .toString()
        .trim()
        .split('\n')
        .map((line, i) => ({
          name: `${name.split('.')[0]}-${i}`,
          bytes: new Uint8Array(Buffer.from(JSON.parse(line).model, 'base64')),
        })),
    )
}

function realModels(mostBytes) {
  const folder = join(shared, 'models')
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.tflite'))
    .sort()
    .filter((name) => statSync(join(folder, name)).size <= mostBytes)
    .map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(folder, name))) }))
}

/** All models of at most so many bytes, in a fixed order: `{ name, bytes }`. */
export function models(mostBytes) {
  return [...own(), ...conformance(), ...realModels(mostBytes)].filter(
    ({ bytes }) => bytes.length <= mostBytes,
  )
}
