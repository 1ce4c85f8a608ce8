// The encoded program, read back field by field as native/program/format.h lays it out.

import test from 'ava'
import fc from 'fast-check'
import type { NativeFormat } from '#lib/native/binding.js'
import { type Plan, plan } from '#lib/plan/plan.js'
import { encode } from '#lib/program/encode.js'
import { FAKE_OPS, graphs } from '../helpers/graphs.js'

const FORMAT: NativeFormat = {
  magic: 0x3150424c,
  version: 1,
  maxRank: 8,
  dtypes: { int8: 2, int32: 5, float32: 8 },
  kinds: { int32: 0, float32: 1, float64: 2, bytes: 3 },
  places: { arena: 0, constant: 1 },
  steps: { other: 0, fake: 1 },
}

function read(program: Uint8Array) {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength)
  const u32 = (at: number) => view.getUint32(at, true)
  const i32 = (at: number) => view.getInt32(at, true)
  const u64 = (at: number) => Number(view.getBigUint64(at, true))
  const section = (i: number, size: number) => {
    const [offset, count] = [u32(24 + 8 * i), u32(28 + 8 * i)]
    return Array.from({ length: count }, (_, j) => offset + j * size)
  }
  const operands = section(1, 4).map(i32)
  const attributes = section(3, 24).map((at) => ({
    name: new TextDecoder().decode(program.subarray(u32(at), u32(at) + u32(at + 4))),
    kind: u32(at + 8),
    count: u32(at + 12),
    valueAt: u64(at + 16),
  }))
  return {
    magic: u32(0),
    version: u32(4),
    totalBytes: u64(8),
    arenaBytes: u64(16),
    tensors: section(0, 64).map((at) => ({
      dtype: i32(at),
      where: i32(at + 4),
      source: u32(at + 8),
      shape: Array.from({ length: i32(at + 12) }, (_, i) => i32(at + 16 + 4 * i)),
      offset: u64(at + 48),
      bytes: u64(at + 56),
    })),
    steps: section(2, 24).map((at) => {
      const [kind, first, ins, outs, firstAttribute, attributeCount] = [0, 4, 8, 12, 16, 20].map((i) =>
        u32(at + i),
      ) as [number, number, number, number, number, number]
      return {
        kind,
        inputs: operands.slice(first, first + ins),
        outputs: operands.slice(first + ins, first + ins + outs),
        attributes: attributes.slice(firstAttribute, firstAttribute + attributeCount),
      }
    }),
    inputs: section(4, 4).map(i32),
    outputs: section(5, 4).map(i32),
  }
}

test('a program says what its plan says', (t) => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const planned = plan(graph, FAKE_OPS)
      const { program, constants } = encode(planned, FORMAT)
      const found = read(program)
      t.like(found, { magic: FORMAT.magic, version: FORMAT.version, totalBytes: program.length })
      t.is(found.arenaBytes, planned.arenaBytes)
      t.deepEqual(found.inputs, [...planned.inputs])
      t.deepEqual(found.outputs, [...planned.outputs])
      t.is(found.tensors.length, planned.tensors.length)
      for (const [i, { place, shape, bytes }] of planned.tensors.entries()) {
        const tensor = found.tensors[i]
        t.like(tensor, { dtype: 2, shape: [...shape], bytes, where: FORMAT.places[place.where] ?? -1 })
        if (place.where === 'constant') t.is(constants[tensor?.source ?? -1], place.data)
        else t.true(place.where === 'arena' && tensor?.offset === place.offset)
      }
      for (const [i, { inputs, outputs }] of planned.steps.entries()) {
        t.deepEqual(found.steps[i], { kind: 1, inputs: [...inputs], outputs: [...outputs], attributes: [] })
      }
    }),
    { seed: 6, numRuns: 200 },
  )
})

const file = new Uint8Array(64)
const constant = (name: string, data: Uint8Array) => ({
  name,
  dtype: 'int8' as const,
  shape: [data.length],
  bytes: data.length,
  place: { where: 'constant' as const, data },
  life: [0, 0] as const,
})
const onePlan = (attributes: Plan['steps'][number]['step']['attributes'], kind = 'fake'): Plan => ({
  tensors: [
    constant('a', file.subarray(3, 7)),
    constant('b', file.subarray(3, 7)),
    constant('c', file.subarray(3, 8)),
    { ...constant('x', file.subarray(0, 4)), place: { where: 'arena', offset: 0 } },
  ],
  steps: [
    {
      step: { kind, inputs: [], outputs: [], attributes },
      origin: 'X #0',
      op: 'x',
      inputs: [0, -1],
      outputs: [3],
    },
  ],
  inputs: [],
  outputs: [3],
  arenaBytes: 64,
  mainSteps: 1,
  moments: 1,
  variables: [],
})

test('attributes keep their kind, count and value; names are written once', (t) => {
  const { program } = encode(
    onePlan({
      one: -7,
      ints: Int32Array.of(1, -2, 3),
      floats: Float32Array.of(0.5),
      doubles: Float64Array.of(1 / 3, -4),
      bytes: Uint8Array.of(9, 8, 7),
      none: new Int32Array(0),
    }),
    FORMAT,
  )
  const view = new DataView(program.buffer)
  const [step] = read(program).steps
  t.deepEqual(step?.inputs, [0, -1])
  t.deepEqual(
    step?.attributes.map(({ name, kind, count }) => [name, kind, count]),
    [
      ['one', 0, 1],
      ['ints', 0, 3],
      ['floats', 1, 1],
      ['doubles', 2, 2],
      ['bytes', 3, 3],
      ['none', 0, 0],
    ],
  )
  const at = (i: number) => step?.attributes[i]?.valueAt ?? -1
  t.true(step?.attributes.every(({ valueAt }) => valueAt % 8 === 0))
  t.is(view.getInt32(at(0), true), -7)
  t.is(view.getInt32(at(1) + 4, true), -2)
  t.is(view.getFloat32(at(2), true), 0.5)
  t.is(view.getFloat64(at(3), true), 1 / 3)
  t.deepEqual([...program.subarray(at(4), at(4) + 3)], [9, 8, 7])
})

test('constants are the very views of the file, one block for the same bytes', (t) => {
  const { program, constants } = encode(onePlan({}), FORMAT)
  t.is(constants.length, 2)
  t.true(constants.every((block) => block.buffer === file.buffer))
  t.deepEqual(
    read(program)
      .tensors.slice(0, 3)
      .map((tensor) => tensor.source),
    [0, 0, 1],
  )
})

test('what native code has no form for is refused', (t) => {
  t.throws(() => encode(onePlan({}, 'unheard'), FORMAT), { code: 'INTERNAL' })
  const withTensor = (change: object): Plan => {
    const whole = onePlan({})
    return { ...whole, tensors: whole.tensors.map((tensor) => ({ ...tensor, ...change })) }
  }
  t.throws(() => encode(withTensor({ dtype: 'complex64' }), FORMAT), { code: 'DTYPE_UNSUPPORTED' })
  t.throws(() => encode(withTensor({ shape: [1, 1, 1, 1, 1, 1, 1, 1, 4] }), FORMAT), {
    code: 'OPERATOR_UNSUPPORTED',
  })
})
