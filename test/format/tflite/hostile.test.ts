// Files that were cut, damaged at random, or made to waste time and memory: always an error with a code for files, or a
// model that holds together; never another error, never slow.

import test from 'ava'
import { type ErrorCode, LowbitError } from '#lib/errors.js'
import { decode } from '#lib/format/tflite/decode.js'
import { encode } from '#lib/format/tflite/encode.js'
import { MODEL, OPERATOR, SIGNATURE, SUBGRAPH, TENSOR, TENSOR_MAP } from '#lib/format/tflite/schema.js'
import type { ModelFile } from '#lib/model/model.js'
import { i32, i32s, table, tables, text } from '../../helpers/flat.js'
import { random } from '../../helpers/random.js'
import { errorOf } from './defect.js'
import { type Changes, RICH_FILE, rawFile, rawParts } from './sample.js'

const FILE_CODES: readonly ErrorCode[] = ['FILE_INVALID', 'FILE_TRUNCATED', 'NOT_FINITE', 'DTYPE_UNSUPPORTED']

test('every cut of the first 4096 bytes is truncated', (t) => {
  t.true(RICH_FILE.length > 4096)
  for (let length = 0; length < 4096; length++) {
    const error = errorOf(RICH_FILE.slice(0, length))
    if (!(error instanceof LowbitError)) return t.fail(`cut at ${length}: accepted`)
    if (error.code !== 'FILE_TRUNCATED') return t.fail(`cut at ${length}: ${error.code} ${error.message}`)
  }
  return t.pass()
})

/** A model that came through may have lost only what the encoder says it cannot write. */
function rewrite(model: ModelFile): void {
  try {
    decode(encode(model))
  } catch (error) {
    const known =
      error instanceof LowbitError && ['DTYPE_UNSUPPORTED', 'OPERATOR_UNSUPPORTED'].includes(error.code)
    if (!known) throw error
  }
}

const flips = test.macro<[name: string, file: Uint8Array, seed: number]>({
  exec(t, _, file, seed) {
    const next = random(seed)
    const codes = new Map<string, number>()
    const start = performance.now()
    for (let round = 0; round < 5000; round++) {
      const damaged = file.slice()
      // Half of the rounds in the first bytes, where the tables lie.
      const reach = round % 2 === 0 ? Math.min(file.length, 1500) : file.length
      for (let i = next() % 4; i >= 0; i--) damaged[next() % reach] = next() & 0xff
      try {
        const result = errorOf(damaged)
        const code = result instanceof LowbitError ? result.code : 'accepted'
        if (!(result instanceof LowbitError)) rewrite(result)
        else if (!FILE_CODES.includes(result.code)) throw result
        codes.set(code, (codes.get(code) ?? 0) + 1)
      } catch (error) {
        return t.fail(`seed ${seed}, round ${round}: ${error instanceof Error ? error.stack : error}`)
      }
    }
    t.log(Object.fromEntries(codes))
    t.true((codes.get('FILE_INVALID') ?? 0) > 100, 'the flips hit nothing')
    t.true((codes.get('FILE_TRUNCATED') ?? 0) > 100, 'the flips hit nothing')
    t.true(performance.now() - start < 60_000, 'slow')
  },
  title: (_, name, __, seed) => `5000 random damages of ${name}, seed ${seed}`,
})
test(flips, 'a model of one operator', rawFile(), 1)
test(flips, 'a rich model', RICH_FILE, 2)

const COPIES = 60_000
const many = <T>(item: T, count = COPIES): T[] => new Array<T>(count).fill(item)
const { tensor } = rawParts()
const { operator } = rawParts({ operator: { [OPERATOR.outputs]: i32s() } })
const name = text('n'.repeat(100_000))
const named = Array.from({ length: 1000 }, () => table({ [TENSOR.name]: name }))
const nothing = {
  [MODEL.subgraphs]: tables(table({})),
  [MODEL.metadata]: undefined,
  [MODEL.signatureDefs]: undefined,
}

/** Each would be a valid file, were the thing not used so often. */
const waste = (tensorOrOperator: Changes['subgraph']): Uint8Array =>
  rawFile({
    subgraph: { [SUBGRAPH.outputs]: i32s(), ...tensorOrOperator },
    model: { [MODEL.signatureDefs]: undefined },
  })
const WASTES: readonly (readonly [string, (count: number) => Uint8Array])[] = [
  [
    'tensor',
    (count) =>
      waste({
        [SUBGRAPH.inputs]: i32s(),
        [SUBGRAPH.operators]: tables(),
        [SUBGRAPH.tensors]: tables(...many(tensor, count)),
      }),
  ],
  ['operator', (count) => waste({ [SUBGRAPH.operators]: tables(...many(operator, count)) })],
  [
    'subgraph',
    (count) => rawFile({ model: { ...nothing, [MODEL.subgraphs]: tables(...many(table({}), count)) } }),
  ],
  [
    'buffer',
    (count) => rawFile({ model: { ...nothing, [MODEL.buffers]: tables(...many(table({}), count)) } }),
  ],
  [
    'text',
    (count) =>
      waste({
        [SUBGRAPH.inputs]: i32s(),
        [SUBGRAPH.operators]: tables(),
        [SUBGRAPH.tensors]: tables(...named.slice(0, count)),
      }),
  ],
]

const isCheap = test.macro<[name: string, build: (count: number) => Uint8Array]>({
  exec(t, _, build) {
    t.notThrows(() => decode(build(2)))
    const file = build(COPIES)
    const start = performance.now()
    const error = errorOf(file)
    t.true(error instanceof LowbitError && error.code === 'FILE_INVALID')
    t.true(performance.now() - start < 2000, `${performance.now() - start} ms for ${file.length} bytes`)
  },
  title: (_, name) => `one ${name} used again and again is refused before it costs much`,
})
for (const [name, build] of WASTES) test(isCheap, name, build)

test('many signatures of a subgraph with many inputs cost linear time', (t) => {
  const count = 10_000
  const signature = (index: number) =>
    table({
      [SIGNATURE.signatureKey]: text(`s${index}`),
      [SIGNATURE.inputs]: tables(
        table({ [TENSOR_MAP.name]: text('x'), [TENSOR_MAP.tensorIndex]: i32(index) }),
      ),
    })
  const scalar = () => table({ 0: i32s() })
  const indices = Array.from({ length: count }, (_, index) => index)
  const file = rawFile({
    subgraph: {
      [SUBGRAPH.tensors]: tables(...indices.map(scalar)),
      [SUBGRAPH.inputs]: i32s(...indices),
      [SUBGRAPH.outputs]: i32s(),
      [SUBGRAPH.operators]: tables(),
    },
    model: { [MODEL.signatureDefs]: tables(...indices.map(signature)) },
  })
  const start = performance.now()
  t.is(decode(file).signatures.length, count)
  t.true(performance.now() - start < 2000)
})
