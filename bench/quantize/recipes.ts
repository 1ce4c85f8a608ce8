// The recipes that are measured, and the ladder: what each repair gives to few bits, one thing after another.

import type { PresetName } from '#lib/recipe/presets.js'
import type { Recipe, Repairs, WeightSettings } from '#lib/recipe/recipe.js'

/** One thing more than the rung before it, or than the one that `after` names. */
interface Rung {
  readonly name: string
  readonly weights: Partial<WeightSettings>
  readonly repairs?: Repairs
}

const bias: Repairs = { biasCorrection: 'empirical' }
const adaptive = { rounding: 'adaptive' } as const

/** Rungs below those of `REPAIRS`: how the scales are found. */
const SCALES = {
  uniform: [
    { name: 'largest magnitude', weights: { clip: 'max' } },
    { name: 'least squares', weights: { clip: 'mse' } },
  ],
  piecewise: [
    { name: 'gaussian', weights: { clip: 'mse', breakpoint: 'gaussian' } },
    { name: 'laplacian', weights: { clip: 'mse', breakpoint: 'laplacian' } },
    { name: 'least squares', weights: { clip: 'mse', breakpoint: 'search' } },
  ],
} as const satisfies Record<string, readonly Rung[]>

const least = { clip: 'mse', breakpoint: 'search' } as const

const REPAIRS: readonly Rung[] = [
  { name: 'equalisation', weights: least, repairs: { equalise: true } },
  { name: 'bias correction', weights: least, repairs: bias },
  { name: 'adaptive rounding', weights: { ...least, ...adaptive } },
  { name: 'adaptive rounding, bias correction', weights: { ...least, ...adaptive }, repairs: bias },
  {
    name: 'adaptive rounding, bias correction, equalisation',
    weights: { ...least, ...adaptive },
    repairs: { ...bias, equalise: true },
  },
]

export const BITS = [6, 4, 3] as const
export const LADDER_METHODS = ['uniform', 'piecewise'] as const
export type LadderMethod = (typeof LADDER_METHODS)[number]

const rungsOf = (method: LadderMethod): readonly Rung[] => [...SCALES[method], ...REPAIRS]

/** Rows of the ladder's table. */
export const RUNGS = [...new Set(LADDER_METHODS.flatMap((method) => rungsOf(method).map(({ name }) => name)))]

export const ladderColumn = (method: LadderMethod, bits: number, rung: string) =>
  `lowbit-${method}${bits}-${rung.replaceAll(/\W+/g, '-')}`

function ladderRecipe(method: LadderMethod, bits: number, { weights, repairs }: Rung): Recipe {
  const rules = [
    { ops: ['CONV_2D', 'DEPTHWISE_CONV_2D', 'FULLY_CONNECTED'], weights: { ...weights, method, bits } },
  ]
  return { version: 1, rules, ...(repairs && { repairs }) }
}

/** By column: weights of 6, 4 and 3 bits, activations of 8. */
export const LADDER: ReadonlyMap<string, Recipe> = new Map(
  LADDER_METHODS.flatMap((method) =>
    BITS.flatMap((bits) =>
      rungsOf(method).map(
        (rung) => [ladderColumn(method, bits, rung.name), ladderRecipe(method, bits, rung)] as const,
      ),
    ),
  ),
)

const plain = (rule: Recipe['rules'][number]): Recipe => ({ version: 1, rules: [rule] })

/** By column: presets by name, and recipes. */
export const RECIPES: ReadonlyMap<string, Recipe | PresetName> = new Map<string, Recipe | PresetName>([
  ['lowbit-int8', 'int8'],
  ['lowbit-int8-plain', plain({})],
  ['lowbit-int8-bias', { ...plain({}), repairs: { biasCorrection: 'analytic' } }],
  ['lowbit-int8-adaptive', plain({ weights: { rounding: 'adaptive' } })],
  [
    'lowbit-int8-adaptive-bias',
    { ...plain({ weights: { rounding: 'adaptive' } }), repairs: { biasCorrection: 'analytic' } },
  ],
  ['lowbit-int16x8', 'int16x8'],
  ['lowbit-int8-dynamic', 'int8-dynamic'],
  ['lowbit-weights8', plain({ activations: { type: 'float32' } })],
  ['lowbit-int4-weights', 'int4-weights'],
  [
    'lowbit-int4-dynamic',
    plain({ weights: { bits: 4, clip: 'mse', rounding: 'adaptive' }, activations: { type: 'dynamic' } }),
  ],
  ['lowbit-pwlq4', 'pwlq4'],
  ...LADDER,
])
