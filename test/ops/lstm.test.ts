// LSTM and SVDF: what they keep between runs, and what is refused. Their arithmetic is compared with the reference in
// conformance.test.ts and goldens.test.ts.

import test from 'ava'
import { encode } from '#lib/format/tflite/encode.js'
import { loadModel, type Tensor } from '#lib/index.js'
import { model, type OperatorSpec, type TensorSpec } from '../helpers/model-builder.js'

const numbers = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => Math.sin(seed + 1.7 * i) * 0.6)
const real = (shape: number[], seed?: number): TensorSpec => ({
  dtype: 'float32',
  shape,
  ...(seed !== undefined && {
    data: numbers(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ),
  }),
})
/** The elements of a tensor, which must be there. */
const elements = (tensor: Tensor | undefined): readonly number[] => [
  ...((tensor as Tensor).data as Float32Array),
]

const variable = (shape: number[]): TensorSpec => ({ dtype: 'float32', shape, isVariable: true })

interface Spec {
  readonly batch: number
  readonly times: number
  readonly timeMajor?: boolean
  readonly change?: Partial<Record<string, TensorSpec>>
  readonly drop?: readonly string[]
  readonly options?: OperatorSpec['options']
}

/** 3 inputs, 5 cells, 4 projected outputs. */
function lstm({ batch, times, timeMajor = false, change = {}, drop = [], options = {} }: Spec): Uint8Array {
  const [inputs, cells, outputs] = [3, 5, 4]
  const lead = timeMajor ? [times, batch] : [batch, times]
  const gates = ['i', 'f', 'c', 'o']
  const tensors: Record<string, TensorSpec> = {
    x: real([...lead, inputs]),
    ...Object.fromEntries(gates.map((gate, i) => [`w${gate}`, real([cells, inputs], i)])),
    ...Object.fromEntries(gates.map((gate, i) => [`r${gate}`, real([cells, outputs], 5 + i)])),
    ...Object.fromEntries(['i', 'f', 'o'].map((gate, i) => [`p${gate}`, real([cells], 10 + i)])),
    ...Object.fromEntries(gates.map((gate, i) => [`b${gate}`, real([cells], 15 + i)])),
    p: real([outputs, cells], 20),
    pb: real([outputs], 21),
    h: variable([batch, outputs]),
    s: variable([batch, cells]),
    y: real([...lead, outputs]),
    ...(change as Record<string, TensorSpec>),
  }
  const names = [
    'x',
    'wi',
    'wf',
    'wc',
    'wo',
    'ri',
    'rf',
    'rc',
    'ro',
    'pi',
    'pf',
    'po',
    'bi',
    'bf',
    'bc',
    'bo',
  ]
  const operator: OperatorSpec = {
    type: 'UNIDIRECTIONAL_SEQUENCE_LSTM',
    options: { fusedActivationFunction: 4, cellClip: 1.5, projClip: 0.9, timeMajor, ...options },
    inputs: [...names, 'p', 'pb', 'h', 's', null, null, null, null].map((name) =>
      name !== null && drop.includes(name) ? null : name,
    ),
    outputs: ['y'],
  }
  const used = Object.fromEntries(Object.entries(tensors).filter(([name]) => !drop.includes(name)))
  return encode(model([{ tensors: used, operators: [operator], inputs: ['x'], outputs: ['y'] }]))
}

test('a sequence in one run is the same as step by step', async (t) => {
  const whole = await loadModel(lstm({ batch: 2, times: 4, timeMajor: true }))
  const step = await loadModel(lstm({ batch: 2, times: 1 }))
  const x = Float32Array.from(numbers(2 * 4 * 3, 30))
  const [all] = await whole.run([x])
  const parts = await Promise.all([0, 1, 2, 3].map((time) => step.run([x.subarray(6 * time, 6 * time + 6)])))
  t.deepEqual(
    parts.flatMap(([y]) => elements(y)),
    elements(all),
  )
  const [again] = await whole.run([x])
  t.notDeepEqual(again?.data, all?.data, 'the state goes on')
  whole.resetState()
  t.deepEqual((await whole.run([x]))[0]?.data, all?.data)
  whole.dispose()
  step.dispose()
})

test('without the input gate', async (t) => {
  const loaded = await loadModel(lstm({ batch: 1, times: 2, drop: ['wi', 'ri', 'pi', 'bi'] }))
  const [y] = await loaded.run([Float32Array.from(numbers(6, 1))])
  t.true(elements(y).every((value) => Math.abs(value) <= Math.fround(0.9) && value !== 0))
  loaded.dispose()
})

const refused: readonly (readonly [string, Spec, string])[] = [
  ['a missing weight', { batch: 1, times: 1, drop: ['wf'] }, 'FILE_INVALID'],
  ['an input gate in part', { batch: 1, times: 1, drop: ['ri'] }, 'FILE_INVALID'],
  ['peephole weights in part', { batch: 1, times: 1, drop: ['pf'] }, 'FILE_INVALID'],
  ['weights of another shape', { batch: 1, times: 1, change: { rc: real([5, 3], 0) } }, 'SHAPE_MISMATCH'],
  [
    'weights that are computed',
    { batch: 1, times: 1, change: { wc: variable([5, 3]) } },
    'OPERATOR_UNSUPPORTED',
  ],
  ['a diagonal', { batch: 1, times: 1, change: { ro: real([5], 0) } }, 'OPERATOR_UNSUPPORTED'],
  ['a state of another size', { batch: 1, times: 1, change: { s: variable([2, 5]) } }, 'SHAPE_MISMATCH'],
  ['a state that is constant', { batch: 1, times: 1, change: { h: real([1, 4], 0) } }, 'FILE_INVALID'],
  ['a bias of another size', { batch: 1, times: 1, change: { bo: real([4], 0) } }, 'SHAPE_MISMATCH'],
  ['a negative bound', { batch: 1, times: 1, options: { cellClip: -1 } }, 'FILE_INVALID'],
  [
    'an unknown activation',
    { batch: 1, times: 1, options: { fusedActivationFunction: 5 } },
    'OPERATOR_UNSUPPORTED',
  ],
]
for (const [title, spec, code] of refused) {
  test(`LSTM refused: ${title}`, async (t) => {
    await t.throwsAsync(() => loadModel(lstm(spec)), { code })
  })
}

function svdf(change: Partial<Record<string, TensorSpec>>, rank = 2): Uint8Array {
  const tensors: Record<string, TensorSpec> = {
    x: real([1, 2]),
    f: real([4, 2], 1),
    t: real([4, 3], 2),
    b: real([2], 3),
    s: variable([1, 12]),
    y: real([1, 2]),
    ...(change as Record<string, TensorSpec>),
  }
  const operator = { type: 'SVDF', options: { rank }, inputs: ['x', 'f', 't', 'b', 's'], outputs: ['y'] }
  return encode(model([{ tensors, operators: [operator], inputs: ['x'], outputs: ['y'] }]))
}

test('SVDF remembers as many runs as its memory is long', async (t) => {
  const loaded = await loadModel(svdf({}))
  const bias = Float32Array.from(numbers(2, 3))
  const zero = Float32Array.of(0, 0)
  const outputs: Float32Array[] = []
  for (const x of [Float32Array.of(1, -2), zero, zero, zero]) {
    outputs.push((await loaded.run([x]))[0]?.data as Float32Array)
  }
  t.deepEqual(outputs[3], bias, 'what was given three runs ago is forgotten')
  for (const kept of outputs.slice(0, 3)) t.notDeepEqual(kept, bias)
  loaded.dispose()
})

const refusedSvdf: readonly (readonly [string, Uint8Array, string])[] = [
  ['a rank that does not divide', svdf({}, 3), 'SHAPE_MISMATCH'],
  ['rank 0', svdf({}, 0), 'SHAPE_MISMATCH'],
  ['time weights of another shape', svdf({ t: real([3, 3], 0) }), 'SHAPE_MISMATCH'],
  ['a state of another size', svdf({ s: variable([1, 11]) }), 'SHAPE_MISMATCH'],
  [
    'mixed types',
    svdf({ t: { dtype: 'int16', shape: [4, 3], data: new Array(12).fill(1) } }),
    'DTYPE_UNSUPPORTED',
  ],
]
for (const [title, file, code] of refusedSvdf) {
  test(`SVDF refused: ${title}`, async (t) => {
    await t.throwsAsync(() => loadModel(file), { code })
  })
}
