// Quantisation-aware training: a model that computes as the integer file will, and learns to do well so.

import type { Tensor } from '@tensorflow/tfjs-core'
import type { LayersModel, LayerVariable } from '@tensorflow/tfjs-layers'
import { LowbitError } from '../../errors.js'
import { createObserver } from '../../quantize/ranges/observer.js'
import type { PresetName } from '../../recipe/presets.js'
import type { Recipe } from '../../recipe/recipe.js'
import { checkKeys } from '../../session/options.js'
import type { LearnedGrid, LearnedQuantization, QuantizeAware } from '../contract.js'
import { buildModel, plainLayer } from './build.js'
import { tensorflow } from './fake-quantize.js'
import {
  type ActivationQuantizer,
  activationQuantizer,
  type RangeKind,
} from './layers/activation-quantizer.js'
import type { Layer } from './layers/module.js'
import { QUANTIZED_CLASSES, type QuantizedLayer } from './layers/quantized.js'
import { type Network, type Node, readNetwork } from './network.js'
import { type Group, placeQuantizers } from './placement.js'
import { type NodeSettings, nodeSettings } from './settings.js'

/** A batch: a tensor for each input of the model. */
export type Batch = Tensor | readonly Tensor[]

export interface QuantizeAwareOptions {
  /**
   * Batches that say the ranges of activations before training starts, by the recipe's `range`. Without them the first
   * step of training does; ranges that are learned or kept need them.
   */
  readonly ranges?: Batch | Iterable<Batch>
  /**
   * Where the scales of weights come from. `max`: the largest magnitudes, at each step. `learned`: LSQ. Default: `max`
   * for 8 bits, `learned` for fewer.
   */
  readonly weights?: 'max' | 'learned'
  /**
   * Where the ranges of activations come from while training. `moving-average`: smallest and largest values of the
   * batches. `learned`: LSQ+. `clip`: PACT for what a ReLU gives, LSQ+ for the rest. Default `moving-average`. Inputs of
   * the model always are as with `moving-average`.
   */
  readonly activations?: 'moving-average' | 'learned' | 'clip'
}

/**
 * A model for training whose weights and activations lie on the grids that the recipe asks for. It starts from the
 * weights of `model`, which stays as it is; `compile` it before `fit`.
 *
 * @param recipe As `quantize` takes it, or the name of a preset; default `int8`.
 * @throws {LowbitError} `OPERATOR_UNSUPPORTED` for layers without a quantised form; `OPTION_INVALID`, `NAME_UNKNOWN` for
 *   recipes and options that do not fit.
 */
export function quantizeAware(
  model: LayersModel,
  recipe?: Recipe | PresetName,
  options: QuantizeAwareOptions = {},
): QuantizeAware {
  checkOptions(options)
  const network = readNetwork(model)
  const settings = nodeSettings(recipe, network.nodes)
  const made = new Trained(network, settings, placeQuantizers(network, settings), options)
  made.warmStart(options.ranges)
  return made
}

function checkOptions(options: QuantizeAwareOptions): void {
  checkKeys(options, ['ranges', 'weights', 'activations'], 'options of quantizeAware')
  const choices = { weights: ['max', 'learned'], activations: ['moving-average', 'learned', 'clip'] }
  for (const [name, expected] of Object.entries(choices)) {
    const actual = options[name as keyof typeof choices]
    if (actual === undefined || expected.includes(actual)) continue
    const message = `${name} is ${JSON.stringify(actual)}; one of ${expected.join(', ')} expected`
    throw new LowbitError('OPTION_INVALID', message, { expected, actual })
  }
}

class Trained implements QuantizeAware {
  readonly model: LayersModel
  readonly #network: Network
  readonly #groups: ReadonlyMap<string, Group>
  readonly #layers = new Map<string, QuantizedLayer>()
  readonly #quantizers = new Map<Group, ActivationQuantizer>()

  constructor(
    network: Network,
    settings: ReadonlyMap<string, NodeSettings>,
    groups: ReadonlyMap<string, Group>,
    options: QuantizeAwareOptions,
  ) {
    this.#network = network
    this.#groups = groups
    this.model = buildModel(network, {
      layer: (node) => {
        if (node.weights === undefined) return plainLayer(node)
        const layer = quantizedLayer(node, settings.get(node.name) as NodeSettings, options)
        this.#layers.set(node.name, layer)
        return layer
      },
      after: ({ name }) => {
        const group = groups.get(name)
        return group?.points.has(name) ? this.#quantizerOf(group, options) : undefined
      },
    })
    for (const node of network.nodes) startWeights(node, this.#layers.get(node.name))
  }

  #quantizerOf(group: Group, options: QuantizeAwareOptions): ActivationQuantizer {
    let quantizer = this.#quantizers.get(group)
    if (quantizer === undefined) {
      const { name, activations, prescribed } = group
      const Quantizer = activationQuantizer()
      quantizer = new Quantizer({
        name: `${name}_grid`,
        range: rangeKind(group, options.activations ?? 'moving-average'),
        scheme: activations.scheme,
        ...(prescribed && { prescribed }),
      })
      this.#quantizers.set(group, quantizer)
    }
    return quantizer
  }

  warmStart(given: QuantizeAwareOptions['ranges']): void {
    const free = [...this.#quantizers].filter(([, { range }]) => range !== 'prescribed')
    if (given === undefined) {
      const needing = free.find(([, { range }]) => range !== 'average')
      if (needing === undefined) return
      const message = `options.ranges: batches expected, since the range of ${needing[0].name} is not averaged while training`
      throw new LowbitError('OPTION_INVALID', message, { tensor: needing[0].name })
    }
    for (const [{ activations }, quantizer] of free) {
      quantizer.observer = createObserver({ ...activations, codes: 256 })
    }
    let count = 0
    for (const batch of batchesOf(given)) {
      tensorflow().tidy(() => void this.model.predictOnBatch(batch as Tensor | Tensor[]))
      count++
    }
    if (count === 0) throw new LowbitError('OPTION_INVALID', 'options.ranges: at least one batch expected')
    for (const [, quantizer] of free) {
      quantizer.start((quantizer.observer as NonNullable<ActivationQuantizer['observer']>).range())
      quantizer.observer = undefined
    }
  }

  freeze(): void {
    for (const layer of [...this.#layers.values(), ...this.#quantizers.values()]) layer.isFrozen = true
  }

  learned(): LearnedQuantization {
    const activations = new Map<string, LearnedGrid>()
    for (const [name, group] of this.#groups) activations.set(name, this.#gridOf(group))
    const weights = new Map<string, LearnedGrid>()
    for (const [name, layer] of this.#layers) {
      const grid = layer.grid()
      if (grid !== undefined) weights.set(name, grid)
    }
    return { activations, weights }
  }

  #gridOf(group: Group): LearnedGrid {
    const { prescribed } = group
    if (prescribed === undefined) return (this.#quantizers.get(group) as ActivationQuantizer).grid()
    const { scale, zeroPoint } = prescribed
    return { bits: 8, scales: Float32Array.of(scale), zeroPoints: Int32Array.of(zeroPoint) }
  }

  float(): LayersModel {
    const made: [Layer, QuantizedLayer][] = []
    const model = buildModel(this.#network, {
      layer: (node) => {
        const layer = plainLayer(node, node.norm && { useBias: true })
        const from = this.#layers.get(node.name)
        if (from !== undefined) made.push([layer, from])
        return layer
      },
    })
    for (const [layer, from] of made) {
      const { kernel, bias } = from.plain()
      layer.setWeights(bias === undefined ? [kernel] : [kernel, bias])
      kernel.dispose()
      bias?.dispose()
    }
    return model
  }

  dispose(): void {
    this.model.dispose()
  }
}

function rangeKind({ isInput, isRectified, prescribed, activations }: Group, wish: string): RangeKind {
  if (prescribed !== undefined) return 'prescribed'
  if (isInput || wish === 'moving-average') {
    // Other ranges are a choice over all the values, which no step of training sees.
    return ['minmax', 'moving-average'].includes(activations.range) ? 'average' : 'kept'
  }
  return wish === 'clip' && isRectified ? 'clip' : 'learned'
}

function quantizedLayer(
  { type, config, norm }: Node,
  { skip, weights }: NodeSettings,
  options: QuantizeAwareOptions,
): QuantizedLayer {
  const Class = (QUANTIZED_CLASSES[type] as (typeof QUANTIZED_CLASSES)[string])()
  const bits = weights.bits as LearnedGrid['bits']
  const granularity = weights.granularity === 'tensor' ? 'tensor' : 'channel'
  const scale = options.weights ?? (bits === 8 ? 'max' : 'learned')
  const { epsilon, momentum, scale: hasGamma, center: hasBeta } = norm?.getConfig() ?? {}
  const quantization = {
    ...(!skip && { weights: { bits, granularity, scale } }),
    ...(norm && { norm: { epsilon, momentum, hasGamma, hasBeta } }),
  }
  return new Class({ ...config, quantization } as unknown as ConstructorParameters<typeof Class>[0])
}

/** What a batch norm of TensorFlow.js has. */
interface NormLayer {
  readonly gamma?: LayerVariable | null
  readonly beta?: LayerVariable | null
  readonly movingMean: LayerVariable
  readonly movingVariance: LayerVariable
}

function startWeights({ weights, norm }: Node, layer: QuantizedLayer | undefined): void {
  if (weights === undefined || layer === undefined) return
  layer.kernelVariable.write(weights.kernel)
  if (weights.bias !== undefined) layer.biasVariable?.write(weights.bias)
  if (norm !== undefined && layer.norm !== undefined) {
    const { gamma, beta, movingMean, movingVariance } = norm as unknown as NormLayer
    if (gamma) layer.norm.gamma?.write(gamma.read())
    if (beta) layer.norm.beta?.write(beta.read())
    layer.norm.mean.write(movingMean.read())
    layer.norm.variance.write(movingVariance.read())
  }
  layer.start()
}

function batchesOf(given: NonNullable<QuantizeAwareOptions['ranges']>): Iterable<Batch> {
  return given instanceof tensorflow().Tensor ? [given] : (given as Iterable<Batch>)
}
