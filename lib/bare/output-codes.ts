// How sums become output codes: factors, zero point and clamp, from the arguments that all bare kernels share.

import { quantizeMultipliers } from '../numerics/fixed-point.js'
import { activationRange, type FusedActivation, fusedActivation } from '../ops/activation.js'
import { badArgument, multipliers, zeroPoint } from './arguments.js'

export type KernelActivation = 'none' | 'relu' | 'relu6'

/** Arguments about the output that every kernel takes. */
export interface OutputOptions {
  /** Real factor of the integer sums: input scale x weight scale / output scale; one, or one for each output channel. */
  readonly multiplier: number | Float64Array
  /** -128 to 127. */
  readonly outZeroPoint: number
  /** Default `'none'`. */
  readonly activation?: KernelActivation | undefined
  /** Output scale; needed for `'relu6'`, which ends at the code of 6. */
  readonly outScale?: number | undefined
  /** Filled and returned instead of a new array. */
  readonly out?: Int8Array | undefined
}

export const OUTPUT_KEYS = ['multiplier', 'outZeroPoint', 'activation', 'outScale', 'out'] as const

const ACTIVATIONS: readonly KernelActivation[] = ['none', 'relu', 'relu6']

/** Attributes of the native steps, from the arguments. */
export function outputAttributes(of: string, options: OutputOptions, channels: number) {
  const factors = quantizeMultipliers(multipliers(of, options.multiplier, channels))
  const zero = zeroPoint(of, 'outZeroPoint', options.outZeroPoint)
  const activation = options.activation ?? 'none'
  if (!ACTIVATIONS.includes(activation)) {
    throw badArgument(of, 'activation', `one of ${ACTIVATIONS.join(', ')}`, activation)
  }
  const scale = options.outScale
  const scaleIsFine = typeof scale === 'number' && Number.isFinite(scale) && Math.fround(scale) > 0
  if (!scaleIsFine && (scale !== undefined || activation === 'relu6')) {
    throw badArgument(
      of,
      'outScale',
      activation === 'relu6' ? 'a scale above 0, for relu6,' : 'a scale above 0',
      scale,
    )
  }
  const number = fusedActivation.indexOf(activation satisfies FusedActivation)
  const { low, high } = activationRange(number, { scale: scale ?? 1, zeroPoint: zero }, 'int8')
  return { outputZeroPoint: zero, low, high, multiplier: factors.multiplier, shift: factors.shift }
}
