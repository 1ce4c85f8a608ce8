// What a recipe of `quantize` means in training.

import { LowbitError } from '../../errors.js'
import { readRecipe } from '../../recipe/read.js'
import type { Recipe } from '../../recipe/recipe.js'
import { resolve, type Settings } from '../../recipe/resolve.js'
import type { LearnedGrid } from '../contract.js'
import type { Node } from './network.js'

export interface NodeSettings extends Settings {
  /** Whether the recipe leaves the layer in float32. */
  readonly skip: boolean
}

const BITS: readonly number[] = [8, 4, 3, 2] satisfies LearnedGrid['bits'][]

/**
 * The settings of each node by name. Rules match a node as an operator: by the name of its layer, or its place among the
 * layers (`CONV_2D #1`).
 *
 * @throws {LowbitError} `OPTION_INVALID` for what has no meaning in training.
 */
export function nodeSettings(
  given: Recipe | string | undefined,
  nodes: readonly Node[],
): ReadonlyMap<string, NodeSettings> {
  const recipe = readRecipe(given ?? 'int8')
  if (recipe.repairs?.foldBatchNorm === false)
    throw meaningless('repairs.foldBatchNorm false', 'batch norms are folded')
  if (recipe.repairs?.equalise === true)
    throw meaningless('repairs.equalise true', 'training finds the weights; equalise the float model')
  const operators = nodes.map(({ name, operator, type }, place) => ({
    type: operator ?? type,
    place,
    outputs: [name],
  }))
  const settings = resolve(recipe, operators)
  return new Map(
    nodes.map((node, i) => {
      const own = settings[i] as Settings
      const skip = own.skip || (node.weights !== undefined && own.weights.type === 'float32')
      if (!skip) check(own, node)
      return [node.name, { ...own, skip }]
    }),
  )
}

function check({ weights, activations }: Settings, { name, weights: has }: Node): void {
  if (activations.type !== 'int8') {
    throw meaningless(
      `activations.type ${activations.type}`,
      'activations are int8; `skip` leaves a layer in float32',
      name,
    )
  }
  if (has === undefined) return
  const { type, bits, scheme, method } = weights
  if (type !== 'integer') throw meaningless(`weights.type ${type}`, 'integer or float32 expected', name)
  if (!BITS.includes(bits))
    throw meaningless(`weights.bits ${bits}`, `one of ${BITS.join(', ')} expected`, name)
  if (scheme !== 'symmetric') throw meaningless(`weights.scheme ${scheme}`, 'weights are symmetric', name)
  if (method !== 'uniform') throw meaningless(`weights.method ${method}`, 'weights have uniform codes', name)
}

function meaningless(what: string, why: string, operator?: string): LowbitError {
  const place = operator === undefined ? '' : ` of ${operator}`
  return new LowbitError('OPTION_INVALID', `recipe${place}: ${what} has no meaning in training: ${why}`, {
    ...(operator !== undefined && { operator }),
  })
}
