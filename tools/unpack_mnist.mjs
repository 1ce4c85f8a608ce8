// Unpacks MNIST kept as train12000.med.br, test3000.med.br and *.labels.bin into the well-known idx files:
// train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte.
//
//   node tools/unpack_mnist.mjs PACKED_FOLDER OUT_FOLDER
//
// The packed form is that of unpack_cifar10.mjs, with one plane a picture.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { restorePlane } from './median-edge.mjs'

const SIDE = 28

/** Big-endian: 0x08 for bytes and the number of extents, the extents, the bytes. */
function idx(extents, data) {
  const head = Buffer.alloc(4 + 4 * extents.length)
  for (const [i, value] of [0x0800 + extents.length, ...extents].entries()) head.writeUInt32BE(value, 4 * i)
  return Buffer.concat([head, data])
}

const [source, target] = process.argv.slice(2)
if (!source || !target) {
  console.error('usage: node unpack_mnist.mjs PACKED_FOLDER OUT_FOLDER')
  process.exit(2)
}
mkdirSync(target, { recursive: true })
for (const [name, part] of [
  ['train12000', 'train'],
  ['test3000', 't10k'],
]) {
  const pictures = new Uint8Array(brotliDecompressSync(readFileSync(join(source, `${name}.med.br`))))
  const labels = readFileSync(join(source, `${name}.labels.bin`))
  if (pictures.length !== labels.length * SIDE * SIDE) throw new Error('pictures and labels differ in number')
  for (let at = 0; at < pictures.length; at += SIDE * SIDE) restorePlane(pictures, at, SIDE, SIDE)
  writeFileSync(join(target, `${part}-images-idx3-ubyte`), idx([labels.length, SIDE, SIDE], pictures))
  writeFileSync(join(target, `${part}-labels-idx1-ubyte`), idx([labels.length], labels))
  console.log(part)
}
