// .npy files of all versions, types and byte orders; and everything that is none.

import test from 'ava'
import { readNpy } from '#lib/data/npy.js'
import { npy } from '../helpers/npy.js'

test('a file as NumPy writes it', (t) => {
  // numpy.save of numpy.array([[1, -2, 3]], dtype='<i2')
  const header = `{'descr': '<i2', 'fortran_order': False, 'shape': (1, 3), }`.padEnd(117)
  const bytes = Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1'),
    Buffer.from(`${header}\n`),
    Buffer.from([1, 0, 254, 255, 3, 0]),
  ])
  t.deepEqual(readNpy(bytes, 'a.npy'), { shape: [1, 3], dtype: 'int16', data: Int16Array.of(1, -2, 3) })
})

const arrays = [
  ['|b1', 'bool', Uint8Array.of(0, 1)],
  ['|i1', 'int8', Int8Array.of(-1, 2)],
  ['|u1', 'uint8', Uint8Array.of(255, 2)],
  ['<u2', 'uint16', Uint16Array.of(1, 65535)],
  ['<i4', 'int32', Int32Array.of(-1, 2 ** 30)],
  ['<u4', 'uint32', Uint32Array.of(1, 2 ** 31)],
  ['<i8', 'int64', BigInt64Array.of(-1n, 2n ** 40n)],
  ['<u8', 'uint64', BigUint64Array.of(1n, 2n ** 63n)],
  ['<f2', 'float16', Uint16Array.of(0x3c00, 0x8001)],
  ['<f4', 'float32', Float32Array.of(0.1, Number.NEGATIVE_INFINITY)],
  ['<f8', 'float64', Float64Array.of(0.1, -3e300)],
] as const
for (const [descr, dtype, data] of arrays) {
  test(`${descr} in both byte orders and all versions`, (t) => {
    for (const version of [1, 2, 3]) {
      t.deepEqual(readNpy(npy(data, [2, 1], { descr, version }), ''), { shape: [2, 1], dtype, data })
    }
    const turned = npy(data, [2], { descr: descr.replace('<', '>') })
    const [size, start] = [data.BYTES_PER_ELEMENT, turned.length - data.byteLength]
    for (let at = start; at < turned.length; at += size) turned.subarray(at, at + size).reverse()
    t.deepEqual(readNpy(turned, '').data, data)
  })
}

test('shapes: scalars, nothing, vectors in any order', (t) => {
  const one = Float32Array.of(1)
  t.deepEqual(readNpy(npy(one, []), '').shape, [])
  t.deepEqual(readNpy(npy(one, [1, 1], { fortran: true }), '').shape, [1, 1])
  t.deepEqual(readNpy(npy(new Float32Array(0), [0, 5]), '').data, new Float32Array(0))
})

const two = Float32Array.of(1, 2)
const whole = npy(two, [2])
const refused: readonly (readonly [string, Uint8Array])[] = [
  ['nothing', new Uint8Array(0)],
  ['another file', Buffer.from('P6 2 2 255')],
  ['version 9', npy(two, [2], { version: 9 })],
  ['objects', npy(two, [2], { descr: '|O' })],
  ['complex numbers', npy(two, [1], { descr: '<c8' })],
  ['texts', npy(two, [2], { descr: '<U1' })],
  ['records', npy(two, [2], { descr: '|V4' })],
  ["Fortran's order", npy(new Float32Array(4), [2, 2], { fortran: true })],
  ['too few elements', npy(two, [3])],
  ['far too many elements', npy(two, [2 ** 30, 2 ** 30, 2 ** 30])],
  ['a negative extent', npy(two, [-2])],
]
for (const [title, bytes] of refused) {
  test(`refused: ${title}`, (t) => {
    t.throws(() => readNpy(bytes, 'a.npy'), { code: 'DATA_INVALID', message: /^a\.npy: / })
  })
}

test('refused: every file that is cut short', (t) => {
  for (let end = 0; end < whole.length; end++) {
    t.throws(() => readNpy(whole.subarray(0, end), ''), { code: 'DATA_INVALID' })
  }
})
