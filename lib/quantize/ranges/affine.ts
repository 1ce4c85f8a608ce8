// From a range of real values to the scale and zero point of codes.

import type { ActivationSettings } from '../../recipe/recipe.js'
import type { ValueRange } from './observer.js'

export interface AffineCodes {
  /** A float32. */
  readonly scale: number
  readonly zeroPoint: number
  readonly low: number
  readonly high: number
}

const ENDS = { int8: [-128, 127], uint8: [0, 255], int16: [-32768, 32767] } as const
/** With `mixed`, ends of which the smaller one has this share of the larger are alike: symmetric codes lose little there. */
const ALIKE = 0.9
const SMALLEST_SCALE = 2 ** -126

/**
 * Codes that span a range, widened where needed to hold zero, which is a code exactly. A range that holds nothing but
 * zero has the scale 1.
 *
 * Symmetric codes leave out the lowest one, so that both sides are alike; int16 is always symmetric (TFLite asks for
 * it), and 128 is the middle of uint8.
 */
export function affineOf(
  { min, max }: ValueRange,
  { type, scheme }: { type: keyof typeof ENDS; scheme: ActivationSettings['scheme'] },
): AffineCodes {
  const [low, high] = ENDS[type]
  const [below, above] = [Math.max(-min, 0), Math.max(max, 0)]
  if (below === 0 && above === 0) return { scale: 1, zeroPoint: middle(type), low, high }
  const alike = Math.min(below, above) >= ALIKE * Math.max(below, above)
  if (type === 'int16' || scheme === 'symmetric' || (scheme === 'mixed' && alike)) {
    const scale = stored(Math.max(below, above) / (high - middle(type)))
    return { scale, zeroPoint: middle(type), low, high }
  }
  const scale = stored((below + above) / (high - low))
  return { scale, zeroPoint: Math.min(low + Math.round(below / scale), high), low, high }
}

function middle(type: keyof typeof ENDS): number {
  return type === 'uint8' ? 128 : 0
}

function stored(scale: number): number {
  return Math.max(Math.fround(scale), SMALLEST_SCALE)
}
