// Layers models from a network: the one that trains, and the plain one.

import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers'
import { LowbitError } from '../../errors.js'
import { tensorflow } from './fake-quantize.js'
import { type Layer, type LayerConfig, tensorflowLayers } from './layers/module.js'
import type { Network, Node } from './network.js'

export interface Makers {
  /** The layer of a node. */
  layer(node: Node): Layer
  /** The layer that its output goes through before others read it. */
  after?(node: Node): Layer | undefined
}

export function buildModel({ nodes, inputs, outputs }: Network, { layer, after }: Makers): LayersModel {
  const { input, model } = tensorflowLayers()
  const tensors = new Map<string, SymbolicTensor>()
  const ports = new Map<string, SymbolicTensor>()
  const named = (names: readonly string[], among: ReadonlyMap<string, SymbolicTensor>) =>
    names.map((name) => among.get(name) as SymbolicTensor)
  for (const node of nodes) {
    let tensor: SymbolicTensor
    if (node.type === 'InputLayer') {
      const { batchInputShape, dtype, name } = node.config
      tensor = input({ batchShape: batchInputShape, dtype, name } as Parameters<typeof input>[0])
      ports.set(node.name, tensor)
    } else {
      const operands = named(node.inputs, tensors)
      tensor = layer(node).apply(
        operands.length === 1 ? (operands[0] as SymbolicTensor) : operands,
      ) as SymbolicTensor
    }
    const quantizer = after?.(node)
    tensors.set(node.name, quantizer === undefined ? tensor : (quantizer.apply(tensor) as SymbolicTensor))
  }
  return model({ inputs: named(inputs, ports), outputs: named(outputs, tensors) })
}

/** A layer of TensorFlow.js by the name of its class. */
export function plainLayer({ type, config }: Node, changes: Partial<LayerConfig> = {}): Layer {
  const { classNameMap } = tensorflow().serialization.SerializationMap.getMap()
  const known = classNameMap[type]
  if (known === undefined) throw new LowbitError('INTERNAL', `TensorFlow.js has no layer ${type}`)
  const [Class, fromConfig] = known
  return fromConfig(Class, { ...config, ...changes } as LayerConfig) as Layer
}
