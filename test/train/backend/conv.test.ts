// Convolutions, products of matrices, pools and their gradients: what the CPU backend gives, within bounds that follow
// from the number of additions. The size of the sums is what the operation gives of magnitudes.

import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core'
import test, { type ExecutionContext } from 'ava'
import { distance, EDGES, kernelsOf, numbers, on, sizeOf, tf } from './backends.js'

const U = 2 ** -24

/** Each side adds up to `count` products, the CPU backend with a rounding to float32 at each. */
const boundOf = (count: number) => 2 * (count + 2) * U

/** `work` of arrays of `shapes` on both backends; `kernel` is to have run natively. */
function compare(
  t: ExecutionContext,
  kernel: string,
  count: number,
  shapes: readonly (readonly number[])[],
  work: (...tensors: Tensor[]) => Tensor,
): void {
  const data = shapes.map((shape, i) => numbers(sizeOf(shape), i + 7))
  const make = (sign: (x: number) => number) => () =>
    work(...data.map((array, i) => tf.tensor(array.map(sign), [...(shapes[i] as number[])])))
  const plain = make((x) => x)
  const [want] = on('cpu', plain) as [Float32Array]
  const [size] = on('cpu', make(Math.abs)) as [Float32Array]
  let got = new Float32Array()
  const names = kernelsOf(() => {
    got = on('lowbit', plain)[0] as Float32Array<ArrayBuffer>
  })
  t.true(names.includes(kernel), `${names}`)
  t.is(got.length, want.length)
  const bad = got.findIndex(
    (x, i) => !(Math.abs(x - (want[i] as number)) <= boundOf(count) * (size[i] as number)),
  )
  t.is(bad, -1, `${got[bad]} is not ${want[bad]}`)
  t.deepEqual(on('lowbit', plain)[0], got) // the same bits again
}

/** Batch, height, width, channels, filter height and width, outputs or multiplier, stride, padding, dilation. */
type Case = [number, number, number, number, number, number, number, number, 'same' | 'valid', number]
const CASES: readonly Case[] = [
  [1, 1, 1, 1, 1, 1, 1, 1, 'valid', 1],
  [2, 9, 7, 3, 3, 3, 5, 1, 'same', 1],
  [1, 8, 8, 4, 5, 3, 33, 2, 'same', 1],
  [2, 11, 10, 6, 3, 3, 17, 2, 'valid', 1],
  [1, 9, 10, 2, 1, 1, 40, 2, 'same', 1],
  [1, 13, 9, 20, 2, 4, 31, 3, 'same', 1],
  [2, 7, 7, 33, 3, 3, 32, 1, 'valid', 1],
  [3, 16, 15, 8, 3, 3, 16, 1, 'same', 1],
  [4, 30, 30, 16, 3, 3, 24, 1, 'valid', 1],
  [1, 12, 12, 2, 3, 3, 8, 1, 'same', 2],
  [1, 12, 14, 5, 3, 2, 9, 1, 'valid', 3],
]

for (const [n, h, w, c, kh, kw, o, stride, pad, dilation] of CASES) {
  const name = `[${n}, ${h}, ${w}, ${c}] by [${kh}, ${kw}, ${c}, ${o}], stride ${stride}, ${pad}, dilation ${dilation}`
  const x = [n, h, w, c]
  const f = [kh, kw, c, o]
  const { outShape: y } = tf.backend_util.computeConv2DInfo(
    x as [number, number, number, number],
    f as [number, number, number, number],
    stride,
    dilation,
    pad,
  )
  const conv = (image: Tensor, filter: Tensor) =>
    tf.conv2d(image as Tensor4D, filter as Tensor4D, stride, pad, 'NHWC', dilation)
  test(`conv2d of ${name}`, (t) => {
    compare(t, 'Conv2D', kh * kw * c, [x, f], conv)
    for (const activation of ['linear', 'relu', 'relu6'] as const) {
      compare(t, 'FusedConv2D', kh * kw * c + 1, [x, f, [o]], (image, filter, bias) =>
        tf.fused.conv2d({
          x: image as Tensor4D,
          filter: filter as Tensor4D,
          strides: stride,
          pad,
          dilations: dilation,
          bias: bias as Tensor,
          activation,
        }),
      )
    }
  })
  if (dilation === 1) {
    test(`gradients of conv2d of ${name}`, (t) => {
      compare(
        t,
        'Conv2DBackpropInput',
        kh * kw * o,
        [x, f, y],
        (image, filter, dy) => tf.grads(conv)([image, filter] as Tensor[], dy as Tensor)[0] as Tensor,
      )
      compare(
        t,
        'Conv2DBackpropFilter',
        sizeOf(y) / o,
        [x, f, y],
        (image, filter, dy) => tf.grads(conv)([image, filter] as Tensor[], dy as Tensor)[1] as Tensor,
      )
    })
  }
  const multiplier = o % 3 || 3
  const deep = [kh, kw, c, multiplier]
  const deepY = [...y.slice(0, 3), c * multiplier]
  const depthwise = (image: Tensor, filter: Tensor) =>
    tf.depthwiseConv2d(image as Tensor4D, filter as Tensor4D, stride, pad, 'NHWC', dilation)
  test(`depthwise, multiplier ${multiplier}, of ${name}`, (t) => {
    compare(t, 'DepthwiseConv2dNative', kh * kw, [x, deep], depthwise)
    compare(t, 'FusedDepthwiseConv2D', kh * kw + 1, [x, deep, [c * multiplier]], (image, filter, bias) =>
      tf.fused.depthwiseConv2d({
        x: image as Tensor4D,
        filter: filter as Tensor4D,
        strides: stride,
        pad,
        dilations: dilation,
        bias: bias as Tensor,
        activation: 'relu6',
      }),
    )
    if (dilation > 1) return // the CPU backend takes the gradients of another filter then
    compare(
      t,
      'DepthwiseConv2dNativeBackpropInput',
      kh * kw * multiplier,
      [x, deep, deepY],
      (image, filter, dy) => tf.grads(depthwise)([image, filter] as Tensor[], dy as Tensor)[0] as Tensor,
    )
    compare(
      t,
      'DepthwiseConv2dNativeBackpropFilter',
      sizeOf(y) / o,
      [x, deep, deepY],
      (image, filter, dy) => tf.grads(depthwise)([image, filter] as Tensor[], dy as Tensor)[1] as Tensor,
    )
  })
}

const EXTENTS = [
  [1, 1, 1],
  [2, 3, 5],
  [7, 33, 31],
  [8, 64, 32],
  [17, 5, 65],
  [130, 40, 70],
  [64, 300, 96],
] as const
for (const [m, k, n] of EXTENTS) {
  for (const flags of [0, 1, 2, 3]) {
    const [turnA, turnB] = [(flags & 1) > 0, flags > 1]
    const a = turnA ? [k, m] : [m, k]
    const b = turnB ? [n, k] : [k, n]
    test(`matMul ${m} x ${k} x ${n}, transposed ${turnA}, ${turnB}`, (t) => {
      compare(t, 'BatchMatMul', k, [a, b], (x, y) => tf.matMul(x as Tensor, y as Tensor, turnA, turnB))
      compare(t, 'BatchMatMul', k, [[3, ...a], b], (x, y) =>
        tf.matMul(x as Tensor, y as Tensor, turnA, turnB),
      )
      compare(
        t,
        'BatchMatMul',
        k,
        [
          [4, ...a],
          [1, ...b],
        ],
        (x, y) => tf.matMul(x as Tensor, y as Tensor, turnA, turnB),
      )
      for (const activation of ['linear', 'relu', 'relu6'] as const) {
        compare(t, '_FusedMatMul', k + 1, [a, b, [n]], (x, y, bias) =>
          tf.fused.matMul({
            a: x as Tensor,
            b: y as Tensor,
            transposeA: turnA,
            transposeB: turnB,
            bias: bias as Tensor,
            activation,
          }),
        )
      }
    })
  }
}

for (const [h, w, c, filter, stride, pad] of [
  [1, 1, 1, 1, 1, 'valid'],
  [8, 8, 32, 2, 2, 'valid'],
  [9, 7, 17, 2, 2, 'same'],
  [9, 7, 5, 3, 2, 'valid'],
  [9, 11, 16, 3, 1, 'valid'],
  [9, 11, 33, 3, 1, 'same'],
  [13, 12, 3, 2, 3, 'valid'],
  [40, 40, 8, 5, 4, 'same'],
] as const) {
  const x = [3, h, w, c]
  const y = tf.backend_util.computePool2DInfo(
    x as [number, number, number, number],
    filter,
    stride,
    1,
    pad,
  ).outShape
  const gradient = (pool: (image: Tensor) => Tensor) => (image: Tensor, dy: Tensor) =>
    tf.grad(pool)(image, dy)
  const max = (image: Tensor) => tf.maxPool(image as Tensor4D, filter, stride, pad)
  const average = (image: Tensor) => tf.avgPool(image as Tensor4D, filter, stride, pad)
  test(`pools of [${x}] by ${filter}, stride ${stride}, ${pad}`, (t) => {
    compare(t, 'MaxPool', 0, [x], max as never)
    compare(t, 'MaxPoolGrad', filter ** 2, [x, y], ((image: Tensor, dy: Tensor) =>
      tf.grad(max)(tf.tensor(numbers(image.size, 5), image.shape), dy)) as never)
    compare(t, 'AvgPool', filter ** 2 + 1, [x], average as never)
    // TensorFlow.js divides the gradient by the whole window where the average is over a part of it.
    if (pad === 'valid') compare(t, 'AvgPoolGrad', filter ** 2 + 1, [x, y], gradient(average) as never)
  })
}

for (const channels of [1, 17, 40]) {
  test(`the largest of windows with NaN and infinities, ${channels} channels`, (t) => {
    const data = numbers(2 * 6 * 6 * channels, 3).map((x, i) =>
      i % 3 ? x : (EDGES[i % EDGES.length] as number),
    )
    data.fill(NaN, 0, 4 * channels) // whole windows
    const image = () => tf.tensor4d(data, [2, 6, 6, channels])
    for (const filter of [2, 3]) {
      const [want] = on('cpu', () => tf.maxPool(image(), filter, 2, 'same'))
      let got: ReturnType<typeof on> = []
      t.deepEqual(
        kernelsOf(() => {
          got = on('lowbit', () => tf.maxPool(image(), filter, 2, 'same'))
        }),
        ['MaxPool'],
      )
      t.is(distance(got[0] as Float32Array, want as Float32Array), 0)
    }
  })
}

test('the gradient of an average over windows that padding cuts is that of the average', (t) => {
  tf.setBackend('lowbit')
  const x = tf.tensor4d(numbers(2 * 5 * 5 * 3, 1), [2, 5, 5, 3])
  const run = (image: Tensor) => tf.avgPool(image as Tensor4D, 3, 2, 'same')
  const dy = run(x)
  const dx = tf.grad(run)(x, dy)
  const v = tf.tensor4d(numbers(x.size, 2), x.shape)
  const dot = (a: Tensor, b: Tensor) => tf.sum(tf.mul(a, b)).arraySync() as number
  const [a, b] = [dot(dy, run(v)), dot(dx, v)]
  t.true(Math.abs(a - b) <= boundOf(200) * (tf.sum(tf.abs(dx)).arraySync() as number), `${a} is not ${b}`)
  tf.dispose([x, dy, dx, v])
})

test('what native kernels do not take is left to those of TensorFlow.js', (t) => {
  const image = () => tf.tensor4d(numbers(2 * 6 * 6 * 3, 1), [2, 6, 6, 3])
  const filter = () => tf.tensor4d(numbers(3 * 3 * 3 * 4, 2), [3, 3, 3, 4])
  const works: (() => Tensor)[] = [
    () =>
      tf.conv2d(image(), filter(), 1, [
        [0, 0],
        [5, 1],
        [2, 7],
        [0, 0],
      ]),
    () =>
      tf.maxPool(image(), 2, 1, [
        [0, 0],
        [1, 1],
        [1, 1],
        [0, 0],
      ] as never),
    () => tf.fused.conv2d({ x: image(), filter: filter(), strides: 1, pad: 'same', activation: 'elu' }),
    () => tf.fused.matMul({ a: tf.ones([2, 3]), b: tf.ones([3, 4]), bias: tf.scalar(2) }),
    () => tf.matMul(tf.tensor2d([1, 2], [1, 2], 'int32'), tf.tensor2d([3, 4], [2, 1], 'int32')),
  ]
  for (const work of works) {
    const [got, want] = [on('lowbit', work)[0], on('cpu', work)[0]] as [Float32Array, Float32Array]
    t.is(got.length, want.length)
    for (const [i, x] of got.entries()) t.true(Math.abs(x - (want[i] as number)) <= boundOf(27) * 27)
  }
})
