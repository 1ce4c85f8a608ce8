// Resizes pictures: bilinear, with the filter widened when shrinking, so that every source pixel counts.

import type { Pixels } from './pixels.js'

/** How a picture of another aspect ratio becomes the wanted size. */
export const FITS = ['stretch', 'crop', 'pad'] as const
export type Fit = (typeof FITS)[number]

/** What one output sample reads along an axis: source samples from `first`, with weights that sum to 1. */
interface Tap {
  readonly first: number
  readonly weights: readonly number[]
}

/**
 * Triangle filter over source samples [start, start + length), sample centres at halves. The triangle is
 * one source sample wide when enlarging and one output sample wide when shrinking.
 */
function taps(size: number, start: number, length: number, wanted: number): readonly Tap[] {
  const scale = length / wanted
  const reach = Math.max(1, scale)
  return Array.from({ length: wanted }, (_, i) => {
    const centre = start + (i + 0.5) * scale
    const first = Math.max(0, Math.floor(centre - reach + 0.5))
    const end = Math.min(size, Math.ceil(centre + reach - 0.5) + 1)
    const raw: number[] = []
    for (let x = first; x < end; x++) raw.push(Math.max(0, 1 - Math.abs(x + 0.5 - centre) / reach))
    const sum = raw.reduce((a, b) => a + b, 0)
    return { first, weights: raw.map((w) => w / sum) }
  })
}

/** The part of the picture from (x, y), w x h pixels (fractions allowed), as width x height pixels. */
function resample(
  p: Pixels,
  x: number,
  y: number,
  w: number,
  h: number,
  width: number,
  height: number,
): Pixels {
  const c = p.channels
  const columns = taps(p.width, x, w, width)
  const rows = taps(p.height, y, h, height)
  // Only the source rows that some output row reads are filtered along x.
  const top = rows[0]?.first ?? 0
  const last = rows[height - 1] as Tap
  const between = new Float64Array((last.first + last.weights.length - top) * width * c)
  for (let r = 0; r * width * c < between.length; r++) {
    for (let i = 0; i < width; i++) {
      const { first, weights } = columns[i] as Tap
      for (let k = 0; k < c; k++) {
        let sum = 0
        let from = ((top + r) * p.width + first) * c + k
        for (const weight of weights) {
          sum += weight * (p.data[from] as number)
          from += c
        }
        between[(r * width + i) * c + k] = sum
      }
    }
  }
  const data = new Uint8Array(width * height * c)
  for (let j = 0; j < height; j++) {
    const { first, weights } = rows[j] as Tap
    for (let i = 0; i < width * c; i++) {
      let sum = 0
      let from = (first - top) * width * c + i
      for (const weight of weights) {
        sum += weight * (between[from] as number)
        from += width * c
      }
      data[j * width * c + i] = Math.round(sum)
    }
  }
  return { width, height, channels: c, data }
}

/**
 * The picture in another size. A picture that has the size already is returned as it is.
 *
 * @param fit `stretch` ignores the aspect ratio; `crop` keeps it and cuts the longer side around the middle;
 *   `pad` keeps it and adds black borders around the middle.
 */
export function resize(pixels: Pixels, width: number, height: number, fit: Fit = 'stretch'): Pixels {
  const { width: w, height: h, channels: c } = pixels
  if (w === width && h === height) return pixels
  if (fit === 'stretch') return resample(pixels, 0, 0, w, h, width, height)
  if (fit === 'crop') {
    const scale = Math.min(w / width, h / height)
    const [cw, ch] = [width * scale, height * scale]
    return resample(pixels, (w - cw) / 2, (h - ch) / 2, cw, ch, width, height)
  }
  const scale = Math.min(width / w, height / h)
  const inner = resample(
    pixels,
    0,
    0,
    w,
    h,
    Math.max(1, Math.round(w * scale)),
    Math.max(1, Math.round(h * scale)),
  )
  const data = new Uint8Array(width * height * c)
  const left = (width - inner.width) >> 1
  const top = (height - inner.height) >> 1
  for (let y = 0; y < inner.height; y++) {
    const row = inner.data.subarray(y * inner.width * c, (y + 1) * inner.width * c)
    data.set(row, ((top + y) * width + left) * c)
  }
  return { width, height, channels: c, data }
}
