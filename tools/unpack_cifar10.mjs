// Unpacks CIFAR-10 kept as *.rgb.med.br + *.labels.bin into the well-known binary batches:
// data_batch_1.bin .. data_batch_5.bin and test_batch.bin, 10,000 records of 3,073 bytes each
// (label, then 32x32 bytes of red, of green, of blue, row by row).
//
//   node tools/unpack_cifar10.mjs PACKED_FOLDER OUT_FOLDER
//
// The packed form: brotli over the planes G, R-G, B-G (modulo 256), each with all N pictures one
// after the other, every byte replaced by its difference (modulo 256) from the median edge
// prediction of LOCO-I / JPEG-LS. The pictures keep the order of the packed files.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { restorePlane } from './median-edge.mjs'

const SIDE = 32
const AREA = SIDE * SIDE
const RECORD = 1 + 3 * AREA

/** One packed file and its labels as one binary batch. */
function unpackBatch(packed, labels) {
  const bytes = new Uint8Array(brotliDecompressSync(packed))
  const count = labels.length
  if (bytes.length !== count * 3 * AREA) throw new Error('pictures and labels differ in number')
  for (let at = 0; at < bytes.length; at += AREA) restorePlane(bytes, at, SIDE, SIDE)
  const batch = new Uint8Array(count * RECORD)
  for (let n = 0; n < count; n++) {
    const record = n * RECORD
    batch[record] = labels[n]
    for (let i = 0; i < AREA; i++) {
      const green = bytes[n * AREA + i]
      batch[record + 1 + i] = green + bytes[(count + n) * AREA + i]
      batch[record + 1 + AREA + i] = green
      batch[record + 1 + 2 * AREA + i] = green + bytes[(2 * count + n) * AREA + i]
    }
  }
  return batch
}

const [source, target] = process.argv.slice(2)
if (!source || !target) {
  console.error('usage: node unpack_cifar10.mjs PACKED_FOLDER OUT_FOLDER')
  process.exit(2)
}
mkdirSync(target, { recursive: true })
const jobs = [1, 2, 3, 4, 5].map((i) => [`train_${i}`, `data_batch_${i}.bin`])
jobs.push(['test', 'test_batch.bin'])
for (const [name, file] of jobs) {
  const packed = readFileSync(join(source, `${name}.rgb.med.br`))
  const labels = readFileSync(join(source, `${name}.labels.bin`))
  writeFileSync(join(target, file), unpackBatch(packed, labels))
  console.log(file)
}
