// Loss and accuracy of a network over examples, as it is used.

import type { LayersModel } from '@tensorflow/tfjs-layers'
import { elementCount } from '../../tensor/shape.js'
import { batchesOf } from '../data/batches.js'
import type { Dataset, Examples } from '../data/dataset.js'
import { checkModel, Network } from './network.js'
import { optimizerOf } from './optimizer.js'

/** Examples at a time: enough that a call's cost does not count. */
const BATCH = 200

export interface Measure {
  /** Mean cross entropy. */
  readonly loss: number
  readonly accuracy: number
}

export async function measure(
  network: Network,
  data: Dataset,
  examples: Examples,
  signal?: AbortSignal,
): Promise<Measure> {
  const batches = batchesOf(data, examples)
  const size = elementCount(data.shape)
  const count = examples.labels.length
  const inputs = new Float32Array(Math.min(BATCH, count) * size)
  let [loss, right] = [0, 0]
  for (let from = 0; from < count; from += BATCH) {
    signal?.throwIfAborted()
    const labels = examples.labels.subarray(from, from + BATCH)
    for (let i = 0; i < labels.length; i++) batches.write(from + i, inputs, i * size)
    const one = network.measure(inputs.subarray(0, labels.length * size), labels)
    loss += one.loss
    right += one.right
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { loss: loss / count, accuracy: right / count }
}

/** Of a model over the test examples. */
export async function evaluate(model: LayersModel, data: Dataset, signal?: AbortSignal): Promise<Measure> {
  checkModel(model, data)
  const network = new Network(model, data, optimizerOf({ optimizer: 'sgd', momentum: 0 }), 0)
  try {
    return await measure(network, data, data.test, signal)
  } finally {
    network.dispose()
  }
}
