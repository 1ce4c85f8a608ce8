// What a network is made for, and the pieces that several have.

import type * as Layers from '@tensorflow/tfjs-layers'
import type { SymbolicTensor } from '@tensorflow/tfjs-layers'
import type { Shape } from '../../tensor/shape.js'

export type LayersModule = typeof Layers

export type Activation = 'relu' | 'relu6'

export interface NetworkSettings {
  /** Of one input. */
  readonly shape: Shape
  readonly classes: number
  /** ReLU6 has a fixed range, which low bits gain from. */
  readonly activation: Activation
}

export interface ConvSettings {
  readonly filters: number
  readonly name: string
  readonly kernel?: number
  readonly strides?: number
  readonly activation?: Activation
  readonly momentum?: number
}

/** A convolution and a batch norm, then the activation where there is one. */
export function convNorm(
  { layers }: LayersModule,
  x: SymbolicTensor,
  { filters, name, kernel = 3, strides = 1, activation, momentum = 0.9 }: ConvSettings,
): SymbolicTensor {
  const conv = layers.conv2d({
    filters,
    kernelSize: kernel,
    strides,
    padding: 'same',
    useBias: false,
    kernelInitializer: 'heNormal',
    name,
  })
  const norm = layers.batchNormalization({ momentum, epsilon: 1e-3, name: `${name}_norm` })
  const y = norm.apply(conv.apply(x)) as SymbolicTensor
  return activation === undefined
    ? y
    : activate({ layers } as LayersModule, y, activation, `${name}_${activation}`)
}

export function activate(
  { layers }: LayersModule,
  x: SymbolicTensor,
  activation: Activation,
  name: string,
): SymbolicTensor {
  return layers.activation({ activation, name }).apply(x) as SymbolicTensor
}
