// Fused activations: the clamp that an operator applies to its output.

/** Names of the schema's `ActivationFunctionType`, by number. */
export const fusedActivation = ['none', 'relu', 'relu_n1_to_1', 'relu6', 'tanh', 'sign_bit'] as const
export type FusedActivation = (typeof fusedActivation)[number]

/** Highest code of the quantised types. */
const ENDS = {
  int8: { low: -128, high: 127 },
  uint8: { low: 0, high: 255 },
  int16: { low: -32768, high: 32767 },
} as const

export type QuantizedDtype = keyof typeof ENDS

export function isQuantizedDtype(dtype: string): dtype is QuantizedDtype {
  return dtype in ENDS
}

/** The codes that a type can hold. */
export function codeRange(dtype: QuantizedDtype): { low: number; high: number } {
  return ENDS[dtype]
}

/** C's round: halves away from zero. Exact for every double. */
export function roundHalfAway(x: number): number {
  const whole = Math.trunc(x)
  return Math.abs(x - whole) >= 0.5 ? whole + Math.sign(x) : whole
}

/** The real interval of an activation; undefined for those that are no clamp. */
function realRange(activation: number): readonly [number, number] | undefined {
  switch (fusedActivation[activation]) {
    case 'none':
      return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
    case 'relu':
      return [0, Number.POSITIVE_INFINITY]
    case 'relu_n1_to_1':
      return [-1, 1]
    case 'relu6':
      return [0, 6]
    default:
      return undefined
  }
}

/** Whether lowbit can fuse the activation: all that are clamps. */
export function isClamp(activation: number): boolean {
  return realRange(activation) !== undefined
}

interface Affine {
  readonly scale: number
  readonly zeroPoint: number
}

/**
 * The codes that a quantised output is clamped to.
 *
 * @param activation Number of the schema's `ActivationFunctionType`; one for which `isClamp` holds.
 * @returns Both ends lie in the type's range, but `low > high` is possible where a file's zero point lies outside it.
 */
export function activationRange(
  activation: number,
  quantization: Affine,
  dtype: QuantizedDtype,
): { low: number; high: number } {
  const range = realRange(activation) ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  return codesBetween(range, quantization, dtype)
}

/**
 * The codes of the ends of a real interval, held to those that the type has.
 *
 * @see TFLite, kernels/kernel_util: CalculateActivationRangeQuantized. The quotient is rounded in float32.
 */
export function codesBetween(
  [bottom, top]: readonly [number, number],
  { scale, zeroPoint }: Affine,
  dtype: QuantizedDtype,
): { low: number; high: number } {
  const { low, high } = ENDS[dtype]
  const code = (real: number) => zeroPoint + roundHalfAway(Math.fround(real / Math.fround(scale)))
  const within = (x: number) => Math.min(high, Math.max(low, x))
  return { low: within(code(bottom)), high: within(code(top)) }
}

/** The clamp of a float output; infinities become the largest finite numbers, as in the reference. */
export function floatActivationRange(activation: number): { low: number; high: number } {
  const [low, high] = realRange(activation) ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  const largest = 3.4028234663852886e38
  return { low: Math.max(low, -largest), high: Math.min(high, largest) }
}

/** The clamp of an unquantised int32 output. */
export function intActivationRange(activation: number): { low: number; high: number } {
  const [low, high] = realRange(activation) ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  return { low: Math.max(low, -(2 ** 31)), high: Math.min(high, 2 ** 31 - 1) }
}
