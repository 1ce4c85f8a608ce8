// Element by element: every native kernel gives what the CPU backend gives, within the bound of its row.

import type { Tensor } from '@tensorflow/tfjs-core'
import test from 'ava'
import { distance, EDGES, kernelsOf, numbers, on, sizeOf, tf } from './backends.js'

/** Half a unit in the last place. */
const U = 2 ** -24

const values = (shape: readonly number[], seed: number) => {
  const all = numbers(sizeOf(shape), seed, 8)
  for (let i = 0; i < all.length; i += 3) all[i] = EDGES[(i / 3 + seed) % EDGES.length] as number
  return tf.tensor(all, [...shape])
}

/** Pairs of shapes that broadcast: equal, a number, rows, columns, both ways, ranks that differ. */
const PAIRS = [
  [[], []],
  [[1], [1]],
  [[67], [67]],
  [[67], []],
  [[], [67]],
  [[9, 33], [33]],
  [
    [9, 33],
    [9, 1],
  ],
  [
    [9, 1],
    [1, 33],
  ],
  [
    [2, 5, 3, 17],
    [3, 1],
  ],
  [
    [2, 1, 3, 17],
    [2, 5, 1, 1],
  ],
  [[4, 600, 5], [5]],
  [
    [120, 130],
    [120, 130],
  ],
] as const

const BINARY: readonly [string, string, (a: Tensor, b: Tensor) => Tensor][] = [
  ['Add', 'add', tf.add],
  ['Sub', 'sub', tf.sub],
  ['Multiply', 'mul', tf.mul],
  ['RealDiv', 'div', tf.div],
  ['Maximum', 'maximum', tf.maximum],
  ['Minimum', 'minimum', tf.minimum],
  ['SquaredDifference', 'squaredDifference', tf.squaredDifference],
  ['Equal', 'equal', tf.equal],
  ['NotEqual', 'notEqual', tf.notEqual],
  ['Greater', 'greater', tf.greater],
  ['GreaterEqual', 'greaterEqual', tf.greaterEqual],
  ['Less', 'less', tf.less],
  ['LessEqual', 'lessEqual', tf.lessEqual],
]
for (const [kernel, name, run] of BINARY) {
  test(`${name}: the same bits, whatever broadcasts`, (t) => {
    for (const [a, b] of PAIRS) {
      const work = () => run(values(a, 1), values(b, 2))
      // A difference of two operands is rounded before it is squared, in the CPU backend only afterwards.
      const bound = name === 'squaredDifference' ? 4 * U : 0
      t.true(kernelsOf(() => on('lowbit', work)).includes(kernel), `${name} ${a} ${b} is not native`)
      const [got, want] = [on('lowbit', work)[0], on('cpu', work)[0]]
      t.true(distance(got as Float32Array, want as Float32Array) <= bound, `${name} ${a} ${b}`)
    }
  })
}

/** Bound: of |got - want| / (|want| + floor). Where the floor is 0, the error is relative. */
const UNARY: readonly [string, string, (x: Tensor) => Tensor, { bound: number; floor?: number }][] = [
  ['Relu', 'relu', tf.relu, { bound: 0 }],
  ['Relu6', 'relu6', tf.relu6, { bound: 0 }],
  ['LeakyRelu', 'leakyRelu', (x) => tf.leakyRelu(x, 0.1), { bound: 2 * U, floor: 2 ** -126 }],
  ['Abs', 'abs', tf.abs, { bound: 0 }],
  ['Neg', 'neg', tf.neg, { bound: 0 }],
  ['Square', 'square', tf.square, { bound: 0 }],
  ['Ceil', 'ceil', tf.ceil, { bound: 0 }],
  ['Floor', 'floor', tf.floor, { bound: 0 }],
  ['Round', 'round', tf.round, { bound: 0 }],
  ['Sign', 'sign', tf.sign, { bound: 0 }],
  ['Sqrt', 'sqrt', tf.sqrt, { bound: 0 }],
  ['Rsqrt', 'rsqrt', tf.rsqrt, { bound: 3 * U }],
  ['Sigmoid', 'sigmoid', tf.sigmoid, { bound: 4 * U, floor: 1 }],
  ['Tanh', 'tanh', tf.tanh, { bound: 8 * U }],
  ['Exp', 'exp', tf.exp, { bound: 4 * U }],
  ['Log', 'log', tf.log, { bound: 4 * U, floor: 1 }],
  ['Elu', 'elu', tf.elu, { bound: 8 * U }],
  ['ClipByValue', 'clipByValue', (x) => tf.clipByValue(x, -0.5, 2), { bound: 0 }],
  ['Prelu', 'prelu', (x) => tf.prelu(x, 0.25), { bound: 0 }],
]
for (const [kernel, name, run, { bound, floor }] of UNARY) {
  test(`${name}: within ${bound / U} 2^-24`, (t) => {
    for (const shape of [[], [1], [7], [16], [17], [3, 33], [70, 901]]) {
      const work = () => run(values(shape, 3))
      t.true(kernelsOf(() => on('lowbit', work)).includes(kernel), `${name} ${shape} is not native`)
      const apart = distance(on('lowbit', work)[0] as Float32Array, on('cpu', work)[0] as Float32Array, floor)
      t.true(apart <= bound, `${name} ${shape}: ${apart / U} 2^-24`)
    }
  })
}

for (const [name, run] of [
  ['sin', tf.sin],
  ['cos', tf.cos],
] as const) {
  test(`${name} of finite numbers`, (t) => {
    const work = () => run(tf.tensor(numbers(1001, 4, 20)))
    const apart = distance(on('lowbit', work)[0] as Float32Array, on('cpu', work)[0] as Float32Array, 1)
    t.true(apart <= 4 * U, `${apart / U} 2^-24`)
  })
}

test('conditions choose elements, and whole slices', (t) => {
  const condition = (count: number) =>
    tf.tensor(
      Array.from({ length: count }, (_, i) => i % 3 === 0),
      [count],
      'bool',
    )
  for (const shape of [[1], [33], [7, 5], [2, 3, 4, 40]]) {
    const count = sizeOf(shape)
    const full = () => tf.where(tf.reshape(condition(count), shape), values(shape, 5), values(shape, 6))
    t.true(kernelsOf(() => on('lowbit', full)).includes('Select'))
    t.is(distance(on('lowbit', full)[0] as Float32Array, on('cpu', full)[0] as Float32Array), 0)
  }
  const both = () => tf.logicalAnd(condition(50), tf.logicalOr(condition(50), tf.logicalNot(condition(50))))
  t.deepEqual(on('lowbit', both), on('cpu', both))
})

test('casts', (t) => {
  const x = (dtype: 'bool' | 'int32' | 'float32') =>
    tf.tensor(dtype === 'bool' ? [1, 0, 1] : dtype === 'int32' ? [3, -4, 1 << 20] : [0.5, 0, -0], [3], dtype)
  for (const from of ['bool', 'int32', 'float32'] as const) {
    for (const to of ['bool', 'int32', 'float32'] as const) {
      // Behind a cast, a kernel must see real numbers of its type.
      const work = () => {
        const cast = tf.cast(x(from), to)
        return [cast, tf.add(tf.cast(cast, 'float32'), 0.25)]
      }
      for (const [i, got] of on('lowbit', work).entries()) {
        t.deepEqual([...got], [...(on('cpu', work)[i] as Float32Array)], `${from} to ${to}`)
      }
    }
  }
})

test('tensors without elements', (t) => {
  for (const work of [
    () => tf.add(tf.zeros([0, 3]), tf.ones([3])),
    () => tf.relu(tf.zeros([0])),
    () => tf.greater(tf.zeros([2, 0]), 1),
    () => tf.sum(tf.zeros([0, 3]), 0),
    () => tf.concat([tf.zeros([0, 3]), tf.ones([2, 3])]),
    () => tf.transpose(tf.zeros([0, 3])),
  ]) {
    t.deepEqual(on('lowbit', work), on('cpu', work))
  }
})
