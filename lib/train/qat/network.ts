// A layers model as a list of nodes, in an order that may be computed: batch norms are part of the layer before them, and
// activations that are operators of their own in a file are nodes of their own.

import type { Tensor } from '@tensorflow/tfjs-core'
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers'
import { LowbitError } from '../../errors.js'
import type { Layer, LayerConfig } from './layers/module.js'

export interface Node {
  /** Of the layer that computes it. */
  readonly name: string
  /** Class of that layer. */
  readonly type: string
  /** As files spell it; undefined where a file has none. */
  readonly operator: string | undefined
  readonly config: LayerConfig
  readonly inputs: readonly string[]
  /** Where its weights come from, by kind. */
  readonly weights?: NodeWeights
  /** The batch norm that is part of it. */
  readonly norm?: Layer
}

export interface NodeWeights {
  readonly kernel: Tensor
  readonly bias: Tensor | undefined
}

export interface Network {
  readonly nodes: readonly Node[]
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/** Operators by class of layer; functions of the configuration where that decides. */
const OPERATORS: Readonly<
  Record<string, string | undefined | ((config: LayerConfig) => string | undefined)>
> = {
  InputLayer: undefined,
  Conv2D: 'CONV_2D',
  DepthwiseConv2D: 'DEPTHWISE_CONV_2D',
  Dense: 'FULLY_CONNECTED',
  Activation: ({ activation }) => ACTIVATIONS[String(activation)],
  ReLU: ({ maxValue }) => (maxValue === 6 ? 'RELU6' : 'RELU'),
  Softmax: 'SOFTMAX',
  MaxPooling2D: 'MAX_POOL_2D',
  AveragePooling2D: 'AVERAGE_POOL_2D',
  GlobalAveragePooling2D: 'MEAN',
  GlobalMaxPooling2D: 'REDUCE_MAX',
  Add: 'ADD',
  Multiply: 'MUL',
  Concatenate: 'CONCATENATION',
  Flatten: 'RESHAPE',
  Reshape: 'RESHAPE',
  ZeroPadding2D: 'PAD',
  UpSampling2D: ({ interpolation }) =>
    interpolation === 'bilinear' ? 'RESIZE_BILINEAR' : 'RESIZE_NEAREST_NEIGHBOR',
  Dropout: undefined,
}

/** Activations that a file has as operators; `linear` is none. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  relu: 'RELU',
  relu6: 'RELU6',
  softmax: 'SOFTMAX',
  sigmoid: 'LOGISTIC',
  tanh: 'TANH',
}
/** Those that are part of the layer before them. */
export const CLAMPS: ReadonlySet<string | undefined> = new Set(['RELU', 'RELU6'])

/** @throws {LowbitError} `OPERATOR_UNSUPPORTED` for a layer that cannot be quantised in training. */
export function readNetwork(model: LayersModel): Network {
  const layers = new Map<string, { layer: Layer; inputs: string[] }>()
  const visit = (tensor: SymbolicTensor): string => {
    const layer = tensor.sourceLayer as Layer
    if (layers.has(layer.name)) return layer.name
    if (layer.inboundNodes.length !== 1) {
      throw unsupported(layer, 'it is called several times; each layer may be called once')
    }
    const inputs = layer.inboundNodes[0]?.inputTensors ?? []
    const names = layer.getClassName() === 'InputLayer' ? [] : inputs.map(visit)
    layers.set(layer.name, { layer, inputs: names })
    return layer.name
  }
  const outputs = model.outputs.map(visit)
  const nodes = new Nodes(layers, outputs)
  for (const { layer, inputs } of layers.values()) nodes.add(layer, inputs)
  return {
    nodes: nodes.list,
    inputs: model.inputs.map(visit),
    outputs: outputs.map((name) => nodes.nameOf(name)),
  }
}

function unsupported(layer: Layer, why: string): LowbitError {
  const operator = `${layer.getClassName()} ${layer.name}`
  return new LowbitError('OPERATOR_UNSUPPORTED', `${operator}: ${why}`, { operator })
}

class Nodes {
  readonly list: Node[] = []
  /** Nodes that stand for the output of a layer. */
  readonly #ends = new Map<string, string>()
  readonly #readers = new Map<string, number>()

  constructor(layers: ReadonlyMap<string, { inputs: string[] }>, outputs: readonly string[]) {
    for (const name of [...outputs, ...[...layers.values()].flatMap(({ inputs }) => inputs)]) {
      this.#readers.set(name, (this.#readers.get(name) ?? 0) + 1)
    }
  }

  nameOf(layer: string): string {
    return this.#ends.get(layer) ?? layer
  }

  add(layer: Layer, inputs: readonly string[]): void {
    const type = layer.getClassName()
    const config = layer.getConfig()
    const from = inputs.map((name) => this.nameOf(name))
    if (type === 'BatchNormalization') this.#addNorm(layer, config, from, inputs)
    else if (type === 'SeparableConv2D') this.#addSeparable(layer, config, from)
    else this.#addPlain(layer, config, from)
  }

  #addPlain(layer: Layer, config: LayerConfig, from: readonly string[]): void {
    const type = layer.getClassName()
    if (!Object.hasOwn(OPERATORS, type)) {
      throw unsupported(layer, `no quantisation-aware form; there are ${Object.keys(OPERATORS).join(', ')}`)
    }
    if (type === 'ReLU' && ![undefined, null, 6].includes(config['maxValue'] as number)) {
      throw unsupported(
        layer,
        `maxValue ${config['maxValue']} is no activation of a file; none or 6 expected`,
      )
    }
    const known = OPERATORS[type]
    const operator = typeof known === 'function' ? known(config) : known
    if (type === 'Activation') this.#checkActivation(layer, config)
    const node = { name: layer.name, type, operator, config, inputs: from }
    const [kernel, bias] = layer.getWeights()
    if (kernel === undefined) this.list.push(node)
    else this.#addWeighted(layer, { ...node, weights: { kernel, bias } })
  }

  #addWeighted(layer: Layer, node: Node): void {
    const activation = this.#checkActivation(layer, node.config)
    if (activation === 'linear' || CLAMPS.has(ACTIVATIONS[activation])) {
      this.list.push(node)
      return
    }
    // A softmax or the like reads codes of its own.
    this.list.push({ ...node, config: { ...node.config, activation: 'linear' } })
    const name = `${layer.name}_${activation}`
    const operator = ACTIVATIONS[activation]
    this.list.push({ name, type: 'Activation', operator, config: { name, activation }, inputs: [layer.name] })
    this.#ends.set(layer.name, name)
  }

  #checkActivation(layer: Layer, { activation }: LayerConfig): string {
    const name = String(activation ?? 'linear')
    if (name === 'linear' || Object.hasOwn(ACTIVATIONS, name)) return name
    throw unsupported(
      layer,
      `activation ${name} has no integer form here; there are linear, ${Object.keys(ACTIVATIONS).join(', ')}`,
    )
  }

  #addNorm(layer: Layer, config: LayerConfig, from: readonly string[], inputs: readonly string[]): void {
    const [before] = from
    const place = this.list.findIndex(({ name }) => name === before)
    const node = this.list[place]
    const axis = config['axis'] as number
    const rank = (layer.outputShape as number[]).length
    const isLast = axis === -1 || axis === rank - 1
    const isAlone = this.#readers.get(inputs[0] as string) === 1
    if (node?.weights === undefined || node.norm !== undefined || !isAlone || !isLast) {
      throw unsupported(
        layer,
        'a batch norm must follow a convolution or dense layer that nothing else reads, over its channels',
      )
    }
    if ((node.config['activation'] ?? 'linear') !== 'linear') {
      throw unsupported(layer, `the activation of ${node.name} stands before the batch norm; put it behind`)
    }
    this.list[place] = { ...node, norm: layer }
    this.#ends.set(layer.name, node.name)
  }

  #addSeparable(layer: Layer, config: LayerConfig, from: readonly string[]): void {
    const { name, kernelSize, strides, padding, dataFormat, dilationRate, depthMultiplier, filters } = config
    const [depthwise, pointwise, bias] = layer.getWeights() as [Tensor, Tensor, Tensor | undefined]
    const first = `${name}_depthwise`
    this.list.push({
      name: first,
      type: 'DepthwiseConv2D',
      operator: 'DEPTHWISE_CONV_2D',
      config: {
        name: first,
        kernelSize,
        strides,
        padding,
        dataFormat,
        dilationRate,
        depthMultiplier,
        useBias: false,
      } as never,
      inputs: from,
      weights: { kernel: depthwise, bias: undefined },
    })
    const { activation, useBias } = config
    this.#addWeighted(layer, {
      name: layer.name,
      type: 'Conv2D',
      operator: 'CONV_2D',
      config: { name, filters, kernelSize: [1, 1], dataFormat, activation, useBias } as never,
      inputs: [first],
      weights: { kernel: pointwise, bias },
    })
  }
}
