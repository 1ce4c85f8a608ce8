// The recipe language as a JSON schema: what `read.ts` checks by, and what editors are given (docs/recipe.schema.json).

/** The part of JSON Schema that recipes need. */
export type Schema =
  | {
      readonly type: 'object'
      readonly description?: string
      readonly properties: Readonly<Record<string, Schema>>
      readonly required?: readonly string[]
      readonly additionalProperties: false
    }
  | {
      readonly type: 'array'
      readonly description?: string
      readonly items: Schema
      readonly minItems?: number
    }
  | { readonly enum: readonly (string | number)[]; readonly description?: string; readonly default?: string }
  | { readonly type: 'string'; readonly description?: string; readonly minLength?: number }
  | { readonly type: 'boolean'; readonly description?: string; readonly default?: boolean }
  | {
      readonly type: 'integer' | 'number'
      readonly description?: string
      readonly minimum: number
      readonly maximum: number
      readonly default?: number
    }

const WEIGHTS: Schema = {
  type: 'object',
  description: 'How the constant operand of a convolution, a fully connected layer or the like is kept.',
  additionalProperties: false,
  properties: {
    type: { enum: ['integer', 'float16', 'float32'], default: 'integer' },
    bits: {
      type: 'integer',
      minimum: 2,
      maximum: 8,
      default: 8,
      description: 'Widths other than 8 and 4 are emulated: fewer codes in the next wider type.',
    },
    scheme: { enum: ['symmetric', 'asymmetric'], default: 'symmetric' },
    granularity: { enum: ['tensor', 'channel', 'group'], default: 'channel' },
    groupSize: {
      enum: [32, 64, 128, 256],
      description:
        'Elements along the last dimension that share a scale, with granularity group. Default 32.',
    },
    method: {
      enum: ['uniform', 'piecewise'],
      default: 'uniform',
      description: 'piecewise: two slopes, stored as int8.',
    },
    clip: {
      enum: ['max', 'mse'],
      default: 'max',
      description: 'Scale from the largest magnitude, or with the smallest squared error of the weights.',
    },
    rounding: {
      enum: ['nearest', 'adaptive'],
      default: 'nearest',
      description: "adaptive: up or down such that the layer's output errs least on the samples.",
    },
    breakpoint: {
      enum: ['gaussian', 'laplacian', 'search'],
      default: 'search',
      description: 'Where the slopes of piecewise meet.',
    },
  },
}

const ACTIVATIONS: Schema = {
  type: 'object',
  description: 'How computed tensors are kept.',
  additionalProperties: false,
  properties: {
    type: {
      enum: ['int8', 'uint8', 'int16', 'dynamic', 'float32'],
      default: 'int8',
      description:
        'int8, uint8, int16: full integer. dynamic: float32, quantised in the run. float32: weights are widened before use.',
    },
    scheme: { enum: ['asymmetric', 'symmetric', 'mixed'], default: 'asymmetric' },
    range: { enum: ['minmax', 'moving-average', 'percentile', 'entropy', 'mse'], default: 'minmax' },
    percentile: {
      type: 'number',
      minimum: 0.5,
      maximum: 1,
      default: 0.9999,
      description: 'Share of the values that lie within, with range percentile.',
    },
  },
}

const RULE: Schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    match: {
      type: 'string',
      minLength: 1,
      description: "Glob (*, ?, {a,b}) on the names of an operator's output tensors, or on CONV_2D #3.",
    },
    ops: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', minLength: 1 },
      description: 'Operators as the file spells them.',
    },
    skip: { type: 'boolean', description: 'Leave the operator in float32.' },
    weights: WEIGHTS,
    activations: ACTIVATIONS,
  },
}

export const RECIPE_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'lowbit recipe',
  type: 'object',
  additionalProperties: false,
  required: ['version', 'rules'],
  properties: {
    version: { enum: [1], description: 'Of the language.' },
    name: { type: 'string' },
    rules: {
      type: 'array',
      items: RULE,
      description: 'For each operator the rules that match it are laid over one another; the last wins.',
    },
    repairs: {
      type: 'object',
      additionalProperties: false,
      properties: {
        foldBatchNorm: { type: 'boolean', default: true },
        equalise: { type: 'boolean', default: false },
        biasCorrection: { enum: ['none', 'analytic', 'empirical'], default: 'none' },
      },
    },
    ports: {
      enum: ['integer', 'float32'],
      default: 'integer',
      description: "Type of the model's own inputs and outputs.",
    },
    seed: { type: 'integer', minimum: 0, maximum: 4294967295, default: 1 },
  },
} as const satisfies Schema & { readonly $schema: string; readonly title: string }
