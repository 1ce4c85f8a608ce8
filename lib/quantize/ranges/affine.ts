// From a range of real values to the scale and zero point of codes.

import type { ActivationSettings } from '../../recipe/recipe.js'
import { type Affine, CODE_RANGES, type CodeType } from '../rules.js'
import type { ValueRange } from './observer.js'

/** With `mixed`, ends of which the smaller one has this share of the larger are alike: symmetric codes lose little there. */
const ALIKE = 0.9
/** Smaller ones would leave the float32 numbers once they are multiplied with the scale of weights. */
const SMALLEST_SCALE = 2 ** -100

/**
 * Codes that span a range, widened where needed to hold zero, which is a code exactly. A range that holds nothing but
 * zero has the scale 1.
 *
 * Symmetric codes leave out the lowest one, so that both sides are alike; int16 is always symmetric (TFLite asks for
 * it), and 128 is the middle of uint8.
 */
export function affineOf(
  { min, max }: ValueRange,
  type: CodeType,
  scheme: ActivationSettings['scheme'],
): Affine {
  const { low, high } = CODE_RANGES[type]
  const [below, above] = [Math.max(-min, 0), Math.max(max, 0)]
  if (below === 0 && above === 0) return { scale: 1, zeroPoint: middle(type) }
  const alike = Math.min(below, above) >= ALIKE * Math.max(below, above)
  if (type === 'int16' || scheme === 'symmetric' || (scheme === 'mixed' && alike)) {
    const scale = stored(Math.max(below, above) / (high - middle(type)))
    return { scale, zeroPoint: middle(type) }
  }
  const scale = stored((below + above) / (high - low))
  return { scale, zeroPoint: Math.min(low + Math.round(below / scale), high) }
}

function middle(type: CodeType): number {
  return type === 'uint8' ? 128 : 0
}

function stored(scale: number): number {
  return Math.max(Math.fround(scale), SMALLEST_SCALE)
}
