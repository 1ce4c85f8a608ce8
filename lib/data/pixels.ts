// Pictures in memory: interleaved 8-bit samples, one (grey) or three (red, green, blue) a pixel.

export interface Pixels {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  /** height x width x channels, row-major. */
  readonly data: Uint8Array
}

/**
 * The same picture with one or three samples a pixel. Grey is the luma of Rec. ITU-R BT.601
 * (0.299 R + 0.587 G + 0.114 B), rounded to nearest; colour from grey repeats the sample.
 */
export function withChannels(pixels: Pixels, channels: 1 | 3): Pixels {
  if (pixels.channels === channels) return pixels
  const { data, width, height } = pixels
  const out = new Uint8Array(width * height * channels)
  for (let i = 0; i < width * height; i++) {
    if (channels === 3) out.fill(data[i] as number, 3 * i, 3 * i + 3)
    else {
      const [r, g, b] = [data[3 * i] as number, data[3 * i + 1] as number, data[3 * i + 2] as number]
      out[i] = Math.floor((299 * r + 587 * g + 114 * b + 500) / 1000)
    }
  }
  return { width, height, channels, data: out }
}
