// Real files: the models and the conformance cases beside the project.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import test from 'ava'
import { LowbitError } from '#lib/errors.js'
import { decode } from '#lib/format/tflite/decode.js'
import { encode } from '#lib/format/tflite/encode.js'
import { readMetadata } from '#lib/format/tflite/metadata.js'
import type { ModelFile } from '#lib/model/model.js'
import { filesUnder, passWithoutShared, shared } from '../../helpers/shared.js'

const DEFECTIVE = 'rejected/person_detect_bad_quantised_dimension.tflite'

/** Encodes and decodes again; the answer is the first part that differs, or nothing. */
function difference(model: ModelFile): string | undefined {
  const again = decode(encode(model))
  // Strings of all but the constants, which are compared as bytes: far cheaper than a deep comparison.
  const text = (whole: ModelFile) =>
    JSON.stringify({ ...whole, fileBytes: 0 }, (key, value) =>
      key === 'data' && value instanceof Uint8Array
        ? value.length
        : typeof value === 'bigint'
          ? `${value}`
          : value,
    )
  if (text(again) !== text(model)) return 'structure'
  const constants = (whole: ModelFile) => [
    ...whole.subgraphs.flatMap(({ tensors }) => tensors.map(({ data }) => data)),
    ...whole.metadata.map(({ data }) => data),
  ]
  const twins = constants(again)
  const place = constants(model).findIndex(
    (data, index) => Buffer.compare(data ?? NONE, twins[index] ?? NONE) !== 0,
  )
  return place < 0 ? undefined : `constant ${place}`
}
const NONE = new Uint8Array(0)

for (const folder of [['models'], ['bench', 'models']]) {
  test(`the files of ${folder.join('/')} decode and come back`, (t) => {
    const root = shared(...folder)
    if (root === undefined) return passWithoutShared(t)
    const files = filesUnder(root, '.tflite').filter(({ name }) => name !== DEFECTIVE)
    for (const { name, bytes } of files) t.is(difference(decode(bytes())), undefined, name)
    t.log(`${files.length} files`)
    return t.true(files.length > 0)
  })
}

test('the file with the wrong quantised dimension is refused', (t) => {
  const path = shared('models', DEFECTIVE)
  if (path === undefined) return passWithoutShared(t)
  const error = t.throws(() => decode(new Uint8Array(readFileSync(path))), { instanceOf: LowbitError })
  t.is(error?.code, 'FILE_INVALID')
  return t.is(error?.tensor, 'MobilenetV1/MobilenetV1/Conv2d_0/Conv2D_bias')
})

interface IndexTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: string
  readonly quantisation: {
    readonly scales: number
    readonly scale0: number
    readonly zero_point0: number
  } | null
}
interface IndexEntry {
  readonly path: string
  readonly inputs?: readonly IndexTensor[]
  readonly outputs?: readonly IndexTensor[]
  readonly subgraphs?: number
  readonly ops?: readonly { readonly op: string; readonly version: number; readonly count: number }[]
  readonly metadata?: readonly string[]
}

/** What the index of the models says of a file, as the decoder tells it. */
function describe(model: ModelFile): Omit<IndexEntry, 'path'> {
  const [main] = model.subgraphs
  const describeTensor = (place: number): IndexTensor | undefined => {
    const tensor = main?.tensors[place]
    if (tensor === undefined) return undefined
    const { name, shape, dtype, quantization: q } = tensor
    const quantisation = q
      ? { scales: q.scale.length, scale0: q.scale[0] ?? 0, zero_point0: q.zeroPoint[0] ?? 0 }
      : null
    return { name, shape, dtype, quantisation }
  }
  const counts = new Map<string, { op: string; version: number; count: number }>()
  for (const { code, type, version } of model.subgraphs.flatMap(({ operators }) => operators)) {
    const op = code === 32 ? `CUSTOM:${type}` : type
    const seen = counts.get(`${op} ${version}`)
    counts.set(`${op} ${version}`, { op, version, count: (seen?.count ?? 0) + 1 })
  }
  return {
    inputs: (main?.inputs ?? []).flatMap((place) => describeTensor(place) ?? []),
    outputs: (main?.outputs ?? []).flatMap((place) => describeTensor(place) ?? []),
    subgraphs: model.subgraphs.length,
    ops: [...counts.values()],
    metadata: model.metadata.map(({ name }) => name),
  }
}

const byName = (ops: IndexEntry['ops']) =>
  [...(ops ?? [])].map(({ op, version, count }) => `${op} ${version} ${count}`).sort()

test('names, shapes, types, scales and operators are those of the index', (t) => {
  const path = shared('models', 'INDEX.json')
  if (path === undefined) return passWithoutShared(t)
  const { models } = JSON.parse(readFileSync(path, 'utf8')) as { models: readonly IndexEntry[] }
  const listed = models.filter((entry) => entry.inputs !== undefined && entry.path !== DEFECTIVE)
  for (const entry of listed) {
    const file = shared('models', entry.path)
    if (file === undefined) return t.fail(`${entry.path} is listed but does not exist`)
    const found = describe(decode(new Uint8Array(readFileSync(file))))
    t.deepEqual(found.inputs, entry.inputs, entry.path)
    t.deepEqual(found.outputs, entry.outputs, entry.path)
    t.deepEqual(found.subgraphs, entry.subgraphs, entry.path)
    t.deepEqual(byName(found.ops), byName(entry.ops), entry.path)
    t.deepEqual(found.metadata, entry.metadata, entry.path)
  }
  t.log(`${listed.length} files`)
  return t.true(listed.length > 50)
})

test('labels are as many as the output has entries', (t) => {
  const root = shared('models')
  if (root === undefined) return passWithoutShared(t)
  let labelled = 0
  for (const { name, bytes } of filesUnder(root, '.tflite').filter((file) => file.name !== DEFECTIVE)) {
    const file = bytes()
    const model = decode(file)
    const { labels } = readMetadata(model, file)
    if (labels === undefined) continue
    labelled++
    const [main] = model.subgraphs
    t.is(labels.length, main?.tensors[main.outputs[0] ?? -1]?.shape.at(-1) ?? 0, name)
  }
  return t.is(labelled, 10)
})

test('every conformance case decodes and comes back', (t) => {
  const root = shared('conformance')
  if (root === undefined) return passWithoutShared(t)
  let cases = 0
  for (const { name, bytes } of filesUnder(root, '.jsonl.gz')) {
    const operator = name.slice(0, -'.jsonl.gz'.length)
    for (const line of gunzipSync(bytes()).toString().trim().split('\n')) {
      const item = JSON.parse(line) as { readonly name: string; readonly model: string }
      const model = decode(new Uint8Array(Buffer.from(item.model, 'base64')))
      const types = model.subgraphs.flatMap(({ operators }) => operators.map(({ type }) => type))
      if (!types.includes(operator)) return t.fail(`${item.name}: no ${operator} in it`)
      const wrong = difference(model)
      if (wrong !== undefined) return t.fail(`${item.name}: ${wrong}`)
      cases++
    }
  }
  t.log(`${cases} cases`)
  return t.true(cases > 1000)
})
