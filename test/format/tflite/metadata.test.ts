// Metadata and label lists, sound, absent and broken.

import test from 'ava'
import { LowbitError } from '#lib/errors.js'
import { decode } from '#lib/format/tflite/decode.js'
import { encode } from '#lib/format/tflite/encode.js'
import { readMetadata } from '#lib/format/tflite/metadata.js'
import { bytes, type Flat, f32s, i8, table, tables, text, write } from '../../helpers/flat.js'
import { oneOperator } from '../../helpers/model-builder.js'
import { random } from '../../helpers/random.js'
import { type ZipFile, zip } from '../../helpers/zip.js'

const F32 = { dtype: 'float32', shape: [1, 3] } as const
const LABELS: ZipFile = { name: 'labels.txt', data: new TextEncoder().encode('cat\r\ndog\n\nÄffchen\n') }
const GERMAN: ZipFile = {
  name: 'labels-de.txt',
  data: new TextEncoder().encode('Katze\nHund'),
  deflate: true,
}

interface Parts {
  readonly mean?: Flat
  readonly std?: Flat
  readonly files?: readonly Flat[]
  readonly root?: Readonly<Record<number, Flat | undefined>>
}

const file = (name: string, type: number, locale?: string) =>
  table({ 0: text(name), 2: i8(type), 3: locale === undefined ? undefined : text(locale) })

/** ModelMetadata with one subgraph of one input and one output. */
function description({
  mean = f32s(127.5),
  std = f32s(127.5),
  files = [file('labels.txt', 2)],
  root,
}: Parts): Uint8Array {
  const normalization = table({ 0: i8(1), 1: table({ 0: mean, 1: std }) })
  const threshold = table({ 0: i8(3), 1: table({}) })
  const input = table({ 0: text('image'), 4: tables(threshold, normalization) })
  const output = table({ 0: text('scores'), 6: tables(...files) })
  const subgraph = table({ 2: tables(input), 3: tables(output) })
  return write(
    table({
      0: text('Pets'),
      1: text('Tells pets.'),
      2: text('v2'),
      3: tables(subgraph),
      4: text('Us'),
      5: text('CC0'),
      ...root,
    }),
    'M001',
  )
}

function withMetadata(
  data: Uint8Array,
  archive: (base: number) => Uint8Array = () => new Uint8Array(0),
): Uint8Array {
  const model = encode({
    ...oneOperator({ type: 'RELU', inputs: [F32], outputs: [F32] }),
    metadata: [{ name: 'TFLITE_METADATA', data }],
  })
  return new Uint8Array(Buffer.concat([model, archive(model.length)]))
}

const read = (whole: Uint8Array) => readMetadata(decode(whole), whole)
const EVERYTHING = {
  labels: ['cat', 'dog', '', 'Äffchen'],
  normalization: { mean: [127.5], std: [127.5] },
  name: 'Pets',
  description: 'Tells pets.',
  version: 'v2',
  author: 'Us',
  license: 'CC0',
}

test('everything is read; offsets of the archive may count from the file or from the archive', (t) => {
  t.deepEqual(read(withMetadata(description({}), (base) => zip([LABELS], base))), EVERYTHING)
  t.deepEqual(read(withMetadata(description({}), () => zip([GERMAN, LABELS]))), EVERYTHING)
})

test('deflated labels are unpacked', (t) => {
  const archive = () => zip([{ ...LABELS, deflate: true }])
  t.deepEqual(read(withMetadata(description({}), archive)).labels, EVERYTHING.labels)
})

test('labels without a locale come first, whatever their kind', (t) => {
  const archive = () => zip([LABELS, GERMAN])
  const labels = (...files: Flat[]) => read(withMetadata(description({ files }), archive)).labels
  t.deepEqual(labels(file('labels-de.txt', 2, 'de'), file('labels.txt', 2)), EVERYTHING.labels)
  t.deepEqual(labels(file('labels-de.txt', 3, 'de'), file('readme.txt', 1)), ['Katze', 'Hund'])
  t.deepEqual(labels(file('labels.txt', 3, '')), EVERYTHING.labels)
  t.is(labels(file('labels.txt', 4)), undefined)
  t.is(labels(), undefined)
})

test('what is absent stays absent', (t) => {
  const bare = encode(oneOperator({ type: 'RELU', inputs: [F32], outputs: [F32] }))
  t.deepEqual(read(bare), {})
  t.deepEqual(read(withMetadata(new Uint8Array(0))), {})
  t.deepEqual(read(withMetadata(write(table({}), 'M001'))), {})
  const { labels: _, ...rest } = EVERYTHING
  t.deepEqual(read(withMetadata(description({}))), rest)
})

test('a mean or std for each channel is kept', (t) => {
  const parts = { mean: f32s(1, 2, 3), std: f32s(4), files: [] }
  t.deepEqual(read(withMetadata(description(parts))).normalization, { mean: [1, 2, 3], std: [4] })
})

const patched = (file: Uint8Array, at: (view: DataView) => number, value: number): Uint8Array => {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  view.setUint16(at(view), value, true)
  return file
}
const archived = (at: number, value: number) => (): Uint8Array =>
  patched(zip([LABELS]), (view) => (at < 0 ? view.byteLength + at : at), value)
/** Of the only entry of the directory: it and the end record are the last 22 + 46 + 10 bytes. */
const ENTRY = -22 - 46 - 10

const BROKEN: readonly (readonly [string, Uint8Array])[] = [
  ['another identifier', withMetadata(write(table({}), 'M002'))],
  ['cut', withMetadata(description({}).slice(0, 60))],
  ['a text that is not UTF-8', withMetadata(description({ root: { 0: bytes(0xff) } }))],
  ['means that do not fit the stds', withMetadata(description({ mean: f32s(1, 2), std: f32s(1, 2, 3) }))],
  ['no mean', withMetadata(description({ mean: f32s() }))],
  ['a std of 0', withMetadata(description({ std: f32s(0) }))],
  ['a mean of NaN', withMetadata(description({ mean: f32s(Number.NaN) }))],
  ['an archive without the file', withMetadata(description({}), () => zip([GERMAN]))],
  [
    'labels that are not UTF-8',
    withMetadata(description({}), () => zip([{ ...LABELS, data: Uint8Array.of(0xff) }])),
  ],
  ['an unknown packing', withMetadata(description({}), archived(ENTRY + 10, 12))],
  ['an encrypted file', withMetadata(description({}), archived(ENTRY + 8, 1))],
  ['a wrong checksum', withMetadata(description({}), archived(ENTRY + 16, 1))],
  ['a wrong size', withMetadata(description({}), archived(ENTRY + 24, 5))],
  ['a huge size', withMetadata(description({}), archived(ENTRY + 26, 0xffff))],
  ['a packed size beyond', withMetadata(description({}), archived(ENTRY + 22, 1))],
  ['a directory that is none', withMetadata(description({}), archived(ENTRY, 0))],
  ['a name that runs beyond', withMetadata(description({}), archived(ENTRY + 28, 100))],
  [
    'more entries than there are',
    withMetadata(description({ files: [file('other', 2)] }), archived(-22 + 10, 2)),
  ],
  ['a directory before the file', withMetadata(description({}), archived(-22 + 14, 0x4000))],
  ['a local header elsewhere', withMetadata(description({}), archived(ENTRY + 42, 3))],
  ['a stream that is no deflate', withMetadata(description({}), archived(ENTRY + 10, 8))],
  [
    'a file that unpacks to more than 4 MiB',
    withMetadata(description({}), () => zip([{ ...LABELS, data: new Uint8Array(5 << 20), deflate: true }])),
  ],
]
const isBroken = test.macro<[string, Uint8Array]>({
  exec(t, _, whole) {
    const error = t.throws(() => read(whole), { instanceOf: LowbitError })
    t.is(error?.code, 'FILE_INVALID')
    t.true(error?.message.includes('metadata'), error?.message)
  },
  title: (_, title) => `broken metadata: ${title}`,
})
for (const [title, whole] of BROKEN) test(isBroken, title, whole)

test('a small file cannot unpack to much', (t) => {
  const bomb = zip([{ ...LABELS, data: new Uint8Array(64 << 20), deflate: true }])
  // The size that the directory announces says nothing: the stream itself is stopped.
  const view = new DataView(bomb.buffer)
  view.setUint32(bomb.length + ENTRY + 24, 10, true)
  const start = performance.now()
  const error = t.throws(() => read(withMetadata(description({}), () => bomb)), { instanceOf: LowbitError })
  t.is(error?.code, 'FILE_INVALID')
  t.true(performance.now() - start < 1000)
})

test('10000 random damages of metadata and archive, seed 3', (t) => {
  const next = random(3)
  const sound = description({})
  const base = zip([GERMAN, { ...LABELS, deflate: true }])
  let broken = 0
  for (let round = 0; round < 10_000; round++) {
    const [data, archive] = [sound.slice(), base.slice()]
    const victim = round % 2 === 0 ? data : archive
    for (let i = next() % 3; i >= 0; i--) victim[next() % victim.length] = next() & 0xff
    const model = { ...decode(PLAIN), metadata: [{ name: 'TFLITE_METADATA', data }] }
    try {
      readMetadata(model, archive)
    } catch (error) {
      if (!(error instanceof LowbitError) || error.code !== 'FILE_INVALID') {
        return t.fail(`round ${round}: ${error}`)
      }
      broken++
    }
  }
  return t.true(broken > 1000 && broken < 10_000, `${broken} broken`)
})
const PLAIN = encode(oneOperator({ type: 'RELU', inputs: [F32], outputs: [F32] }))
