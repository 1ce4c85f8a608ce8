// Small inputs and outputs, which go to native code by way of memory that it knows, keep every promise of runSync.

import test from 'ava'
import { encode } from '#lib/format/tflite/encode.js'
import { loadModel, type Model, type TensorData } from '#lib/index.js'
import { op, real } from '../helpers/flow-models.js'
import { model } from '../helpers/model-builder.js'

const load = async (count = 4) => {
  const file = model([
    {
      tensors: { a: real(count), b: real(count), sum: real(count), product: real(count) },
      operators: [op('ADD', ['a', 'b'], ['sum']), op('MUL', ['a', 'b'], ['product'])],
      inputs: ['a', 'b'],
      outputs: ['sum', 'product'],
    },
  ])
  return await loadModel(encode(file), { threads: 1 })
}
const A = Float32Array.of(1, 2, 3, 4)
const B = Float32Array.of(10, 20, 30, 40)
const SUM = [11, 22, 33, 44]
const PRODUCT = [10, 40, 90, 160]
const dataOf = (loaded: Model, inputs: readonly TensorData[]) =>
  loaded.runSync(inputs).map(({ data }) => [...(data as Float32Array)])

test('results are arrays of their own, run after run, on either side of the limit', async (t) => {
  for (const count of [4, 1000, 1024, 1025, 5000]) {
    const loaded = await load(count)
    const a = Float32Array.from({ length: count }, (_, i) => i)
    const b = new Float32Array(count).fill(3)
    const first = loaded.runSync([a, b]).map(({ data }) => data)
    loaded.runSync([b, b])
    t.deepEqual(
      first[0],
      a.map((x) => x + 3),
    )
    t.deepEqual(
      first[1],
      a.map((x) => x * 3),
    )
    t.is(first[0]?.buffer.byteLength, 4 * count)
    loaded.dispose()
  }
})

test('arrays that are parts of one buffer, and outputs that lie over inputs', async (t) => {
  const loaded = await load()
  const buffer = new ArrayBuffer(64)
  const [a, b] = [new Float32Array(buffer, 4, 4), new Float32Array(buffer, 20, 4)]
  a.set(A)
  b.set(B)
  loaded.runSync([a, b], { outputs: [b, a] })
  t.deepEqual([...b], SUM)
  t.deepEqual([...a], PRODUCT)
  t.deepEqual([...new Float32Array(buffer, 36)], new Array(7).fill(0))
})

test('arrays over shared memory serve as inputs, others are refused', async (t) => {
  const loaded = await load()
  const shared = new Float32Array(new SharedArrayBuffer(16))
  shared.set(A)
  t.deepEqual(dataOf(loaded, [shared, B]), [SUM, PRODUCT])
  const Resizable = ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer
  const detached = Float32Array.from(A)
  structuredClone(detached.buffer, { transfer: [detached.buffer] })
  for (const [bad, code] of [
    [new Float32Array(new Resizable(16, { maxByteLength: 32 })), 'OPTION_INVALID'],
    [detached, 'SHAPE_MISMATCH'],
    [new Float32Array(5), 'SHAPE_MISMATCH'],
    [new Float64Array(4), 'DTYPE_MISMATCH'],
    [new DataView(new ArrayBuffer(16)), 'OPTION_INVALID'],
    [new Proxy(A, {}), 'OPTION_INVALID'],
  ] as const) {
    t.throws(() => loaded.runSync([A, bad as Float32Array]), { name: 'LowbitError', code })
    const outputs = [new Float32Array(4), bad as Float32Array]
    t.throws(() => loaded.runSync([A, B], { outputs }), { name: 'LowbitError', code })
    t.deepEqual([...(outputs[0] as Float32Array)], [0, 0, 0, 0])
  }
  t.deepEqual(dataOf(loaded, [A, B]), [SUM, PRODUCT])
})

test('properties of its own do not make an array pass for another', async (t) => {
  const loaded = await load()
  const short = Object.defineProperty(new Float32Array(3), 'length', { value: 4 })
  const view = Object.defineProperties(new DataView(new ArrayBuffer(16)), {
    length: { value: 4 },
    [Symbol.toStringTag]: { value: 'Float32Array' },
  })
  for (const bad of [short, view as unknown as Float32Array]) {
    t.throws(() => loaded.runSync([A, bad]), { name: 'LowbitError' })
    t.throws(() => loaded.runSync([A, B], { outputs: [new Float32Array(4), bad] }), { name: 'LowbitError' })
  }
})

test('a list whose getter detaches an array that was checked, or runs the model', async (t) => {
  const loaded = await load()
  const list = (inputs: readonly Float32Array[], meanwhile: () => void) =>
    new Proxy(inputs, {
      get(target, key) {
        if (key === '1') meanwhile()
        return Reflect.get(target, key) as unknown
      },
    })
  const a = Float32Array.from(A)
  const detach = () => structuredClone(a.buffer, { transfer: [a.buffer] })
  t.throws(() => loaded.runSync(list([a, B], detach)), { name: 'LowbitError' })
  const nested: number[][][] = []
  const outer = list([A, B], () => nested.push(dataOf(loaded, [B, B])))
  t.deepEqual(dataOf(loaded, outer), [SUM, PRODUCT])
  t.deepEqual(nested[0]?.[0], [20, 40, 60, 80])
})

test('a disposed model says so', async (t) => {
  const loaded = await load()
  loaded.runSync([A, B])
  loaded.dispose()
  t.throws(() => loaded.runSync([A, B]), { name: 'LowbitError', code: 'DISPOSED' })
})
