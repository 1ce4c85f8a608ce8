// Convolutions and dense layers whose weights are laid on a grid before use, with the batch normalisation behind them.

import type { Tensor } from '@tensorflow/tfjs-core'
import type { LayerVariable } from '@tensorflow/tfjs-layers'
import { sortWeights } from '../../../quantize/weights/sorted.js'
import { uniformGrid } from '../../../quantize/weights/uniform.js'
import type { LearnedGrid } from '../../contract.js'
import { channelScales, fakeQuantize, learnedStep, tensorflow } from '../fake-quantize.js'
import { weightCodes } from '../grid.js'
import { type Layer, type LayerConfig, only, registered, tensorflowLayers } from './module.js'
import { type FoldedNorm, type NormConfig, NormFolding } from './norm.js'

export interface WeightGridConfig {
  readonly bits: LearnedGrid['bits']
  /** `max`: from the largest magnitudes, at each step. `learned`: by its gradient (LSQ). */
  readonly scale: 'max' | 'learned'
  readonly granularity: 'tensor' | 'channel'
}

/** Besides what the layer has without quantisation. */
export interface Quantization {
  /** Absent where the weights stay float32. */
  readonly weights?: WeightGridConfig
  readonly norm?: NormConfig
  readonly isFrozen?: boolean
}

export interface QuantizedLayer extends Layer {
  isFrozen: boolean
  readonly kernelVariable: LayerVariable
  readonly biasVariable: LayerVariable | undefined
  readonly norm: FoldedNorm | undefined
  /** Starts from the step that errs least on the weights, where it is learned. */
  start(): void
  grid(): LearnedGrid | undefined
  /** What the layer multiplies with and adds: weights with the batch norm in them, on their grid. The caller frees them. */
  plain(): { readonly kernel: Tensor; readonly bias?: Tensor }
}

export type QuantizedClass = new (
  config: LayerConfig & { readonly quantization: Quantization },
) => QuantizedLayer

/** What is used of the classes of TensorFlow.js; its types hide them. */
interface Plain extends Layer {
  kernel: Pick<LayerVariable, 'read'>
  depthwiseKernel: Pick<LayerVariable, 'read'>
  bias: Pick<LayerVariable, 'read'> | null
  useBias: boolean
}
type PlainClass = new (config: LayerConfig) => Plain

/** @param axis Dimension of the weights that the output channels run along. */
function quantized(
  className: string,
  kernelName: 'kernel' | 'depthwiseKernel',
  axis: number,
  example: () => Layer,
): QuantizedClass {
  const core = tensorflow()
  const { initializers } = tensorflowLayers()
  const Base = example().constructor as PlainClass

  const made = class extends Base implements QuantizedLayer {
    static className = className
    readonly #quantization: Quantization
    isFrozen: boolean
    norm: NormFolding | undefined
    #logScale: LayerVariable | undefined

    constructor(config: LayerConfig & { readonly quantization: Quantization }) {
      super(config)
      this.#quantization = config.quantization
      this.isFrozen = config.quantization.isFrozen ?? false
    }

    get kernelVariable(): LayerVariable {
      return this[kernelName] as LayerVariable
    }

    get biasVariable(): LayerVariable | undefined {
      return this.useBias ? (this.bias as LayerVariable) : undefined
    }

    override build(shape: never): void {
      super.build(shape)
      const { weights, norm } = this.#quantization
      const channels = this.#channels()
      const add = (name: string, count: number, kind: 'zeros' | 'ones', trainable: boolean) =>
        this.addWeight(name, [count], 'float32', initializers[kind](), undefined, trainable)
      if (weights?.scale === 'learned') {
        this.#logScale = add('logarithm', weights.granularity === 'tensor' ? 1 : channels, 'zeros', true)
      }
      if (norm)
        this.norm = new NormFolding(norm, (name, kind, isTrained) => add(name, channels, kind, isTrained))
      this.built = true
    }

    #channels(): number {
      return this[kernelName]
        .read()
        .shape.slice(axis)
        .reduce((count, extent) => count * extent, 1)
    }

    override call(inputs: Tensor | Tensor[], kwargs: { training?: boolean }): Tensor {
      return core.tidy(() => {
        const { norm } = this
        const kernel = this[kernelName].read()
        if (norm === undefined)
          return this.#callWith(inputs, kwargs, this.#quantize(kernel), this.biasVariable?.read())
        if (kwargs?.training === true && !this.isFrozen) {
          const factor = norm.constantFactor()
          const sums = this.#callWith(inputs, kwargs, this.#quantize(this.#fold(kernel, factor)))
          return norm.applyBatch(sums, factor, this.biasVariable?.read())
        }
        const { kernel: folded, bias } = this.#folded()
        return this.#callWith([only(inputs)], kwargs, folded, bias)
      })
    }

    /** The layer as TensorFlow.js has it, on other numbers for once. */
    #callWith(inputs: Tensor | Tensor[], kwargs: object, kernel: Tensor, bias?: Tensor): Tensor {
      const { [kernelName]: kernelBefore, bias: biasBefore, useBias } = this
      try {
        this[kernelName] = { read: () => kernel }
        this.bias = bias === undefined ? null : { read: () => bias }
        this.useBias = bias !== undefined
        return super.call(inputs, kwargs) as Tensor
      } finally {
        this[kernelName] = kernelBefore
        this.bias = biasBefore
        this.useBias = useBias
      }
    }

    #folded(): { kernel: Tensor; bias: Tensor } {
      const norm = this.norm as NormFolding
      const factor = norm.factor()
      return {
        kernel: this.#quantize(this.#fold(this[kernelName].read(), factor)),
        bias: norm.bias(factor, this.biasVariable?.read()),
      }
    }

    #fold(kernel: Tensor, factor: Tensor): Tensor {
      return core.mul(kernel, core.reshape(factor, kernel.shape.slice(axis)))
    }

    #quantize(kernel: Tensor): Tensor {
      const { weights } = this.#quantization
      if (weights === undefined) return kernel
      const codes = weightCodes(weights.bits)
      if (this.#logScale !== undefined) return learnedStep(kernel, core.exp(this.#logScale.read()), codes)
      return fakeQuantize(kernel, { scale: this.#maxScales(kernel, weights) }, codes)
    }

    #maxScales(kernel: Tensor, { bits, granularity }: WeightGridConfig): Tensor {
      return channelScales(kernel, granularity === 'tensor' ? 1 : this.#channels(), weightCodes(bits))
    }

    start(): void {
      const variable = this.#logScale
      const { weights } = this.#quantization
      if (variable === undefined || weights === undefined) return
      core.tidy(() => {
        const kernel = this[kernelName].read()
        const values = (
          this.norm ? this.#fold(kernel, this.norm.factor()) : kernel
        ).dataSync() as Float32Array
        const rows = variable.shape[0] as number
        const scales = Array.from({ length: rows }, (_, row) => {
          const part = values.filter((_, i) => i % rows === row)
          return uniformGrid(sortWeights(part), { bits: weights.bits, scheme: 'symmetric', clip: 'mse' })
            .scale
        })
        variable.write(core.tensor1d(scales.map(Math.log)))
      })
    }

    grid(): LearnedGrid | undefined {
      const { weights } = this.#quantization
      if (weights === undefined) return undefined
      const scales = core.tidy(() => {
        if (this.#logScale !== undefined) return core.exp(this.#logScale.read()).dataSync().slice()
        const kernel = this[kernelName].read()
        const folded = this.norm ? this.#fold(kernel, this.norm.factor()) : kernel
        return this.#maxScales(folded, weights).dataSync().slice()
      }) as Float32Array
      const isWhole = weights.granularity === 'tensor'
      return {
        bits: weights.bits,
        scales,
        zeroPoints: new Int32Array(scales.length),
        ...(!isWhole && { axis }),
      }
    }

    plain(): { kernel: Tensor; bias?: Tensor } {
      const bias = this.biasVariable?.read()
      return core.tidy(() => {
        if (this.norm !== undefined) return this.#folded()
        return {
          kernel: core.clone(this.#quantize(this[kernelName].read())),
          ...(bias && { bias: core.clone(bias) }),
        }
      })
    }

    override getConfig(): LayerConfig {
      const quantization = { ...this.#quantization, isFrozen: this.isFrozen }
      return { ...super.getConfig(), quantization } as unknown as LayerConfig
    }
  }
  return made
}

/** By class of the layer that is quantised. */
export const QUANTIZED_CLASSES: Readonly<Record<string, () => QuantizedClass>> = {
  Conv2D: registered(() =>
    quantized('LowbitConv2D', 'kernel', 3, () =>
      tensorflowLayers().layers.conv2d({ filters: 1, kernelSize: 1 }),
    ),
  ),
  DepthwiseConv2D: registered(() =>
    quantized('LowbitDepthwiseConv2D', 'depthwiseKernel', 2, () =>
      tensorflowLayers().layers.depthwiseConv2d({ kernelSize: 1 }),
    ),
  ),
  Dense: registered(() =>
    quantized('LowbitDense', 'kernel', 1, () => tensorflowLayers().layers.dense({ units: 1 })),
  ),
}
