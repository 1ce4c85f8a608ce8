// Windows that slide over an image: output extents and padding, one dimension at a time.

/** Names of the schema's `Padding`, by number. */
export const paddings = ['same', 'valid'] as const

export interface Window {
  /** Extent of the image. */
  readonly input: number
  /** Extent of the window. */
  readonly filter: number
  /** Steps between windows; at least 1. */
  readonly stride: number
  /** Distance of two taps; at least 1. */
  readonly dilation?: number
  /** Number of the schema's `Padding`: 0 same, 1 valid. */
  readonly padding: number
}

/**
 * How many windows there are, and how many places the first one begins before the image.
 *
 * `output` is 0 or negative where a valid window does not fit: callers refuse that.
 *
 * @see TFLite, kernels/padding.h: ComputeOutSize, ComputePaddingWithOffset. An odd place of padding goes behind.
 */
export function windowGeometry({ input, filter, stride, dilation = 1, padding }: Window): {
  output: number
  padBefore: number
} {
  const extent = (filter - 1) * dilation + 1
  const output = Math.floor(
    (paddings[padding] === 'same' ? input + stride - 1 : input + stride - extent) / stride,
  )
  const total = Math.max(0, (output - 1) * stride + extent - input)
  return { output, padBefore: Math.floor(total / 2) }
}
