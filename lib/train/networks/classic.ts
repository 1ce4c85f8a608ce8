// The classic small networks of convolutions and pools: no batch norm, no shortcuts.

import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { LayersModule, NetworkSettings } from './build.js'

interface Extents {
  /** Filters of the two convolutions, units of the dense layer before the last. */
  readonly filters: readonly [number, number]
  readonly units: number
}

/** Conv, pool, conv, pool, dense, dense. */
export function classic(
  { layers, sequential }: LayersModule,
  { shape, classes, activation }: NetworkSettings,
  { filters: [first, second], units }: Extents,
): LayersModel {
  const kernelInitializer = 'glorotUniform'
  const conv = { kernelSize: 3, activation, kernelInitializer } as const
  return sequential({
    layers: [
      layers.conv2d({ ...conv, filters: first, inputShape: [...shape], name: 'conv1' }),
      layers.maxPooling2d({ poolSize: 2, name: 'pool1' }),
      layers.conv2d({ ...conv, filters: second, name: 'conv2' }),
      layers.maxPooling2d({ poolSize: 2, name: 'pool2' }),
      layers.flatten({ name: 'flatten' }),
      layers.dense({ units, activation, kernelInitializer, name: 'dense' }),
      layers.dense({ units: classes, kernelInitializer, name: 'logits' }),
    ],
  })
}
