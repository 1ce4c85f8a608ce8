// The layers once more, as plainly as they can be written: the oracle of the bench and of the kernel tests.

import { multiplyByQuantizedMultiplier, quantizeMultiplier } from '#lib/numerics/fixed-point.js'

/** How a sum becomes a code. */
export interface ReferenceOutput {
  /** Real factor of output channel c. */
  readonly factor: (channel: number) => number
  readonly zeroPoint: number
  readonly low: number
  readonly high: number
}

export function requantize(sum: number, channel: number, out: ReferenceOutput): number {
  const scaled = multiplyByQuantizedMultiplier(sum, quantizeMultiplier(out.factor(channel)))
  return Math.min(out.high, Math.max(out.low, scaled + out.zeroPoint))
}

export interface ReferenceWindow extends ReferenceOutput {
  readonly input: Int8Array
  readonly inputShape: readonly [number, number, number, number]
  readonly filter: Int8Array
  readonly filterShape: readonly [number, number, number, number]
  readonly stride: readonly [number, number]
  readonly dilation: readonly [number, number]
  readonly padding: 'same' | 'valid'
  readonly inputZeroPoint: number
  readonly bias: Int32Array | undefined
  /** Output channels for each input channel in a depthwise layer; undefined for a full convolution. */
  readonly depthMultiplier?: number
}

/** Output extent along one axis, and the padding before its first place. */
function along(extent: number, filter: number, stride: number, dilation: number, padding: 'same' | 'valid') {
  const reach = dilation * (filter - 1) + 1
  if (padding === 'valid') return { extent: Math.floor((extent - reach) / stride) + 1, before: 0 }
  const out = Math.ceil(extent / stride)
  return { extent: out, before: Math.max(0, (out - 1) * stride + reach - extent) >> 1 }
}

export function windowOutput(w: ReferenceWindow) {
  const [rows, columns] = [0, 1].map((axis) =>
    along(
      w.inputShape[axis + 1] as number,
      w.filterShape[axis + 1] as number,
      w.stride[axis] as number,
      w.dilation[axis] as number,
      w.padding,
    ),
  ) as [ReturnType<typeof along>, ReturnType<typeof along>]
  const channels = w.depthMultiplier === undefined ? w.filterShape[0] : w.filterShape[3]
  return {
    shape: [w.inputShape[0], rows.extent, columns.extent, channels],
    top: rows.before,
    left: columns.before,
  }
}

/** The code at one place of the output. */
export function windowElement(w: ReferenceWindow, n: number, y: number, x: number, channel: number): number {
  const { top, left } = windowOutput(w)
  const [, height, width, depth] = w.inputShape
  const [, kh, kw] = w.filterShape
  const filterDepth = w.filterShape[3]
  let sum = w.bias?.[channel] ?? 0
  for (let i = 0; i < kh; i++) {
    for (let j = 0; j < kw; j++) {
      const row = y * w.stride[0] - top + i * w.dilation[0]
      const column = x * w.stride[1] - left + j * w.dilation[1]
      if (row < 0 || row >= height || column < 0 || column >= width) continue
      const at = ((n * height + row) * width + column) * depth
      if (w.depthMultiplier === undefined) {
        for (let c = 0; c < depth; c++) {
          const weight = w.filter[((channel * kh + i) * kw + j) * filterDepth + c] as number
          sum += ((w.input[at + c] as number) - w.inputZeroPoint) * weight
        }
      } else {
        const c = Math.floor(channel / w.depthMultiplier)
        const weight = w.filter[(i * kw + j) * filterDepth + channel] as number
        sum += ((w.input[at + c] as number) - w.inputZeroPoint) * weight
      }
    }
  }
  return requantize(sum, channel, w)
}

export interface ReferenceGemm extends ReferenceOutput {
  readonly n: number
  readonly k: number
  readonly a: Int8Array
  readonly b: Int8Array
  readonly aZeroPoint: number
  readonly bias: Int32Array | undefined
}

/** The code at one place of a product. */
export function gemmElement(g: ReferenceGemm, row: number, column: number): number {
  let sum = g.bias?.[column] ?? 0
  for (let p = 0; p < g.k; p++) {
    sum += ((g.a[row * g.k + p] as number) - g.aZeroPoint) * (g.b[column * g.k + p] as number)
  }
  return requantize(sum, column, g)
}
