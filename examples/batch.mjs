// One picture by the names of a signature, two pictures in one run, and a look inside: node batch.mjs
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { loadModel } from 'lowbit'

const assets = join(dirname(createRequire(import.meta.url).resolve('lowbit/package.json')), 'assets')
const pixels = (await readFile(join(assets, 'ship.ppm'))).subarray(-32 * 32 * 3)
const picture = Int8Array.from(pixels, (pixel) => pixel - 128)
const model = await loadModel(join(assets, 'cifar10.tflite'))
const best = (scores) => scores.indexOf(Math.max(...scores))

const { probabilities } = await model.signature('serving_default').run({ input: picture })
console.log(`by name: class ${best(probabilities.data)}`)

// The file says one picture a run; any number is as good. Weights are not packed again.
model.resize([[2, 32, 32, 3]])
const both = new Int8Array(2 * picture.length)
both.set(picture)
both.set(picture.toReversed(), picture.length)
const [scores] = await model.run([both])
console.log(`two: shape ${scores.shape}, the first is class ${best(scores.data.subarray(0, 10))}`)

const { kept } = await model.run([both], { keep: ['mean'] })
console.log(`inside: ${kept.mean.name} of shape ${kept.mean.shape}`)
model.dispose()
