// Residual networks for small pictures (He et al. 2016, "Deep Residual Learning for Image Recognition").

import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers'
import { type Activation, activate, convNorm, type LayersModule, type NetworkSettings } from './build.js'

/** As ResNet v1 of MLPerf Tiny's image classification: three blocks of 16, 32 and 64 filters, 1x1 convolutions as shortcuts. */
export function resnet8(tf: LayersModule, { shape, classes, activation }: NetworkSettings): LayersModel {
  const input = tf.input({ shape: [...shape], name: 'input' })
  let x = convNorm(tf, input, { filters: 16, name: 'stem', activation })
  for (const [i, filters] of [16, 32, 64].entries()) {
    const name = `block${i + 1}`
    const strides = i === 0 ? 1 : 2
    const shortcut = i === 0 ? x : convNorm(tf, x, { filters, name: `${name}_shortcut`, kernel: 1, strides })
    x = block(tf, x, shortcut, { filters, name, strides, activation })
  }
  return finish(tf, input, x, classes)
}

/** The network of the model that comes with the package: `width` filters first, twice and four times as many later. */
export function shipped(
  tf: LayersModule,
  { shape, classes, activation }: NetworkSettings,
  width = 24,
): LayersModel {
  const input = tf.input({ shape: [...shape], name: 'input' })
  let x = convNorm(tf, input, { filters: width, name: 'stem', activation })
  for (const [i, filters] of [2 * width, 4 * width].entries()) {
    x = convNorm(tf, x, { filters, name: `down${i + 1}`, strides: 2, activation })
    x = block(tf, x, x, { filters, name: `block${i + 1}`, strides: 1, activation })
  }
  return finish(tf, input, x, classes)
}

interface Block {
  readonly filters: number
  readonly name: string
  readonly strides: number
  readonly activation: Activation
}

function block(
  tf: LayersModule,
  x: SymbolicTensor,
  shortcut: SymbolicTensor,
  { filters, name, strides, activation }: Block,
): SymbolicTensor {
  const inner = convNorm(tf, x, { filters, name: `${name}_conv1`, strides, activation })
  const outer = convNorm(tf, inner, { filters, name: `${name}_conv2` })
  const sum = tf.layers.add({ name: `${name}_add` }).apply([shortcut, outer]) as SymbolicTensor
  return activate(tf, sum, activation, `${name}_${activation}`)
}

function finish(tf: LayersModule, input: SymbolicTensor, x: SymbolicTensor, classes: number): LayersModel {
  const mean = tf.layers.globalAveragePooling2d({ name: 'mean', dataFormat: 'channelsLast' }).apply(x)
  const outputs = tf.layers.dense({ units: classes, name: 'logits' }).apply(mean) as SymbolicTensor
  return tf.model({ inputs: input, outputs })
}
