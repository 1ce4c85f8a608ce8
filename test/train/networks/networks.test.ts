// Networks by name: their outputs, and weights that a seed draws.

import '#lib/train.js'
import test from 'ava'
import { createNetwork, NETWORK_NAMES, type NetworkName, withSoftmax } from '#lib/train/networks/networks.js'
import { weightsOf } from '../../helpers/training.js'

const settings = { shape: [32, 32, 3], classes: 10, seed: 1 }

// Trainable weights: counted by hand from the papers' tables.
const COUNTS: Readonly<Record<NetworkName, number>> = {
  classic: 896 + 18_496 + (6 * 6 * 64 * 64 + 64) + 650,
  digits: 448 + 4640 + (6 * 6 * 32 * 64 + 64) + 650,
  resnet8: 432 + 2 * 2304 + 4608 + 9216 + 512 + 18_432 + 36_864 + 2048 + 2 * (3 * 16 + 3 * 32 + 3 * 64) + 650,
  shipped:
    3 * 9 * 24 +
    9 * 24 * 48 +
    2 * 9 * 48 * 48 +
    9 * 48 * 96 +
    2 * 9 * 96 * 96 +
    2 * (24 + 3 * 48 + 3 * 96) +
    970,
}

for (const name of NETWORK_NAMES) {
  test(`${name}: logits, weights of the seed`, (t) => {
    const network = createNetwork(name, settings)
    t.deepEqual(network.outputs[0]?.shape, [null, 10])
    const trained = network.trainableWeights.reduce((sum, weight) => sum + weight.read().size, 0)
    t.is(trained, COUNTS[name])
    const again = createNetwork(name, settings)
    t.deepEqual(weightsOf(again), weightsOf(network))
    t.notDeepEqual(weightsOf(createNetwork(name, { ...settings, seed: 2 })), weightsOf(network))
  })
}

test('a softmax on top shares the weights', (t) => {
  const network = createNetwork('digits', { ...settings, shape: [28, 28, 1] })
  const both = withSoftmax(network)
  t.is(both.outputs[0]?.shape[1], 10)
  t.deepEqual(weightsOf(both), weightsOf(network))
})

test('other names and other inputs are refused', (t) => {
  t.throws(() => createNetwork('vgg' as NetworkName, settings), { message: /resnet8.*not vgg/ })
  t.throws(() => createNetwork('classic', { ...settings, shape: [9, 32, 3] }), { message: /10 x 10/ })
  t.throws(() => createNetwork('classic', { ...settings, shape: [40] }), { message: /pictures/ })
})
