// As classify.mjs, in CommonJS: node classify.cjs [picture.ppm]
const { readFileSync } = require('node:fs')
const { dirname, join } = require('node:path')
const { loadModel } = require('lowbit')

const assets = join(dirname(require.resolve('lowbit/package.json')), 'assets')
const labels = readFileSync(join(assets, 'cifar10.labels.txt'), 'utf8').trim().split('\n')
const pixels = readFileSync(process.argv[2] ?? join(assets, 'ship.ppm')).subarray(-32 * 32 * 3)

async function main() {
  const model = await loadModel(join(assets, 'cifar10.tflite'))
  const [output] = await model.run([Int8Array.from(pixels, (pixel) => pixel - 128)])
  const scores = output.toFloat32()
  const best = scores.indexOf(Math.max(...scores))
  console.log(`${labels[best]} ${(100 * scores[best]).toFixed(1)} %`)
  model.dispose()
}

main().catch((error) => {
  console.error(`${error.code}: ${error.message}`)
  process.exitCode = 1
})
