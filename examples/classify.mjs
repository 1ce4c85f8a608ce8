// Classifies a PPM picture with the model that comes with lowbit: node classify.mjs [picture.ppm]
// The picture must have the size that the model takes, 32 x 32; `lowbit run` also resizes.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { loadModel } from 'lowbit'

const assets = join(dirname(createRequire(import.meta.url).resolve('lowbit/package.json')), 'assets')
const labels = (await readFile(join(assets, 'cifar10.labels.txt'), 'utf8')).trim().split('\n')
const ppm = await readFile(process.argv[2] ?? join(assets, 'ship.ppm'))
const pixels = ppm.subarray(-32 * 32 * 3)

const model = await loadModel(join(assets, 'cifar10.tflite'))
// This model's codes are pixels moved into int8.
const [output] = await model.run([Int8Array.from(pixels, (pixel) => pixel - 128)])
const scores = output.toFloat32()
const best = scores.indexOf(Math.max(...scores))
console.log(`${labels[best]} ${(100 * scores[best]).toFixed(1)} %`)
model.dispose()
