// A task that a small network learns in seconds: bright pictures of two colours with noise.

import { createHash } from 'node:crypto'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import * as tfl from '@tensorflow/tfjs-layers'
import { randomIntegers } from '#lib/numerics/random.js'
import type { Dataset, Examples } from '#lib/train/data/dataset.js'
import { withSeed } from '#lib/train/fit/seeded.js'

const SIDE = 10

function examples(count: number, seed: number): Examples {
  const size = SIDE * SIDE * 3
  const inputs = Uint8Array.from(randomIntegers(seed, count * size, 0, 150))
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3)
  for (let i = 0; i < count; i++) {
    for (let p = 0; p < SIDE * SIDE; p++) {
      const at = i * size + 3 * p + (labels[i] as number)
      inputs[at] = (inputs[at] as number) + 60
    }
  }
  return { inputs, labels }
}

/** Three classes: which of red, green and blue is a little brighter. */
export function colours(count = 70): Dataset {
  return {
    name: 'colours',
    shape: [SIDE, SIDE, 3],
    classes: 3,
    normalization: { mean: [0], std: [255] },
    train: examples(count, 1),
    test: examples(30, 2),
  }
}

/** With dropout and batch norm: all that may be random or has a state of its own. */
export function smallNetwork(seed = 1): LayersModel {
  return withSeed(seed, () =>
    tfl.sequential({
      layers: [
        tfl.layers.conv2d({ inputShape: [SIDE, SIDE, 3], filters: 4, kernelSize: 3, useBias: false }),
        tfl.layers.batchNormalization({ momentum: 0.9 }),
        tfl.layers.activation({ activation: 'relu6' }),
        tfl.layers.maxPooling2d({ poolSize: 2 }),
        tfl.layers.flatten(),
        tfl.layers.dropout({ rate: 0.2 }),
        tfl.layers.dense({ units: 3 }),
      ],
    }),
  )
}

/** All weights of a model, as a digest: a difference of one bit shows. */
export function weightsOf(model: LayersModel): string {
  const hash = createHash('sha256')
  for (const weight of model.getWeights()) hash.update(Float32Array.from(weight.dataSync()))
  return hash.digest('hex')
}
