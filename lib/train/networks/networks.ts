// The networks that have names. They give logits: the loss is computed from them, and a softmax is put on when a file
// is written.

import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers'
import { LowbitError } from '../../errors.js'
import { shapeText } from '../../tensor/shape.js'
import { requireTfjs } from '../backend/tfjs.js'
import { withSeed } from '../fit/seeded.js'
import type { LayersModule, NetworkSettings } from './build.js'
import { classic } from './classic.js'
import { resnet8, shipped } from './residual.js'

type Build = (tf: LayersModule, settings: NetworkSettings) => LayersModel

const NETWORKS = {
  classic: (tf, settings) => classic(tf, settings, { filters: [32, 64], units: 64 }),
  digits: (tf, settings) => classic(tf, settings, { filters: [16, 32], units: 64 }),
  resnet8,
  shipped: (tf, settings) => shipped(tf, settings),
} as const satisfies Record<string, Build>

export type NetworkName = keyof typeof NETWORKS
export const NETWORK_NAMES = Object.keys(NETWORKS) as readonly NetworkName[]

/** What the convolutions and pools leave at least one pixel of. */
const LEAST = 10

/**
 * A network with weights drawn by the seed.
 *
 * @throws {LowbitError} `OPTION_INVALID` for another name; `SHAPE_MISMATCH` for inputs that are no pictures.
 */
export function createNetwork(
  name: NetworkName,
  {
    seed,
    activation = 'relu6',
    ...rest
  }: Pick<NetworkSettings, 'shape' | 'classes'> & Partial<NetworkSettings> & { readonly seed: number },
): LayersModel {
  const build: Build | undefined = Object.hasOwn(NETWORKS, name) ? NETWORKS[name] : undefined
  if (build === undefined) {
    const message = `network: ${NETWORK_NAMES.join(', ')} expected, not ${name}`
    throw new LowbitError('OPTION_INVALID', message, { expected: NETWORK_NAMES, actual: name })
  }
  const { shape } = rest
  if (shape.length !== 3 || (shape[0] as number) < LEAST || (shape[1] as number) < LEAST) {
    const message = `network ${name}: pictures [height, width, channels] of at least ${LEAST} x ${LEAST} expected, inputs are ${shapeText(shape)}`
    throw new LowbitError('SHAPE_MISMATCH', message, { actual: shape })
  }
  const tf = requireTfjs<LayersModule>('layers')
  return withSeed(seed, () => build(tf, { ...rest, activation }))
}

/** The same network, same weights, with a softmax behind it. */
export function withSoftmax(model: LayersModel): LayersModel {
  const tf = requireTfjs<LayersModule>('layers')
  const outputs = tf.layers.softmax({ name: 'probabilities' }).apply(model.outputs[0] as SymbolicTensor)
  return tf.model({ inputs: model.inputs, outputs: outputs as SymbolicTensor })
}
