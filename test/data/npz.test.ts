// .npz files: archives as NumPy writes them, stored and deflated; and everything that is none.

import test from 'ava'
import { readNpz } from '#lib/data/npz.js'
import { npy } from '../helpers/npy.js'
import { zip } from '../helpers/zip.js'

const x = npy(Float32Array.of(1, 2), [2])
const y = npy(Int8Array.of(3), [1], { descr: '|i1' })

test('arrays by name, in order, packed or not; other files are passed over', (t) => {
  const file = zip([
    { name: 'x.npy', data: x, deflate: true },
    { name: 'read.me', data: Uint8Array.of(1) },
    { name: 'y.npy', data: y },
  ])
  t.deepEqual(
    [...readNpz(file, '')],
    [
      ['x', { shape: [2], dtype: 'float32', data: Float32Array.of(1, 2) }],
      ['y', { shape: [1], dtype: 'int8', data: Int8Array.of(3) }],
    ],
  )
})

const broken = [
  ['nothing', new Uint8Array(0)],
  ['an array by itself', x],
  ['an archive of other things', zip([{ name: 'a.txt', data: x }])],
  ['an array that is none', zip([{ name: 'a.npy', data: Uint8Array.of(1, 2) }])],
  [
    'a wrong checksum',
    zip([{ name: 'a.npy', data: x }]).map((byte, at) => (at === 14 + 22 ? byte ^ 1 : byte)),
  ],
] as const
for (const [name, bytes] of broken) {
  test(`broken: ${name}`, (t) => {
    t.throws(() => readNpz(bytes, 'x.npz'), { code: 'DATA_INVALID', message: /^x\.npz/ })
  })
}

test('a damaged byte gives an array or DATA_INVALID', (t) => {
  const file = zip([{ name: 'x.npy', data: x, deflate: true }])
  for (let at = 0; at < file.length; at++) {
    const damaged = file.slice()
    damaged[at] = (damaged[at] as number) ^ 0x41
    try {
      readNpz(damaged, 'x.npz')
    } catch (error) {
      t.is((error as { code: string }).code, 'DATA_INVALID', String(at))
    }
  }
  t.pass()
})
