// Several worker threads load and run models at once, and are ended in mid-run.

import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import test from 'ava'
import { loadModel } from '#lib/index.js'
import { convFile, int8s } from '../helpers/small-models.js'

const SPEC = { image: 48, channels: 16, layers: 4 }
const file = convFile(SPEC)
const input = int8s(SPEC.image * SPEC.image * SPEC.channels)

/** Runs for ever; the first result goes to the parent. */
const ENDLESS = `
const { parentPort, workerData } = require('node:worker_threads')
import(workerData.lowbit).then(async ({ loadModel }) => {
  const model = await loadModel(workerData.file, { threads: 2 })
  const [first] = model.runSync([workerData.input])
  parentPort.postMessage(first.data)
  for (;;) await Promise.all([1, 2, 3].map(() => model.run([workerData.input])))
}).catch((error) => { parentPort.postMessage(String(error)) })
`

test('eight workers run at once and are ended in mid-run', async (t) => {
  const model = await loadModel(file)
  const expected = model.runSync([input])[0]?.data
  const lowbit = import.meta.resolve('#lib/index.js')
  for (let round = 0; round < 2; round++) {
    const workers = Array.from(
      { length: 8 },
      () => new Worker(ENDLESS, { eval: true, workerData: { lowbit, file, input } }),
    )
    const firsts = await Promise.all(
      workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))),
    )
    for (const first of firsts) t.deepEqual(first, expected)
    await sleep(30)
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  t.deepEqual((await model.run([input]))[0]?.data, expected)
})
