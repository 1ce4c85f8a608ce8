// IF and WHILE: values, nesting, state, limits, aborts, and files that say nonsense. Each loop runs in both ways that there
// are: as steps of one native program, and call by call, which a custom operator in its body makes it.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import test from 'ava'
import { encode } from '#lib/format/tflite/encode.js'
import { type CustomOp, LowbitError, loadModel, type Model, type TypedArray } from '#lib/index.js'
import type { ModelFile, Subgraph } from '#lib/model/model.js'
import {
  bool,
  branch,
  choice,
  collatz,
  counting,
  countingByHandle,
  endless,
  fibonacci,
  fixed,
  growing,
  handle,
  int,
  ints,
  loop,
  op,
  real,
  resource,
  shapedChoice,
  sumTo,
  twoSignatures,
  open as unknown,
} from '../helpers/flow-models.js'
import { model } from '../helpers/model-builder.js'
import { random } from '../helpers/random.js'

/** Gives its input. */
const same: CustomOp = {
  infer: ([x]) => [{ shape: x?.shape ?? [], dtype: x?.dtype ?? 'int8' }],
  run([x], [y]) {
    y?.data.set(x?.data as never)
  },
}

/** The same file with a custom operator before the results of each subgraph that is called. */
function scripted(file: ModelFile): ModelFile {
  const withSame = (subgraph: Subgraph): Subgraph => {
    const computed = new Set(subgraph.operators.flatMap(({ outputs }) => outputs))
    const index = subgraph.outputs.findIndex((tensor) => computed.has(tensor))
    if (index < 0) return subgraph
    const from = subgraph.outputs[index] as number
    const tensors = [...subgraph.tensors, { ...(subgraph.tensors[from] as never as object), name: 'same' }]
    const same = { code: 32, type: 'Same', version: 1, intermediates: [], options: {} }
    return {
      ...subgraph,
      tensors: tensors as Subgraph['tensors'],
      operators: [...subgraph.operators, { ...same, inputs: [from], outputs: [tensors.length - 1] }],
      outputs: subgraph.outputs.map((tensor, i) => (i === index ? tensors.length - 1 : tensor)),
    }
  }
  const [main, ...rest] = file.subgraphs as [Subgraph, ...Subgraph[]]
  const subgraphs = [main, ...rest.map(withSame)]
  const signatures = file.signatures.map((signature) => ({
    ...signature,
    outputs: signature.outputs.map(({ name, tensor }) => {
      const place = file.subgraphs[signature.subgraph]?.outputs.indexOf(tensor) ?? 0
      return { name, tensor: subgraphs[signature.subgraph]?.outputs[place] ?? 0 }
    }),
  }))
  return { ...file, subgraphs, signatures }
}

type Way = 'native' | 'scripted'
const WAYS: readonly Way[] = ['native', 'scripted']
const open = (file: ModelFile, way: Way, limits = {}): Promise<Model> =>
  loadModel(encode(way === 'native' ? file : scripted(file)), { customOps: { Same: same }, limits })

const i32 = (...values: readonly number[]) => Int32Array.from(values)
const f32 = (...values: readonly number[]) => Float32Array.from(values)
const yes = Uint8Array.of(1)
const no = Uint8Array.of(0)

const rows: readonly (readonly [string, ModelFile, readonly TypedArray[], readonly TypedArray[]])[] = [
  ['WHILE', sumTo, [i32(10)], [i32(45), i32(10)]],
  ['WHILE without a pass', sumTo, [i32(0)], [i32(0), i32(0)]],
  ['WHILE without a pass from below', sumTo, [i32(-5)], [i32(0), i32(-5)]],
  ['values that change places', fibonacci, [i32(20)], [i32(6765), i32(10946)]],
  ['one pass', fibonacci, [i32(1)], [i32(1), i32(1)]],
  ['IF in WHILE', collatz, [i32(27)], [i32(111)]],
  ['IF in WHILE, no pass', collatz, [i32(1)], [i32(0)]],
  ['IF, then', choice, [yes, f32(1, 2, 3)], [f32(2, 4, 6)]],
  ['IF, else: constants alone', choice, [no, f32(1, 2, 3)], [f32(7, 8, 9)]],
  ['IF of two shapes, then', shapedChoice, [yes, f32(1, 2, 3)], [f32(-2, -4, -6), f32(1, 2, 3)]],
  ['IF of two shapes, else', shapedChoice, [no, f32(1, 2, 3)], [f32(-1, -2, -3, -1, -2, -3), f32(1, 2, 3)]],
  ['a list that grows', growing, [i32(6)], [i32(0, 1, 2, 3, 4, 5)]],
  ['a list that does not grow', growing, [i32(0)], [i32()]],
]
for (const way of WAYS) {
  for (const [title, file, inputs, expected] of rows) {
    test(`${way}: ${title}`, async (t) => {
      const loaded = await open(file, way)
      for (const result of [loaded.runSync(inputs), await loaded.run(inputs), loaded.runSync(inputs)]) {
        t.deepEqual(
          result.map(({ data }) => data),
          expected,
        )
        for (const { shape, data } of result) {
          t.is(
            shape.reduce((product, extent) => product * extent, 1),
            data.length,
          )
        }
      }
      const many = await Promise.all(Array.from({ length: 9 }, () => loaded.run(inputs)))
      for (const result of many) t.deepEqual(result[0]?.data, expected[0])
      loaded.dispose()
    })
  }
}

test('a loop of known shapes is one native program', async (t) => {
  const loaded = await open(collatz, 'native')
  const steps = await loaded.profile([i32(6)], { runs: 3 })
  t.false(steps.some(({ kernel }) => kernel === 'javascript'))
  t.true(steps.some(({ op, kernel }) => op === 'while' && kernel === 'while'))
  t.true(steps.some(({ op, kernel }) => op === 'if' && kernel === 'if'))
  const other = await open(collatz, 'scripted')
  const few = await other.profile([i32(6)], { runs: 3 })
  t.deepEqual(
    few.map(({ op, kernel }) => [op, kernel]),
    [['while', 'javascript']],
  )
})

test('weights in the body of a loop', async (t) => {
  const weights = [0, 1, 1, 1]
  const file = model([
    {
      tensors: { x: real(1, 2), n: int, zero: fixed(int, 0), i2: int, n2: int, y: real(1, 2) },
      operators: [loop(1, 2, ['zero', 'n', 'x'], ['i2', 'n2', 'y'])],
      inputs: ['n', 'x'],
      outputs: ['y'],
    },
    {
      tensors: { i: int, n: int, x: real(1, 2), c: bool },
      operators: [op('LESS', ['i', 'n'], ['c'])],
      inputs: ['i', 'n', 'x'],
      outputs: ['c'],
    },
    {
      tensors: {
        ...{ i: int, n: int, x: real(1, 2), w: fixed(real(2, 2), ...weights), one: fixed(int, 1) },
        ...{ y: real(1, 2), i2: int },
      },
      operators: [op('FULLY_CONNECTED', ['x', 'w', null], ['y']), op('ADD', ['i', 'one'], ['i2'])],
      inputs: ['i', 'n', 'x'],
      outputs: ['i2', 'n', 'y'],
    },
  ])
  for (const way of WAYS) {
    const loaded = await open(file, way)
    t.deepEqual(loaded.runSync([i32(10), f32(0, 1)])[0]?.data, f32(55, 89))
    t.deepEqual((await loaded.run([i32(0), f32(0, 1)]))[0]?.data, f32(0, 1))
    // What one pass computes for one shape, the next ones of another shape share.
    loaded.resize([[], [3, 2]])
    t.deepEqual(loaded.runSync([i32(3), f32(0, 1, 1, 0, 0, 0)])[0]?.data, f32(2, 3, 1, 2, 0, 0))
    // What is run call by call is planned when it is called.
    const wrong = () => {
      loaded.resize([[], [3, 3]])
      loaded.runSync([i32(1), new Float32Array(9)])
    }
    t.throws(wrong, { code: 'SHAPE_MISMATCH' })
  }
})

test('state that a loop changes', async (t) => {
  for (const file of [counting, countingByHandle]) {
    for (const way of WAYS) {
      const loaded = await open(file, way)
      t.is(loaded.runSync([i32(3)])[0]?.data[0], 6)
      const runs = [1, 2, 0, 4].map((n) => loaded.run([i32(n)]))
      t.deepEqual(
        (await Promise.all(runs)).map(([total]) => total?.data[0]),
        [8, 12, 12, 20],
      )
      const before = loaded.run([i32(1)])
      loaded.resetState()
      const after = loaded.run([i32(1)])
      t.is((await before)[0]?.data[0], 22)
      t.is((await after)[0]?.data[0], 2)
      const { kept } = await loaded.run([i32(1)], { keep: ['i2'] })
      t.is(kept['i2']?.data[0], 1)
      t.is(loaded.runSync([i32(0)])[0]?.data[0], 4)
      const last = loaded.run([i32(5)])
      loaded.dispose()
      t.is((await last)[0]?.data[0], 14)
    }
  }
})

test('worker threads run loops of both kinds, each with a state of its own', async (t) => {
  const code = `
    const { workerData, parentPort } = await import('node:worker_threads')
    const { loadModel } = await import(workerData.library)
    const model = await loadModel(workerData.bytes)
    const totals = []
    for (const n of [1, 2, 5]) totals.push((await model.run([Int32Array.of(n)]))[0].data.length)
    parentPort.postMessage([...totals, (await model.run([Int32Array.of(4)]))[0].data[0]])
    model.dispose()`
  const library = new URL('../../esm/index.js', import.meta.url).href
  const ends = [counting, growing, collatz].map(async (file) => {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
      workerData: { library, bytes: encode(file) },
    })
    const [message] = await once(worker, 'message')
    return message
  })
  t.deepEqual(await Promise.all(ends), [
    [1, 1, 1, 24],
    [1, 2, 5, 0],
    [1, 1, 1, 2],
  ])
})

test('a synchronous run cannot overtake runs that go through JavaScript, where there is state', async (t) => {
  const loaded = await open(counting, 'scripted')
  const running = loaded.run([i32(3)])
  t.throws(() => loaded.runSync([i32(1)]), { code: 'OPTION_INVALID' })
  await running
  t.is(loaded.runSync([i32(1)])[0]?.data[0], 8)
  const [steps, after] = await Promise.all([loaded.profile([i32(4)], { runs: 3 }), loaded.run([i32(1)])])
  t.true(steps.some(({ op }) => op === 'while'))
  t.is(after[0]?.data[0], 10, 'a profile leaves the state as it was')
  const free = await open(sumTo, 'scripted')
  const first = free.run([i32(3)])
  t.is(free.runSync([i32(4)])[0]?.data[0], 6)
  t.is((await first)[0]?.data[0], 3)
})

test('signatures on different subgraphs share variables, and what begins them runs once', async (t) => {
  for (const way of WAYS) {
    const loaded = await open(twoSignatures, way)
    const [add, total] = [loaded.signature('add'), loaded.signature('total')]
    t.is(total.runSync({})['total']?.data[0], 100)
    t.is(add.runSync({ x: i32(5) })['new']?.data[0], 105)
    const results = await Promise.all([total.run({}), add.run({ x: i32(1) }), total.run({}), total.run({})])
    t.deepEqual(
      results.map((result) => (result['total'] ?? result['new'])?.data[0]),
      [105, 106, 106, 106],
    )
    loaded.resetState()
    t.is(add.runSync({ x: i32(7) })['new']?.data[0], 107)
    t.is(total.runSync({})['total']?.data[0], 107)
    loaded.dispose()
  }
})

for (const way of WAYS) {
  for (const [title, file] of [
    ['of steps', endless('ADD')],
    ['of nothing', endless()],
  ] as const) {
    test(`${way}: an endless loop ${title} ends at the limit, and by an abort`, async (t) => {
      const limited = await open(file, way, { steps: 100 })
      const code = { instanceOf: LowbitError, code: 'LIMIT_EXCEEDED' }
      t.throws(() => limited.runSync([f32(1, 2)]), code)
      await t.throwsAsync(limited.run([f32(1, 2)]), code)

      const loaded = await open(file, way, { steps: Number.MAX_SAFE_INTEGER })
      const stop = new AbortController()
      const running = loaded.run([f32(1, 2)], { signal: stop.signal })
      setTimeout(() => stop.abort(new Error('enough')), 30)
      await t.throwsAsync(running, { message: 'enough' })
      loaded.dispose()
    })
  }
}

test('an endless loop leaves the event loop free, and dispose waits for it', async (t) => {
  for (const way of WAYS) {
    const loaded = await open(endless('ADD'), way, { steps: Number.MAX_SAFE_INTEGER })
    const stop = new AbortController()
    const running = loaded.run([f32(1, 2)], { signal: stop.signal })
    loaded.dispose()
    let turns = 0
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (++turns < 5) return
        clearInterval(timer)
        resolve()
      }, 5)
    })
    t.is(turns, 5)
    stop.abort(new Error('enough'))
    await t.throwsAsync(running, { message: 'enough' })
  }
})

test('steps of loops count against the limit of a run', async (t) => {
  for (const way of WAYS) {
    const loaded = await open(sumTo, way, { steps: 60 })
    t.is(loaded.runSync([i32(5)])[0]?.data[0], 10)
    t.throws(() => loaded.runSync([i32(50)]), { code: 'LIMIT_EXCEEDED' })
  }
})

const main = (operators: Parameters<typeof model>[0][0]['operators'], extra = {}) => ({
  tensors: { c: bool, x: real(3), y: real(3), h: resource, ...extra },
  operators,
  inputs: ['c', 'x'],
  outputs: ['y'],
})
const twice = {
  tensors: { x: real(3), y: real(3) },
  operators: [op('ADD', ['x', 'x'], ['y'])],
  inputs: ['x'],
  outputs: ['y'],
}
const asks = {
  tensors: { x: real(3), c: fixed(bool, 0) },
  operators: [],
  inputs: ['x'],
  outputs: ['c'],
}
const ofInts = {
  tensors: { x: { dtype: 'int32', shape: [3] }, y: { dtype: 'int32', shape: [3] } },
  operators: [op('ADD', ['x', 'x'], ['y'])],
  inputs: ['x'],
  outputs: ['y'],
} as const
const refused: readonly (readonly [string, Parameters<typeof model>[0], string])[] = [
  ['a branch that does not exist', [main([branch(1, 7, ['c', 'x'], ['y'])]), twice], 'FILE_INVALID'],
  ['a branch with other inputs', [main([branch(1, 1, ['c'], ['y'])]), twice], 'FILE_INVALID'],
  ['a branch of another type', [main([branch(1, 2, ['c', 'x'], ['y'])]), twice, ofInts], 'FILE_INVALID'],
  ['a condition of three numbers', [main([branch(1, 1, ['x', 'x'], ['y'])]), twice], 'FILE_INVALID'],
  ['a loop whose condition is no bool', [main([loop(1, 1, ['x'], ['y'])]), twice], 'FILE_INVALID'],
  [
    'a loop that gives less than it takes',
    [main([loop(2, 1, ['x', 'x'], ['y'])]), twice, asks],
    'FILE_INVALID',
  ],
  [
    'a loop in its own body',
    [main([loop(2, 1, ['x'], ['y'])]), { ...twice, operators: [loop(2, 1, ['x'], ['y'])] }, asks],
    'FILE_INVALID',
  ],
  [
    'branches that call each other',
    [
      main([branch(1, 2, ['c', 'x'], ['y'])]),
      {
        ...twice,
        tensors: { ...twice.tensors, c: fixed(bool, 1) },
        operators: [branch(2, 2, ['c', 'x'], ['y'])],
      },
      {
        ...twice,
        tensors: { ...twice.tensors, c: fixed(bool, 1) },
        operators: [branch(1, 1, ['c', 'x'], ['y'])],
      },
    ],
    'FILE_INVALID',
  ],
  [
    'an operator that is not there, in a branch',
    [
      main([branch(1, 2, ['c', 'x'], ['y'])]),
      twice,
      { ...twice, operators: [op('SKIP_GRAM', ['x'], ['y'])] },
    ],
    'OPERATOR_UNSUPPORTED',
  ],
  [
    'a variable of another type in another subgraph',
    [
      main([handle('h', 'v'), op('ASSIGN_VARIABLE', ['h', 'x'], []), branch(1, 1, ['c', 'x'], ['y'])]),
      {
        tensors: { h: resource, x: real(3), k: { dtype: 'int32', shape: [3], data: [1, 2, 3] } },
        operators: [handle('h', 'v'), op('ASSIGN_VARIABLE', ['h', 'k'], [])],
        inputs: ['x'],
        outputs: ['x'],
      },
    ],
    'FILE_INVALID',
  ],
]
for (const [title, subgraphs, code] of refused) {
  test(`refused: ${title}`, async (t) => {
    const error = await t.throwsAsync(async () => loadModel(encode(model(subgraphs))), { code })
    t.true(error instanceof LowbitError)
  })
}

/** Branches of branches: each of `depth` subgraphs calls the next one twice. */
const tree = (depth: number) =>
  model([
    main([branch(1, 1, ['c', 'x'], ['y'])]),
    ...Array.from({ length: depth }, (_, i) => ({
      ...twice,
      tensors: { ...twice.tensors, c: fixed(bool, 1) },
      operators: i === depth - 1 ? twice.operators : [branch(i + 2, i + 2, ['c', 'x'], ['y'])],
    })),
  ])

test('branches that double at each level, or are nested deeply, end at the limit', async (t) => {
  const loaded = await loadModel(encode(tree(5)))
  t.deepEqual(loaded.runSync([yes, f32(1, 2, 3)])[0]?.data, f32(2, 4, 6))
  for (const depth of [25, 60]) {
    await t.throwsAsync(loadModel(encode(tree(depth))), { code: 'LIMIT_EXCEEDED' })
  }
})

/** x of three numbers, the largest of which is 3 -> 2 x, by calls of which each decides on a shape before the next one. */
const ladder = (depth: number) => {
  const leaf = {
    tensors: { x: unknown(real(3)), z: unknown(real(3)) },
    operators: [op('ADD', ['x', 'x'], ['z'])],
    inputs: ['x'],
    outputs: ['z'],
  }
  const level = (next: number) => ({
    tensors: {
      ...{ x: unknown(real(3)), axis: fixed(int, 0), m: real(1), s: ints(1), c: fixed(bool, 1) },
      ...{ y: unknown(real(3)), z: unknown(real(3)) },
    },
    operators: [
      op('REDUCE_MAX', ['x', 'axis'], ['m'], { keepDims: true }),
      op('CAST', ['m'], ['s'], { inDataType: 0, outDataType: 2 }),
      op('RESHAPE', ['x', 's'], ['y']),
      branch(next, depth, ['c', 'y'], ['z']),
    ],
    inputs: ['x'],
    outputs: ['z'],
  })
  return model([...Array.from({ length: depth }, (_, i) => level(i + 1)), leaf])
}

test('calls that are nested deeply in the run end at the limit', async (t) => {
  const inputs = [f32(1, 2, 3)]
  const loaded = await loadModel(encode(ladder(20)))
  t.deepEqual(loaded.runSync(inputs)[0]?.data, f32(2, 4, 6))
  t.deepEqual((await loaded.run(inputs))[0]?.data, f32(2, 4, 6))
  const deep = await loadModel(encode(ladder(2000)))
  t.throws(() => deep.runSync(inputs), { code: 'LIMIT_EXCEEDED' })
  await t.throwsAsync(deep.run(inputs), { code: 'LIMIT_EXCEEDED' })
})

test('a loop over constants runs when the model runs, not while it is loaded', async (t) => {
  const file = endless('ADD')
  const [first, ...rest] = file.subgraphs as [Subgraph, ...Subgraph[]]
  const data = new Uint8Array(f32(1, 2).buffer)
  const tensors = first.tensors.map((tensor) => (tensor.name === 'x' ? { ...tensor, data } : tensor))
  const bytes = encode({ ...file, subgraphs: [{ ...first, tensors, inputs: [] }, ...rest] })
  const loaded = await loadModel(bytes, { limits: { steps: 50 } })
  t.throws(() => loaded.runSync([]), { code: 'LIMIT_EXCEEDED' })
})

/** A loop over three vectors whose body is made of random operators; outputs are random, too. */
function randomLoop(seed: number): ModelFile {
  const next = random(seed)
  const pick = <T>(list: readonly T[]): T => list[next() % list.length] as T
  const names = ['a', 'b', 'c']
  const known = [...names, 'k']
  const operators = Array.from({ length: 1 + (next() % 5) }, (_, i) => {
    const made = `t${i}`
    const type = pick(['ADD', 'SUB', 'RELU', 'NEG', 'RESHAPE', 'MAXIMUM'])
    const operands = type === 'RELU' || type === 'NEG' ? [pick(known)] : [pick(known), pick(known)]
    const made1 = op(type, type === 'RESHAPE' ? [pick(known), 'shape'] : operands, [made])
    known.push(made)
    return made1
  })
  const results = names.map(() => pick(known))
  const vectors = Object.fromEntries(
    [...names, ...operators.map((_, i) => `t${i}`)].map((name) => [name, real(4)]),
  )
  const extra = { k: fixed(real(4), 1, -2, 0.5, 3), shape: fixed({ dtype: 'int32', shape: [1] }, 4) }
  return model([
    {
      tensors: {
        ...{ n: int, zero: fixed(int, 0), i2: int, n2: int, a: real(4), b: real(4), c: real(4) },
        ...{ a2: real(4), b2: real(4), c2: real(4), d: real(4), e: real(4) },
      },
      operators: [
        op('NEG', ['a'], ['d']),
        loop(1, 2, ['zero', 'n', 'd', 'b', 'c'], ['i2', 'n2', 'a2', 'b2', 'c2']),
        op('ADD', ['a2', 'd'], ['e']),
      ],
      inputs: ['n', 'a', 'b', 'c'],
      outputs: ['a2', 'b2', 'c2', 'e'],
    },
    {
      tensors: { i: int, n: int, a: real(4), b: real(4), c: real(4), below: bool },
      operators: [op('LESS', ['i', 'n'], ['below'])],
      inputs: ['i', 'n', 'a', 'b', 'c'],
      outputs: ['below'],
    },
    {
      tensors: { i: int, n: int, one: fixed(int, 1), i2: int, ...vectors, ...extra },
      operators: [...operators, op('ADD', ['i', 'one'], ['i2'])],
      inputs: ['i', 'n', 'a', 'b', 'c'],
      outputs: ['i2', 'n', ...results],
    },
  ])
}

test('random loops give the same in both ways', async (t) => {
  for (let seed = 1; seed <= 150; seed++) {
    const file = randomLoop(seed)
    const inputs = [i32(1 + (seed % 4)), f32(1, 2, 3, 4), f32(-1, 0.5, 2, 0), f32(9, -9, 1, 0.25)]
    const [native, other] = await Promise.all(WAYS.map((way) => open(file, way)))
    t.deepEqual(native?.runSync(inputs), other?.runSync(inputs), `seed ${seed}`)
    native?.dispose()
    other?.dispose()
  }
})
