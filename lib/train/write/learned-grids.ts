// The grids that training chose, by the tensors of the graph that is written.

import { LowbitError } from '../../errors.js'
import type { FloatGraph } from '../../quantize/prepare.js'
import type { ActivationGrid, KnownGrids, WeightGrid } from '../../quantize/write-on-grids.js'
import type { LearnedGrid, LearnedQuantization } from '../contract.js'
import type { Traced } from './trace.js'

/**
 * A tensor's grid is that of the layer whose output it is, or of its own name: `dense/linear` is what the layer `dense`
 * gives to a function of its own, `separable/depthwise_kernel` one of two weights.
 *
 * @throws {LowbitError} `OPTION_INVALID` for a grid that is none; `NAME_UNKNOWN` for weights of a layer that is not there.
 */
export function learnedGrids(
  { tensors }: FloatGraph,
  { layersOf, weightNames }: Traced,
  { activations, weights }: LearnedQuantization,
): KnownGrids {
  for (const [name, grid] of activations) {
    checkGrid(name, grid)
    if (grid.scales.length !== 1) throw invalid(name, `one scale expected, ${grid.scales.length} given`)
  }
  const known = new Set([...weightNames.values()].flat())
  for (const [name, grid] of weights) {
    checkGrid(name, grid)
    if (!known.has(name)) {
      const message = `learned.weights: the model has no layer "${name}" with weights of that name`
      throw new LowbitError('NAME_UNKNOWN', message, { actual: name })
    }
  }
  return {
    activation: (tensor) => {
      const own = tensors[tensor]?.name ?? ''
      const grid = [own, ...(layersOf.get(tensor) ?? [])].map((name) => activations.get(name)).find(Boolean)
      return grid && activationGrid(grid)
    },
    weights: (tensor) => {
      const grid = weightNames
        .get(tensor)
        ?.map((name) => weights.get(name))
        .find(Boolean)
      return grid && weightGrid(tensors[tensor]?.name ?? '', grid)
    },
  }
}

function activationGrid({ bits, scales, zeroPoints }: LearnedGrid): ActivationGrid {
  return { bits, scale: scales[0] as number, zeroPoint: zeroPoints[0] as number }
}

function weightGrid(name: string, { bits, scales, zeroPoints }: LearnedGrid): WeightGrid {
  if (zeroPoints.some((zero) => zero !== 0))
    throw invalid(name, 'integer kernels take weights with the zero point 0')
  return { bits, scales }
}

function checkGrid(name: string, { bits, scales, zeroPoints }: LearnedGrid): void {
  if (![8, 4, 3, 2].includes(bits)) throw invalid(name, `bits: 8, 4, 3 or 2 expected, not ${bits}`)
  if (scales.length === 0 || scales.length !== zeroPoints.length) {
    throw invalid(name, `${scales.length} scales and ${zeroPoints.length} zero points`)
  }
  const scale = scales.find((one) => !(one > 0) || !Number.isFinite(one))
  if (scale !== undefined) throw invalid(name, `a scale is ${scale}; a number above 0 expected`)
  const [low, high] = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1]
  const zero = zeroPoints.find((one) => one < low || one > high)
  if (zero !== undefined) throw invalid(name, `a zero point is ${zero}; ${low} to ${high} expected`)
}

function invalid(name: string, why: string): LowbitError {
  return new LowbitError('OPTION_INVALID', `learned grid of "${name}": ${why}`, { tensor: name })
}
