// Shapes that a run decides: operators whose operands say how large their output is, operators whose data do, what a model
// tells of such outputs, and what is kept from run to run. Expected values are those of LiteRT 2.3's reference kernels.

import test from 'ava'
import { decode } from '#lib/format/tflite/decode.js'
import { encode } from '#lib/format/tflite/encode.js'
import { type CustomOp, loadModel, type TypedArray } from '#lib/index.js'
import type { ModelFile } from '#lib/model/model.js'
import { compile, sourceOf } from '#lib/session/compile.js'
import type { Script } from '#lib/session/script.js'
import {
  boxes,
  different,
  fixed,
  growing,
  int,
  ints,
  loop,
  op,
  open,
  positives,
  real,
  shaped,
} from '../helpers/flow-models.js'
import { model, type TensorSpec } from '../helpers/model-builder.js'

const i32 = (...values: readonly number[]) => Int32Array.from(values)
const f32 = (...values: readonly number[]) => Float32Array.from(values)
const i64 = (...values: readonly number[]) => BigInt64Array.from(values, BigInt)

/** The model, runs of it one after the other: inputs, and the outputs with their shapes. */
type Row = readonly [
  title: string,
  file: ModelFile,
  ...runs: (readonly [inputs: readonly TypedArray[], ...outputs: (readonly [number[], TypedArray])[]])[],
]

const five = f32(0, 0, 1, 1, 0, 0.1, 1, 1.1, 2, 2, 3, 3, 0.9, 0.9, 0, 0, 5, 5, 5, 5)
const image = f32(1, 2, 3, 4)
const wholes = (...values: readonly number[]): TensorSpec => fixed(ints(values.length), ...values)
const sizesFirst = (x: string, [size = '', ...rest]: readonly string[]) => [size, ...rest, x]

const rows: readonly Row[] = [
  [
    'RESHAPE',
    shaped('RESHAPE', real(6), [ints(2)], real(1, 1)),
    [
      [f32(1, 2, 3, 4, 5, 6), i32(-1, 2)],
      [[3, 2], f32(1, 2, 3, 4, 5, 6)],
    ],
    [
      [f32(1, 2, 3, 4, 5, 6), i32(6, 1)],
      [[6, 1], f32(1, 2, 3, 4, 5, 6)],
    ],
  ],
  [
    'RANGE',
    shaped('RANGE', int, [fixed(int, 10), int], ints(1)),
    [
      [i32(1), i32(3)],
      [[3], i32(1, 4, 7)],
    ],
    [
      [i32(9), i32(3)],
      [[1], i32(9)],
    ],
  ],
  [
    'RANGE of real numbers',
    shaped('RANGE', real(), [real(), real()], real(1)),
    [
      [f32(0.1), f32(1), f32(0.3)],
      [[3], f32(0.1, 0.4, 0.70000005)],
    ],
  ],
  [
    'FILL',
    shaped('FILL', real(), [ints(2)], real(1, 1), {}, sizesFirst as never),
    [
      [f32(7), i32(2, 3)],
      [[2, 3], f32(7, 7, 7, 7, 7, 7)],
    ],
    [
      [f32(7), i32(0, 3)],
      [[0, 3], f32()],
    ],
  ],
  [
    'TILE',
    shaped('TILE', real(2, 2), [ints(2)], real(1, 1)),
    [
      [image, i32(1, 3)],
      [[2, 6], f32(1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4)],
    ],
    [
      [image, i32(1, 1)],
      [[2, 2], image],
    ],
  ],
  [
    'SLICE',
    shaped('SLICE', real(4), [ints(1), ints(1)], real(1)),
    [
      [image, i32(1), i32(2)],
      [[2], f32(2, 3)],
    ],
    [
      [image, i32(3), i32(-1)],
      [[1], f32(4)],
    ],
  ],
  [
    'STRIDED_SLICE',
    shaped('STRIDED_SLICE', real(6), [ints(1), ints(1), ints(1)], real(1)),
    [
      [f32(1, 2, 3, 4, 5, 6), i32(-1), i32(0), i32(-2)],
      [[3], f32(6, 4, 2)],
    ],
  ],
  [
    'PAD',
    shaped('PAD', real(2), [ints(1, 2)], real(1)),
    [
      [f32(1, 2), i32(1, 2)],
      [[5], f32(0, 1, 2, 0, 0)],
    ],
  ],
  [
    'MIRROR_PAD',
    shaped('MIRROR_PAD', real(3), [ints(1, 2)], real(1), { mode: 0 }),
    [
      [f32(1, 2, 3), i32(1, 2)],
      [[6], f32(2, 1, 2, 3, 2, 1)],
    ],
  ],
  [
    'BROADCAST_TO',
    shaped('BROADCAST_TO', real(1, 3), [ints(2)], real(1, 1)),
    [
      [f32(1, 2, 3), i32(2, 3)],
      [[2, 3], f32(1, 2, 3, 1, 2, 3)],
    ],
  ],
  [
    'RESIZE_NEAREST_NEIGHBOR',
    shaped('RESIZE_NEAREST_NEIGHBOR', real(1, 2, 2, 1), [ints(2)], real(1, 1, 1, 1)),
    [
      [image, i32(3, 4)],
      [[1, 3, 4, 1], f32(1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4)],
    ],
  ],
  [
    'RESIZE_BILINEAR',
    shaped('RESIZE_BILINEAR', real(1, 2, 2, 1), [ints(2)], real(1, 1, 1, 1)),
    [
      [image, i32(4, 2)],
      [[1, 4, 2, 1], f32(1, 2, 2, 3, 3, 4, 3, 4)],
    ],
  ],
  [
    'TRANSPOSE_CONV',
    shaped(
      'TRANSPOSE_CONV',
      real(1, 2, 2, 1),
      [ints(4), fixed(real(1, 2, 2, 1), 1, 2, 3, 4)],
      real(1, 1, 1, 1),
      { padding: 1, strideW: 2, strideH: 2 },
      sizesFirst as never,
    ),
    [
      [image, i32(1, 4, 4, 1)],
      [[1, 4, 4, 1], f32(1, 2, 2, 4, 3, 4, 6, 8, 3, 6, 4, 8, 9, 12, 12, 16)],
    ],
    [
      [image, i32(1, 4, 5, 1)],
      [[1, 4, 5, 1], f32(1, 2, 2, 4, 0, 3, 4, 6, 8, 0, 3, 6, 4, 8, 0, 9, 12, 12, 16, 0)],
    ],
  ],
  [
    'TRANSPOSE',
    shaped('TRANSPOSE', real(2, 2), [ints(2)], real(1, 1)),
    [
      [image, i32(1, 0)],
      [[2, 2], f32(1, 3, 2, 4)],
    ],
    [
      [image, i32(0, 1)],
      [[2, 2], image],
    ],
  ],
  [
    'REVERSE_V2',
    shaped('REVERSE_V2', real(2, 2), [ints(1)], real(1, 1)),
    [
      [image, i32(0)],
      [[2, 2], f32(3, 4, 1, 2)],
    ],
    [
      [image, i32(1)],
      [[2, 2], f32(2, 1, 4, 3)],
    ],
  ],
  [
    'SUM over an axis',
    shaped('SUM', real(2, 3), [ints(1)], real(1), { keepDims: false }),
    [
      [f32(1, 2, 3, 4, 5, 6), i32(1)],
      [[2], f32(6, 15)],
    ],
    [
      [f32(1, 2, 3, 4, 5, 6), i32(0)],
      [[3], f32(5, 7, 9)],
    ],
  ],
  [
    'EXPAND_DIMS',
    shaped('EXPAND_DIMS', real(3), [int], real(1, 1)),
    [
      [f32(1, 2, 3), i32(-1)],
      [[3, 1], f32(1, 2, 3)],
    ],
    [
      [f32(1, 2, 3), i32(0)],
      [[1, 3], f32(1, 2, 3)],
    ],
  ],
  [
    'ONE_HOT',
    shaped('ONE_HOT', ints(3), [int, fixed(real(), 5), fixed(real(), -1)], real(1, 1), { axis: -1 }),
    [
      [i32(0, 2, 1), i32(3)],
      [[3, 3], f32(5, -1, -1, -1, -1, 5, -1, 5, -1)],
    ],
  ],
  [
    'WHERE, and what follows it',
    positives,
    [[f32(1, -2, 3, 0, 5, -6)], [[3], f32(2, 6, 10)], [[3, 1], i64(0, 2, 4)]],
    [[f32(-1, -2, -3, 0, 0, -6)], [[0], f32()], [[0, 1], i64()]],
    [[f32(1, 2, 3, 4, 5, 6)], [[6], f32(2, 4, 6, 8, 10, 12)], [[6, 1], i64(0, 1, 2, 3, 4, 5)]],
  ],
  [
    'WHERE of a matrix',
    shaped('WHERE', ints(2, 3), [], { dtype: 'int64', shape: [1, 2] }),
    [[i32(0, 3, 0, -1, 0, 2)], [[3, 2], i64(0, 1, 1, 0, 1, 2)]],
  ],
  [
    'UNIQUE',
    different('int32', 'int32'),
    [[i32(3, 1, 3, 2, 1, 9, 3)], [[4], i32(3, 1, 2, 9)], [[7], i32(0, 1, 0, 2, 1, 3, 0)]],
    [[i32(5, 5, 5, 5, 5, 5, 5)], [[1], i32(5)], [[7], i32(0, 0, 0, 0, 0, 0, 0)]],
  ],
  [
    'UNIQUE of real numbers',
    different('float32', 'int64'),
    [[f32(3, 1, 3, -0, 0, 9, 3)], [[4], f32(3, 1, -0, 9)], [[7], i64(0, 1, 0, 2, 2, 3, 0)]],
  ],
  [
    'NON_MAX_SUPPRESSION_V4',
    boxes(5, 0.5, 0.1),
    [
      [five, f32(0.9, 0.8, 0.7, 0.9, 0.5), i32(4)],
      [[4], i32(0, 2, 4, 4)],
      [[], i32(4)],
    ],
    [
      [five, f32(0.9, 0.8, 0.7, 0.9, 0.05), i32(4)],
      [[4], i32(0, 2, 0, 0)],
      [[], i32(2)],
    ],
    [
      [five, f32(0, 0, 0, 0, 0), i32(2)],
      [[2], i32(0, 0)],
      [[], i32(0)],
    ],
    [
      [five, f32(1, 1, 1, 1, 1), i32(0)],
      [[0], i32()],
      [[], i32(0)],
    ],
  ],
]
for (const [title, file, ...runs] of rows) {
  test(title, async (t) => {
    const loaded = await loadModel(encode(file))
    for (const [inputs, ...outputs] of [...runs, ...runs]) {
      for (const result of [loaded.runSync(inputs), await loaded.run(inputs)]) {
        t.deepEqual(
          result.map(({ shape, data }) => [[...shape], data]),
          outputs,
        )
      }
    }
    loaded.dispose()
  })
}

test('NON_MAX_SUPPRESSION_V5 lets scores sink', async (t) => {
  const loaded = await loadModel(encode(boxes(5, 0.9, 0.1, 0.5)))
  const [picked, kept, found] = loaded.runSync([five, f32(0.9, 0.8, 0.7, 0.9, 0.4), i32(3)])
  t.deepEqual(picked?.data, i32(0, 2, 3))
  // The last one is an exponential function, of which systems may differ in the last bit.
  for (const [i, score] of [0.9, 0.7, 0.46698388].entries()) {
    t.true(Math.abs(Number(kept?.data[i]) - score) < 1e-6)
  }
  t.is(found?.data[0], 3)
})

test('what a model says of an output that a run decides', async (t) => {
  const loaded = await loadModel(encode(positives))
  t.deepEqual(
    loaded.outputs.map(({ name, shapeSignature }) => [name, shapeSignature]),
    [
      ['z', [-1]],
      ['at', [-1, 1]],
    ],
  )
  t.deepEqual(loaded.inputs[0]?.shape, [6])
  t.true(loaded.memory.arenaBytes > 0)
  loaded.resize([[3]])
  t.deepEqual(loaded.runSync([f32(1, 0, 2)])[0]?.data, f32(2, 4))
})

test('given outputs are checked against the shape that came out', async (t) => {
  const loaded = await loadModel(encode(positives))
  const x = f32(1, -2, 3, 0, 5, -6)
  const outputs = [new Float32Array(3), new BigInt64Array(3)]
  const [z] = loaded.runSync([x], { outputs })
  t.is(z?.data, outputs[0])
  t.deepEqual(outputs, [f32(2, 6, 10), i64(0, 2, 4)])
  for (const wrong of [
    [new Float32Array(2), new BigInt64Array(3)],
    [new Float32Array(3), new BigInt64Array(4)],
  ]) {
    t.throws(() => loaded.runSync([x], { outputs: wrong }), { code: 'SHAPE_MISMATCH' })
    await t.throwsAsync(loaded.run([x], { outputs: wrong }), { code: 'SHAPE_MISMATCH' })
    t.true(
      wrong.every((array) => array.every((value) => Number(value) === 0)),
      'nothing was filled',
    )
  }
  t.throws(() => loaded.runSync([x], { outputs: [] }), { code: 'INPUT_COUNT' })
  t.throws(() => loaded.runSync([x], { outputs: [i32(1), i32(1)] as never }), { code: 'DTYPE_MISMATCH' })
})

test('kept tensors before and after what a run decides', async (t) => {
  const loaded = await loadModel(encode(positives))
  const { kept } = await loaded.run([f32(1, -2, 3, 0, 5, -6)], { keep: ['m', 'y', 'x', 'zero'] })
  t.deepEqual(kept['m']?.data, Uint8Array.of(1, 0, 1, 0, 1, 0))
  t.deepEqual([kept['y']?.shape, kept['y']?.data], [[3], f32(1, 3, 5)])
  t.is(kept['x']?.data.length, 6)
  t.deepEqual(kept['zero']?.data, f32(0))
})

test('profiles tell each step of such a run', async (t) => {
  const loaded = await loadModel(encode(positives))
  const steps = await loaded.profile([f32(1, -2, 3, 0, 5, -6)], { runs: 3 })
  t.deepEqual(
    steps.map(({ index, op, name }) => [index, op, name]),
    [
      [0, 'greater', 'm'],
      [1, 'where', 'at/whole'],
      [2, 'gather_nd', 'y'],
      [3, 'add', 'z'],
    ],
  )
  t.true(steps.every(({ kernel, medianUs }) => kernel !== '' && medianUs >= 0))
})

test('values that no shape can be made of fail the run, and the next one is as always', async (t) => {
  const loaded = await loadModel(encode(shaped('RESHAPE', real(6), [ints(2)], real(1, 1))))
  const x = f32(1, 2, 3, 4, 5, 6)
  for (const [sizes, code] of [
    [i32(4, 2), 'SHAPE_MISMATCH'],
    [i32(-1, -1), 'SHAPE_MISMATCH'],
  ] as const) {
    t.throws(() => loaded.runSync([x, sizes]), { code })
    await t.throwsAsync(loaded.run([x, sizes]), { code })
  }
  t.deepEqual(loaded.runSync([x, i32(2, 3)])[0]?.shape, [2, 3])
  const huge = await loadModel(encode(shaped('FILL', real(), [ints(2)], real(1, 1), {}, sizesFirst as never)))
  t.throws(() => huge.runSync([f32(1), i32(2 ** 20, 2 ** 20)]), { code: 'LIMIT_EXCEEDED' })
  t.throws(() => huge.runSync([f32(1), i32(2 ** 15, 2 ** 15)]), { code: 'LIMIT_EXCEEDED' })
  const nan = await loadModel(encode(different('float32', 'int32')))
  t.throws(() => nan.runSync([new Float32Array(7).fill(Number.NaN)]), { code: 'DATA_INVALID' })
})

test('what follows from constants is known while loading', async (t) => {
  const file = model([
    {
      tensors: {
        ...{ x: real(4), mask: { dtype: 'bool', shape: [4], data: [1, 0, 1, 1] } },
        ...{ at: { dtype: 'int64', shape: [3, 1] }, y: real(3) },
      },
      operators: [op('WHERE', ['mask'], ['at']), op('GATHER_ND', ['x', 'at'], ['y'])],
      inputs: ['x'],
      outputs: ['y'],
    },
  ])
  const loaded = await loadModel(encode(file))
  t.deepEqual(loaded.outputs[0]?.shapeSignature, [3])
  t.deepEqual(loaded.runSync([f32(1, 2, 3, 4)])[0]?.data, f32(1, 3, 4))
  t.is((await loaded.profile([f32(1, 2, 3, 4)], { runs: 1 })).length, 1)
})

const twice: CustomOp = {
  infer: ([x]) => [{ shape: x?.shape ?? [], dtype: 'float32' }],
  run([x], [y]) {
    const values = x?.data as Float32Array
    y?.data.set(values.map((value) => 2 * value) as never)
  },
}

test('custom operators on both sides of what a run decides', async (t) => {
  const file = model([
    {
      tensors: {
        ...{ x: real(4), a: real(4), size: ints(1), b: open(real(1)), c: open(real(1)), d: open(real(1)) },
        start: wholes(0),
      },
      operators: [
        op('Twice', ['x'], ['a']),
        op('SLICE', ['a', 'start', 'size'], ['b']),
        op('Twice', ['b'], ['c']),
        op('NEG', ['c'], ['d']),
      ],
      inputs: ['x', 'size'],
      outputs: ['d', 'a'],
    },
  ])
  const loaded = await loadModel(encode(file), { customOps: { Twice: twice } })
  for (const size of [1, 3, 4, 3, 1]) {
    const [d, a] = await loaded.run([image, i32(size)])
    t.deepEqual(d?.data, f32(-4, -8, -12, -16).slice(0, size))
    t.deepEqual(a?.data, f32(2, 4, 6, 8))
  }
  const failing: CustomOp = {
    ...twice,
    infer(inputs, options) {
      if (inputs[0]?.shape[0] === 2) throw new Error('not two')
      return twice.infer(inputs, options)
    },
  }
  const other = await loadModel(encode(file), { customOps: { Twice: failing } })
  await t.throwsAsync(other.run([image, i32(2)]), { code: 'CUSTOM_OP_FAILED' })
  t.deepEqual(other.runSync([image, i32(1)])[0]?.data, f32(-4))
})

test('many shapes at once, aborts, and dispose', async (t) => {
  const loaded = await loadModel(encode(growing))
  const sizes = Array.from({ length: 12 }, (_, i) => (7 * i) % 12)
  const results = await Promise.all(sizes.map((n) => loaded.run([i32(n)])))
  for (const [i, [list]] of results.entries()) {
    t.deepEqual(
      list?.data,
      Int32Array.from({ length: sizes[i] as number }, (_, k) => k),
    )
  }
  const stop = new AbortController()
  const aborted = loaded.run([i32(2 ** 30)], { signal: stop.signal })
  setTimeout(() => stop.abort(new Error('enough')), 20)
  await t.throwsAsync(aborted, { message: 'enough' })
  const last = loaded.run([i32(9)])
  loaded.dispose()
  t.is((await last)[0]?.data.length, 9)
  t.throws(() => loaded.runSync([i32(1)]), { code: 'DISPOSED' })
})

test('weights after what a run decides are packed once', async (t) => {
  const [rows, depth] = [64, 64]
  const file = model([
    {
      tensors: {
        ...{ x: { dtype: 'int8', shape: [rows, depth], scale: 1 }, size: ints(2), start: wholes(0, 0) },
        ...{ b: { dtype: 'int8', shape: [1, depth], shapeSignature: [-1, depth], scale: 1 } },
        w: {
          dtype: 'int8',
          shape: [depth, depth],
          scale: 1 / 64,
          data: new Int8Array(depth * depth).fill(1),
        },
        y: { dtype: 'int8', shape: [1, depth], shapeSignature: [-1, depth], scale: 1 },
      },
      operators: [op('SLICE', ['x', 'start', 'size'], ['b']), op('FULLY_CONNECTED', ['b', 'w', null], ['y'])],
      inputs: ['x', 'size'],
      outputs: ['y'],
    },
  ])
  const limits = { memory: 2 ** 30, steps: 100, passes: 100 }
  const source = sourceOf(decode(encode(file)), { threads: 1, isa: undefined, memory: 'balanced', limits })
  const shared: number[] = []
  const spied = {
    ...source,
    stage(...args: Parameters<typeof source.stage>) {
      const stage = source.stage(...args)
      for (const part of stage.parts) {
        if (part.kind === 'native') shared.push(part.program.info().sharedBytes)
      }
      return stage
    },
  }
  const { program } = compile(spied, { subgraph: 0 })
  const x = new Int8Array(rows * depth).fill(3)
  for (let n = 1; n <= rows; n++) {
    const [y] = (program as Script).run([x, i32(n, depth)])
    t.deepEqual(y?.shape, [n, depth])
    t.true(y?.bytes.every((code) => code === 3))
  }
  t.is(shared.length, rows, 'a plan for each shape')
  t.is(shared[0], 0)
  // Rows of one and rows of many may be packed for kernels of their own.
  t.true(
    shared.slice(8).every((bytes) => bytes >= depth * depth),
    shared.join(),
  )
  program.dispose()
  source.stages.close()
})

test.serial('memory stays flat over many shapes', async (t) => {
  const loaded = await loadModel(encode(shaped('TILE', real(1, 64), [ints(2)], real(1, 1))))
  const x = new Float32Array(64).fill(1)
  const run = (n: number) => t.is(loaded.runSync([x, i32(n, 16)])[0]?.data.length, n * 1024)
  const used = () => {
    global.gc?.()
    return process.memoryUsage().rss
  }
  for (let n = 1; n <= 300; n++) run(n)
  const before = used()
  for (let n = 301; n <= 900; n++) run(n % 400)
  t.true(used() - before < 300 * 2 ** 20, `${(used() - before) / 2 ** 20} MiB`)
  loaded.dispose()
})

test('a loop with a stop in its body', async (t) => {
  // x -> x with its last element cut off, n times.
  const file = model([
    {
      tensors: { x: real(5), n: int, zero: fixed(int, 0), i2: int, n2: int, y: open(real(1)) },
      operators: [loop(1, 2, ['zero', 'n', 'x'], ['i2', 'n2', 'y'])],
      inputs: ['n', 'x'],
      outputs: ['y'],
    },
    {
      tensors: { i: int, n: int, x: open(real(1)), c: { dtype: 'bool', shape: [] } },
      operators: [op('LESS', ['i', 'n'], ['c'])],
      inputs: ['i', 'n', 'x'],
      outputs: ['c'],
    },
    {
      tensors: {
        ...{ i: int, n: int, x: open(real(1)), one: fixed(int, 1), i2: int, shape: ints(1), less: ints(1) },
        ...{ start: wholes(0), y: open(real(1)) },
      },
      operators: [
        op('ADD', ['i', 'one'], ['i2']),
        op('SHAPE', ['x'], ['shape'], { outType: 2 }),
        op('SUB', ['shape', 'one'], ['less']),
        op('SLICE', ['x', 'start', 'less'], ['y']),
      ],
      inputs: ['i', 'n', 'x'],
      outputs: ['i2', 'n', 'y'],
    },
  ])
  const loaded = await loadModel(encode(file))
  for (const n of [0, 2, 5]) {
    const [y] = await loaded.run([i32(n), f32(1, 2, 3, 4, 5)])
    t.deepEqual([y?.shape, y?.data], [[5 - n], f32(1, 2, 3, 4, 5).slice(0, 5 - n)])
  }
})
