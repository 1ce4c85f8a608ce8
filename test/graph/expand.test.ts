// Calls of subgraphs and variables, flattened: results, sharing, order, and what is refused.

import test from 'ava'
import { LowbitError } from '#lib/errors.js'
import { encode } from '#lib/format/tflite/encode.js'
import { expand } from '#lib/graph/expand.js'
import { loadModel } from '#lib/index.js'
import { model, type SubgraphSpec } from '../helpers/model-builder.js'

const vector = { dtype: 'float32', shape: [2] } as const
const resource = { dtype: 'resource', shape: [] } as const
const call = (subgraph: number, inputs: string[], outputs: string[]) => ({
  type: 'STABLEHLO_COMPOSITE',
  options: { decompositionSubgraphIndex: subgraph },
  inputs,
  outputs,
})
const handle = (output: string, sharedName: string) => ({
  type: 'VAR_HANDLE',
  options: { container: '', sharedName },
  inputs: [],
  outputs: [output],
})
const add = (a: string, b: string, c: string) => ({ type: 'ADD', inputs: [a, b], outputs: [c] })

const most = (limit: number) => ({ budget: { operators: limit, limit }, variables: new Map() })

/** y = 2 (x + 1), by a chain of `depth` subgraphs of which each calls the next twice. */
function chain(depth: number) {
  const links = Array.from({ length: depth }, (_, i): SubgraphSpec => {
    const last = i === depth - 1
    return {
      tensors: { x: vector, m: vector, y: vector, one: { ...vector, data: [1, 1] } },
      operators: last ? [add('x', 'one', 'y')] : [call(i + 2, ['x'], ['m']), call(i + 2, ['m'], ['y'])],
      inputs: ['x'],
      outputs: ['y'],
    }
  })
  return model([
    {
      tensors: { x: vector, y: vector },
      operators: [call(1, ['x'], ['y'])],
      inputs: ['x'],
      outputs: ['y'],
    },
    ...links,
  ])
}

test('composites run by what they call, as often as they are called', async (t) => {
  const loaded = await loadModel(encode(chain(4)))
  const [y] = await loaded.run([Float32Array.of(0.5, -1)])
  t.deepEqual(y?.data, Float32Array.of(8.5, 7))
  const shared = expand(chain(4), 0, most(100)).tensors.filter(({ data }) => data !== undefined)
  t.is(shared.length, 1, 'a constant of a subgraph is one for all its calls')
  loaded.dispose()
})

test('chains that double at each step end at the limit', (t) => {
  const error = t.throws(() => expand(chain(40), 0, most(1000)), { instanceOf: LowbitError })
  t.is(error?.code, 'LIMIT_EXCEEDED')
  t.throws(() => expand(chain(100), 0, most(2 ** 31)), { instanceOf: LowbitError })
})

test('a callee that gives back its input or a constant', async (t) => {
  const file = model([
    {
      tensors: { x: vector, a: vector, b: vector },
      operators: [call(1, ['x'], ['a', 'b'])],
      inputs: ['x'],
      outputs: ['a', 'b'],
    },
    {
      tensors: { x: vector, k: { ...vector, data: [3, 4] } },
      operators: [],
      inputs: ['x'],
      outputs: ['x', 'k'],
    },
  ])
  const loaded = await loadModel(encode(file))
  const [a, b] = await loaded.run([Float32Array.of(1, 2)])
  t.deepEqual(a?.data, Float32Array.of(1, 2))
  t.deepEqual(b?.data, Float32Array.of(3, 4))
  loaded.dispose()
})

/** y = variable + x; variable = y. It begins as [10, 20], which CALL_ONCE assigns. */
const counter = model([
  {
    tensors: { h: resource, x: vector, old: vector, y: vector },
    operators: [
      { type: 'CALL_ONCE', options: { initSubgraphIndex: 1 }, inputs: [], outputs: [] },
      handle('h', 'count'),
      { type: 'READ_VARIABLE', inputs: ['h'], outputs: ['old'] },
      add('old', 'x', 'y'),
      { type: 'ASSIGN_VARIABLE', inputs: ['h', 'y'], outputs: [] },
    ],
    inputs: ['x'],
    outputs: ['y'],
  },
  {
    tensors: { h: resource, k: { ...vector, data: [10, 20] } },
    operators: [handle('h', 'count'), { type: 'ASSIGN_VARIABLE', inputs: ['h', 'k'], outputs: [] }],
    inputs: [],
    outputs: [],
  },
])
const one = Float32Array.of(1, 1)

test('a variable is kept from run to run, in the order of the calls', async (t) => {
  const loaded = await loadModel(encode(counter))
  const runs = Array.from({ length: 9 }, () => loaded.run([one]))
  const [sync] = loaded.runSync([one])
  t.deepEqual(sync?.data, Float32Array.of(20, 30), 'a synchronous run comes after those before it')
  runs.push(loaded.run([one]))
  const first = (await Promise.all(runs)).map(([y]) => y?.data[0])
  t.deepEqual(first, [11, 12, 13, 14, 15, 16, 17, 18, 19, 21])

  const before = loaded.run([one])
  loaded.resetState()
  const after = loaded.run([one])
  t.is((await before)[0]?.data[0], 22, 'a run that was started before')
  t.is((await after)[0]?.data[0], 11, 'a run that was started after')
  await loaded.profile([one], { runs: 3 })
  t.is((await loaded.run([one]))[0]?.data[0], 12, 'a profile leaves the state as it was')
  loaded.resetState()
  t.is(loaded.runSync([one])[0]?.data[0], 11)
  loaded.dispose()
  t.throws(() => loaded.resetState(), { code: 'DISPOSED' })
})

test('aborted runs leave the order of the others as it is', async (t) => {
  const loaded = await loadModel(encode(counter))
  const abort = new AbortController()
  const kept = loaded.run([one])
  const dropped = [1, 2, 3].map(() => loaded.run([one], { signal: abort.signal }))
  const last = loaded.run([one])
  abort.abort(new Error('no more'))
  t.is((await kept)[0]?.data[0], 11)
  for (const run of dropped) await t.throwsAsync(run, { message: 'no more' })
  const end = (await last)[0]?.data[0] as number
  t.true(end >= 12 && end <= 15)
  t.is(loaded.runSync([one])[0]?.data[0], end + 1)
  const pending = [loaded.run([one]), loaded.run([one])]
  loaded.dispose()
  t.is((await Promise.all(pending)).length, 2, 'runs in flight end after dispose')
})

const refused: readonly (readonly [string, SubgraphSpec[], string])[] = [
  [
    'a variable that nothing names',
    [
      {
        tensors: { h: resource, y: vector },
        operators: [{ type: 'READ_VARIABLE', inputs: ['h'], outputs: ['y'] }],
        inputs: ['h'],
        outputs: ['y'],
      },
    ],
    'OPERATOR_UNSUPPORTED',
  ],
  [
    'a variable of two shapes',
    [
      {
        tensors: { h: resource, x: { ...vector, shape: [3] }, y: vector },
        operators: [
          handle('h', 'v'),
          { type: 'READ_VARIABLE', inputs: ['h'], outputs: ['y'] },
          { type: 'ASSIGN_VARIABLE', inputs: ['h', 'x'], outputs: [] },
        ],
        inputs: ['x'],
        outputs: ['y'],
      },
    ],
    'OPERATOR_UNSUPPORTED',
  ],
  [
    'a call with too few operands',
    [
      { tensors: { x: vector, y: vector }, operators: [call(1, [], ['y'])], inputs: ['x'], outputs: ['y'] },
      { tensors: { x: vector }, operators: [], inputs: ['x'], outputs: ['x'] },
    ],
    'FILE_INVALID',
  ],
]
for (const [title, subgraphs, code] of refused) {
  test(`refused: ${title}`, async (t) => {
    await t.throwsAsync(() => loadModel(encode(model(subgraphs))), { code })
  })
}

test('kept tensors, plain runs and resized models have one state', async (t) => {
  const loaded = await loadModel(encode(counter))
  t.is(loaded.runSync([one])[0]?.data[0], 11)
  const { kept } = await loaded.run([one], { keep: ['old'] })
  t.is(kept['old']?.data[0], 11)
  loaded.resize([[2]])
  t.is(loaded.runSync([one])[0]?.data[0], 13)
  loaded.dispose()
})
