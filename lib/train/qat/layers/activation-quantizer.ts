// The layer that lays a tensor on its grid, and learns or watches that grid.

import type { Tensor } from '@tensorflow/tfjs-core'
import type { LayerVariable } from '@tensorflow/tfjs-layers'
import { LowbitError } from '../../../errors.js'
import { affineOf } from '../../../quantize/ranges/affine.js'
import type { Observer, ValueRange } from '../../../quantize/ranges/observer.js'
import type { Affine } from '../../../quantize/rules.js'
import type { ActivationSettings } from '../../../recipe/recipe.js'
import type { LearnedGrid } from '../../contract.js'
import {
  fakeQuantize,
  learnedClip,
  learnedOffset,
  offsetZeroPoint,
  tensorflow,
  valueRange,
} from '../fake-quantize.js'
import { ACTIVATION_CODES } from '../grid.js'
import { type Layer, type LayerConfig, only, registered, tensorflowLayers } from './module.js'

/**
 * `average`: moving averages of the smallest and largest value of each batch. `kept`: a range that was found before
 * training. `learned`: scale and offset by their gradients (LSQ+). `clip`: from 0 to a learned end (PACT).
 * `prescribed`: what the operator of the file has.
 */
export type RangeKind = 'average' | 'kept' | 'learned' | 'clip' | 'prescribed'

export interface ActivationQuantizerConfig {
  readonly name: string
  readonly range: RangeKind
  readonly scheme: ActivationSettings['scheme']
  readonly prescribed?: Affine
  readonly isFrozen?: boolean
}

export interface ActivationQuantizer extends Layer {
  readonly range: RangeKind
  /** While it is set the layer passes values on as they are, and to it. */
  observer: Observer | undefined
  isFrozen: boolean
  /** Starts from a range that was seen before training. */
  start(range: ValueRange): void
  /** @throws {LowbitError} `OPTION_INVALID` before there is a range. */
  grid(): LearnedGrid
}

/** What a batch counts less with each batch after it. */
const KEPT = 0.99
const STEPS = ACTIVATION_CODES.high - ACTIVATION_CODES.low
/** Ranges that are learned have a logarithm. */
const SMALLEST_STEP = 2 ** -40

/** The class; `const Quantizer = activationQuantizer(); new Quantizer(config)`. */
export const activationQuantizer = registered(
  (): (new (config: ActivationQuantizerConfig) => ActivationQuantizer) => {
    const core = tensorflow()
    const { layers, initializers } = tensorflowLayers()

    return class LowbitActivationQuantizer extends layers.Layer implements ActivationQuantizer {
      static className = 'LowbitActivationQuantizer'
      readonly range: RangeKind
      observer: Observer | undefined
      isFrozen: boolean
      readonly #config: ActivationQuantizerConfig
      /** Sums of the averages: smallest, largest, and of what the batches count. */
      #average: LayerVariable | undefined
      /** Logarithm of the scale, or of the clip: it stays positive, and steps of an optimiser are shares of it. */
      #logarithm: LayerVariable | undefined
      #offset: LayerVariable | undefined
      /** Of the calls of this step so far: a grid that several tensors share spans them all. */
      #seen: ValueRange | undefined
      #calls = 0

      constructor(config: ActivationQuantizerConfig) {
        super(config as object)
        this.#config = config
        this.range = config.range
        this.isFrozen = config.isFrozen ?? false
        this.supportsMasking = true
      }

      override build(): void {
        const add = (name: string, shape: number[], trainable: boolean) =>
          this.addWeight(name, shape, 'float32', initializers.zeros(), undefined, trainable)
        if (this.range === 'average' || this.range === 'kept') this.#average = add('range', [3], false)
        if (this.range === 'learned' || this.range === 'clip') this.#logarithm = add('logarithm', [1], true)
        if (this.range === 'learned') this.#offset = add('offset', [1], true)
        this.built = true
      }

      override computeOutputShape(shape: never): never {
        return shape
      }

      override call(inputs: Tensor | Tensor[], kwargs: { training?: boolean }): Tensor {
        return core.tidy(() => {
          const x = only(inputs)
          if (this.observer !== undefined) {
            this.observer.add(x.dataSync() as Float32Array)
            return core.clone(x)
          }
          if (kwargs?.training === true && this.range === 'average' && !this.isFrozen) this.#see(x)
          return this.#quantize(x)
        })
      }

      #quantize(x: Tensor): Tensor {
        if (this.#logarithm !== undefined) {
          const number = core.exp(this.#logarithm.read())
          if (this.#offset === undefined) return learnedClip(x, number, ACTIVATION_CODES)
          const count = x.size / Math.max(x.shape[0] ?? 1, 1)
          return learnedOffset(x, number, this.#offset.read(), ACTIVATION_CODES, count)
        }
        const affine = this.#affine()
        if (affine === undefined) return core.clone(x)
        const grid = {
          scale: core.tensor1d([affine.scale]),
          zeroPoint: core.tensor1d([affine.zeroPoint], 'float32'),
        }
        return fakeQuantize(x, grid, ACTIVATION_CODES)
      }

      #see(x: Tensor): void {
        const [min, max] = valueRange(x) as unknown as [number, number]
        if (!Number.isFinite(min) || !Number.isFinite(max)) {
          const message = `${this.name}: values of a training step are not finite; the training diverged`
          throw new LowbitError('NOT_FINITE', message, { tensor: this.name, actual: [min, max] })
        }
        this.#seen = {
          min: Math.min(min, this.#seen?.min ?? min),
          max: Math.max(max, this.#seen?.max ?? max),
        }
        if (++this.#calls < this.inboundNodes.length) return
        const [low = 0, high = 0, total = 0] = this.#average?.read().dataSync() ?? []
        const sums = [KEPT * low + this.#seen.min, KEPT * high + this.#seen.max, KEPT * total + 1]
        this.#average?.write(core.tensor1d(sums))
        this.#seen = undefined
        this.#calls = 0
      }

      #affine(): Affine | undefined {
        if (this.range === 'prescribed') return this.#config.prescribed
        const [low = 0, high = 0, total = 0] = this.#average?.read().dataSync() ?? []
        const range = total === 0 ? this.#seen : { min: low / total, max: high / total }
        return range && affineOf(range, 'int8', this.#config.scheme)
      }

      start({ min, max }: ValueRange): void {
        core.tidy(() => {
          if (this.#average !== undefined) {
            this.#average.write(core.tensor1d([min, max, 1]))
            return
          }
          const low = this.range === 'clip' ? 0 : Math.min(min, 0)
          const span = Math.max(Math.max(max, 0) - low, STEPS * SMALLEST_STEP)
          const number = this.range === 'clip' ? span : span / STEPS
          this.#logarithm?.write(core.tensor1d([Math.log(number)]))
          this.#offset?.write(core.tensor1d([low]))
        })
      }

      grid(): LearnedGrid {
        const { scale, zeroPoint } = this.#learned() ?? this.#affine() ?? this.#missing()
        return { bits: 8, scales: Float32Array.of(scale), zeroPoints: Int32Array.of(zeroPoint) }
      }

      #learned(): Affine | undefined {
        if (this.#logarithm === undefined) return undefined
        const variable = this.#logarithm
        const number = core.tidy(() => core.exp(variable.read()).dataSync()[0]) as number
        if (this.#offset === undefined)
          return { scale: Math.fround(number / STEPS), zeroPoint: ACTIVATION_CODES.low }
        const offset = this.#offset.read().dataSync()[0] as number
        return { scale: number, zeroPoint: offsetZeroPoint(number, offset, ACTIVATION_CODES) }
      }

      #missing(): never {
        const message = `${this.name} has seen no values: train a step, or give options.ranges`
        throw new LowbitError('OPTION_INVALID', message, { tensor: this.name })
      }

      override getConfig(): LayerConfig {
        return { ...super.getConfig(), ...this.#config, isFrozen: this.isFrozen } as unknown as LayerConfig
      }
    }
  },
)
