// Steps of training in TensorFlow.js: on lowbit's backend, or on its own one in JavaScript. One JSON line says the losses
// of the first steps, and how long a step takes or what memory it leaves behind.

import { parseArgs } from 'node:util'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import { type Batch, batchAt, batchesOf, type Problem, weightsOf } from '#bench/train/problem.js'
import { summarize } from '#lib/cli/measure.js'
import { type CoreModule, requireTfjs } from '#lib/train/backend/tfjs.js'
import { Network } from '#lib/train/fit/network.js'
import { optimizerOf } from '#lib/train/fit/optimizer.js'
import { configureBackend, createNetwork, quantizeAware } from '#lib/train.js'

type Step = (batch: Batch) => number | Promise<number>

const core = requireTfjs<CoreModule>('core')

/** The step of `fit` and `lowbit train`. */
function fitStep(model: LayersModel, problem: Problem): Step {
  const { image, classes, learningRate } = problem
  const examples = batchesOf({ ...problem, batches: 1 })[0] as Batch
  const data = {
    ...{ name: 'bench', shape: image, classes, normalization: { mean: [0], std: [1] } },
    ...{ train: examples, test: examples },
  }
  const network = new Network(model, data, optimizerOf({ optimizer: 'adam', momentum: 0 }), 0)
  let step = 0
  return ({ inputs, labels }) => {
    const { loss } = network.step({ inputs, labels, learningRate, decay: 0, step: ++step })
    return loss / labels.length
  }
}

/** The step of the layers package. */
function layersStep(model: LayersModel, { image, classes, learningRate, epsilon }: Problem): Step {
  model.compile({
    optimizer: core.train.adam(learningRate, 0.9, 0.999, epsilon),
    loss: (labels, logits) => core.losses.softmaxCrossEntropy(labels, logits),
  })
  return async ({ inputs, labels }) => {
    const x = core.tensor(inputs, [labels.length, ...image])
    const y = core.tidy(() => core.oneHot(core.tensor1d(labels, 'int32'), classes, 1, 0, 'float32'))
    const loss = (await model.trainOnBatch(x, y)) as number
    core.dispose([x, y])
    return loss
  }
}

const STEPS: Readonly<Record<string, (model: LayersModel, problem: Problem) => Step>> = {
  fit: fitStep,
  int8: (model, problem) => fitStep(quantizeAware(model, 'int8').model, problem),
  layers: layersStep,
  tfjs: layersStep,
}

function modelOf(problem: Problem): LayersModel {
  const { image, classes } = problem
  const model = createNetwork('classic', { shape: [...image], classes, seed: 1, activation: 'relu' })
  const weights = weightsOf(problem)
  model.setWeights(weights.map((array, i) => core.tensor(array, [...(problem.weights[i]?.shape ?? [])])))
  return model
}

/** Milliseconds of steps, one after the other, for so many seconds; at least one. */
async function timed(run: () => number | Promise<number>, seconds: number): Promise<number[]> {
  const times: number[] = []
  let now = performance.now()
  const end = now + 1000 * seconds
  do {
    const started = now
    await run()
    now = performance.now()
    times.push(now - started)
  } while (now < end)
  return times
}

function memory(steps: number) {
  globalThis.gc?.()
  const { numTensors, numBytes } = core.memory()
  return { steps, rssBytes: process.memoryUsage.rss(), tensors: numTensors, tensorBytes: numBytes }
}

async function main() {
  const text = { type: 'string' } as const
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { problem: text, threads: text, checked: text, 'warm-up': text, seconds: text, marks: text },
  })
  const problem = JSON.parse(values.problem ?? '') as Problem
  const what = positionals[0] ?? ''
  configureBackend({ threads: Number(values.threads) })
  await core.setBackend(what === 'tfjs' ? 'cpu' : 'lowbit')
  const step = STEPS[what]?.(modelOf(problem), problem) as Step
  const batches = batchesOf(problem)
  let count = 0
  const run = () => step(batches[batchAt(count++, batches.length)] as Batch)

  const losses: number[] = []
  while (losses.length < Number(values.checked)) losses.push(await run())
  if (values.marks !== undefined) {
    const marks: ReturnType<typeof memory>[] = []
    for (const mark of values.marks.split(',').map(Number)) {
      while (count < mark) await run()
      marks.push(memory(count))
    }
    return { losses, marks }
  }
  if (Number(values['warm-up']) > 0) await timed(run, Number(values['warm-up']))
  const { samples, latencyMs } = summarize(await timed(run, Number(values.seconds)))
  return { losses, minMs: latencyMs.min, medianMs: latencyMs.median, samples }
}

process.stdout.write(`${JSON.stringify(await main())}\n`)
