// Pixels to input tensors: finds height, width, channels and layout in a tensor's shape and writes its codes.

import { LowbitError } from '../errors.js'
import type { Dtype, TypedArray } from '../tensor/dtype.js'
import { elementCount, type Shape, shapeText } from '../tensor/shape.js'
import { type Pixels, withChannels } from './pixels.js'
import { type Fit, resize } from './resize.js'

export const LAYOUTS = ['nhwc', 'nchw'] as const
export type Layout = (typeof LAYOUTS)[number]

/** What is asked of an input tensor. */
export interface InputTensor {
  readonly name: string
  readonly shape: Shape
  readonly dtype: Dtype
}

export interface ImageInput {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  readonly layout: Layout
}

/** real = (pixel - mean) / std; one entry for all channels or one for each. */
export interface Normalization {
  readonly mean: readonly number[]
  readonly std: readonly number[]
}

/**
 * How a picture lies in a tensor of shape [1, H, W, C] or [1, C, H, W], the leading 1 optional, C being 1 or 3.
 * Where both readings fit, `nhwc` is taken unless `layout` says otherwise.
 *
 * @throws {LowbitError} `SHAPE_MISMATCH` if no picture fits the shape.
 */
export function imageInput(tensor: InputTensor, layout?: Layout): ImageInput {
  const batched = tensor.shape.length === 4
  const [a, b, c] = batched ? tensor.shape.slice(1) : tensor.shape
  const fits = (channels: number | undefined) => channels === 1 || channels === 3
  const rankFits = tensor.shape.length === 3 || (batched && tensor.shape[0] === 1)
  if (rankFits && a && b && c) {
    if (layout !== 'nchw' && fits(c)) return { height: a, width: b, channels: c as 1 | 3, layout: 'nhwc' }
    if (layout !== 'nhwc' && fits(a)) return { height: b, width: c, channels: a as 1 | 3, layout: 'nchw' }
  }
  throw new LowbitError(
    'SHAPE_MISMATCH',
    `input "${tensor.name}" ${shapeText(tensor.shape)} takes no picture${layout ? ` as ${layout}` : ''}: expected [1, height, width, 1 or 3] or [1, 1 or 3, height, width]`,
    { tensor: tensor.name, expected: '[1, h, w, c]', actual: tensor.shape },
  )
}

function perChannel(values: readonly number[], channels: number, what: string): readonly number[] {
  if (values.length === channels) return values
  if (values.length === 1) return new Array<number>(channels).fill(values[0] as number)
  throw new LowbitError(
    'OPTION_INVALID',
    `${what} has ${values.length} values, the input ${channels} channels`,
    {
      expected: channels,
      actual: values.length,
    },
  )
}

/** Real value of each pixel value, channel by channel: 256 entries a channel. */
export function normalizationTable({ mean, std }: Normalization, channels: number): Float32Array {
  const means = perChannel(mean, channels, 'mean')
  const stds = perChannel(std, channels, 'std')
  const table = new Float32Array(256 * channels)
  for (let c = 0; c < channels; c++) {
    const [m, s] = [means[c] as number, stds[c] as number]
    if (!Number.isFinite(m) || !Number.isFinite(s) || s === 0) {
      throw new LowbitError('OPTION_INVALID', `mean ${m} and std ${s}: both must be finite, std not 0`)
    }
    for (let pixel = 0; pixel < 256; pixel++) table[256 * c + pixel] = (pixel - m) / s
  }
  return table
}

/** Code of each pixel value when nothing is said about normalisation: the pixel, moved into the type's range. */
function plainTable(tensor: InputTensor): TypedArray {
  const pixel = (_: unknown, i: number) => i
  switch (tensor.dtype) {
    case 'uint8':
      return Uint8Array.from({ length: 256 }, pixel)
    case 'int8':
      return Int8Array.from({ length: 256 }, (_, i) => i - 128)
    case 'float32':
      return Float32Array.from({ length: 256 }, pixel)
    default:
      throw new LowbitError(
        'DTYPE_UNSUPPORTED',
        `input "${tensor.name}" is ${tensor.dtype}: pixels go into uint8, int8 and float32 inputs (others need a normalisation)`,
        { tensor: tensor.name, expected: 'uint8, int8 or float32', actual: tensor.dtype },
      )
  }
}

/** Types whose inputs take real values: floats as they are, quantised ones rounded by the session as QUANTIZE does. */
const TAKES_REALS: readonly Dtype[] = ['float32', 'uint8', 'int8', 'int16']

/**
 * A picture as the data of an input tensor.
 *
 * With a normalisation the result holds real values, as a Float32Array; a model quantises them by its input's scale and zero
 * point. Without one a uint8 code is the pixel, an int8 code the pixel - 128, a float the pixel.
 *
 * @throws {LowbitError} `SHAPE_MISMATCH`, `DTYPE_UNSUPPORTED` if the tensor takes no pictures; `OPTION_INVALID` for a
 *   normalisation that does not fit the channels.
 */
export function pictureData(
  pixels: Pixels,
  tensor: InputTensor,
  options: { readonly normalization?: Normalization; readonly layout?: Layout; readonly fit?: Fit } = {},
): TypedArray {
  const { height, width, channels, layout } = imageInput(tensor, options.layout)
  const { normalization } = options
  if (normalization && !TAKES_REALS.includes(tensor.dtype)) {
    throw new LowbitError(
      'DTYPE_UNSUPPORTED',
      `input "${tensor.name}" is ${tensor.dtype}: it takes no pixels`,
      {
        tensor: tensor.name,
        actual: tensor.dtype,
      },
    )
  }
  const table = normalization ? normalizationTable(normalization, channels) : plainTable(tensor)
  const data = withChannels(resize(pixels, width, height, options.fit), channels).data
  const Result = table.constructor as new (length: number) => TypedArray
  const out = new Result(elementCount(tensor.shape))
  const plane = height * width
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < channels; c++) {
      const row = normalization ? 256 * c : 0
      out[layout === 'nhwc' ? i * channels + c : c * plane + i] = table[
        row + (data[i * channels + c] as number)
      ] as number
    }
  }
  return out
}
