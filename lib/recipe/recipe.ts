// The recipe language: which tensors of a float model become which integers, and by which method. Plain JSON.

/** A recipe as a user writes it. */
export interface Recipe {
  /** Of the language. */
  readonly version: 1
  readonly name?: string
  /** For each operator the rules that match it are laid over one another; the last one that says a thing wins. */
  readonly rules: readonly Rule[]
  readonly repairs?: Repairs
  /** Type of the model's own inputs and outputs. `float32`: it quantises and dequantises by itself. Default `integer`. */
  readonly ports?: 'integer' | 'float32'
  /** Of what is drawn at random (positions that statistics see). Default 1. */
  readonly seed?: number
}

export interface Rule {
  /** Glob (`*`, `?`, `{a,b}`) on the names of an operator's output tensors, or on `CONV_2D #3`. Default: all. */
  readonly match?: string
  /** Only these operators, as the file spells them: `CONV_2D`. Default: all. */
  readonly ops?: readonly string[]
  /** Leave the operator as it is, in float32. `skip: false` takes an earlier rule back. */
  readonly skip?: boolean
  readonly weights?: Partial<WeightSettings>
  readonly activations?: Partial<ActivationSettings>
}

/** How the constant operand of a convolution, a fully connected layer or the like is kept. */
export interface WeightSettings {
  /** `float32`: as they are. */
  readonly type: 'integer' | 'float16' | 'float32'
  /** 2 to 8. 8 and 4 have types of their own in the file; others are emulated: fewer codes in the next wider type. */
  readonly bits: number
  readonly scheme: 'symmetric' | 'asymmetric'
  readonly granularity: 'tensor' | 'channel' | 'group'
  /** Elements along the last dimension that share a scale, with `granularity: 'group'`. */
  readonly groupSize: number
  /** `piecewise`: two slopes (Fang et al., ECCV 2020), stored as int8. */
  readonly method: 'uniform' | 'piecewise'
  /**
   * How a scale is found: from the largest magnitude, or with the smallest squared error of the weights (and, with
   * rounding to the nearest, of their sum).
   */
  readonly clip: 'max' | 'mse'
  /** `adaptive`: chosen up or down such that the layer's output errs least (AdaRound, Nagel et al., ICML 2020). */
  readonly rounding: 'nearest' | 'adaptive'
  /** Where the slopes of `piecewise` meet: closed form of a Gaussian or Laplacian, or a search over the squared error. */
  readonly breakpoint: 'gaussian' | 'laplacian' | 'search'
}

/** How computed tensors are kept. */
export interface ActivationSettings {
  /**
   * `int8`, `uint8`, `int16`: full integer, ranges from samples. `dynamic`: float32 tensors, quantised row by row in the run
   * (hybrid kernels). `float32`: the weights are widened before use (weight-only).
   */
  readonly type: 'int8' | 'uint8' | 'int16' | 'dynamic' | 'float32'
  /** `mixed`: symmetric where the range's two ends are alike in magnitude, else asymmetric. int16 is always symmetric. */
  readonly scheme: 'asymmetric' | 'symmetric' | 'mixed'
  readonly range: RangeMethod
  /** Share of the values that lie within, for `percentile`. */
  readonly percentile: number
}

export type RangeMethod = 'minmax' | 'moving-average' | 'percentile' | 'entropy' | 'mse'

/** What mends a model before and after its numbers are rounded; each may be switched off. */
export interface Repairs {
  /** Batch normalisation that the graph still has becomes part of the layer before it. Default true. */
  readonly foldBatchNorm?: boolean
  /** Cross-layer equalisation through ReLU and ReLU6 (Nagel et al., ICCV 2019). */
  readonly equalise?: boolean
  /** Takes the mean error that rounded weights cause off the bias, from statistics or from the samples. */
  readonly biasCorrection?: 'none' | 'analytic' | 'empirical'
}
