// What a layer's weights are multiplied with: the columns of its input, at some places of its output.

import type { OptionValue } from '../../model/model.js'
import { readConvWindow } from '../../ops/conv-window.js'
import { windowGeometry } from '../../ops/window.js'
import { elementCount, type Shape } from '../../tensor/shape.js'

/** Where the columns of a layer lie in its input. A fully connected layer is a 1x1 window. */
export interface LayerGeometry {
  /** Rows of the output: batches x height x width. */
  readonly places: number
  /** Groups of channels that rows of weights keep to: 1, or the channels of a depthwise layer. */
  readonly groups: number
  /** Columns of each group. */
  readonly columns: number
  /** Copies the columns of one group at one place, row-major over the window; padding is 0. */
  copy(input: Float32Array, place: number, group: number, to: Float32Array, at: number): void
}

/**
 * @param type As the file spells it.
 * @returns undefined for operators whose inputs are not looked at: their weights round to the nearest.
 */
export function layerGeometry(
  type: string,
  options: Readonly<Record<string, OptionValue>>,
  input: Shape,
  weights: Shape,
): LayerGeometry | undefined {
  if (type === 'FULLY_CONNECTED') return dense(elementCount(input), weights[1] ?? 0)
  if (type !== 'CONV_2D' && type !== 'DEPTHWISE_CONV_2D') return undefined
  if (input.length !== 4 || weights.length !== 4) return undefined
  const channels = input[3] as number
  const depth = type === 'CONV_2D' ? (weights[3] as number) : 1
  return convolution(options, input as Shape4, [weights[1] as number, weights[2] as number], {
    depth,
    groups: depth === 0 ? 0 : Math.floor(channels / depth),
  })
}

type Shape4 = readonly [number, number, number, number]

function dense(elements: number, columns: number): LayerGeometry {
  return {
    places: columns === 0 ? 0 : Math.floor(elements / columns),
    groups: 1,
    columns,
    copy: (input, place, _, to, at) => to.set(input.subarray(place * columns, (place + 1) * columns), at),
  }
}

function convolution(
  options: Readonly<Record<string, OptionValue>>,
  [batches, height, width, channels]: Shape4,
  [filterHeight, filterWidth]: readonly [number, number],
  { depth, groups }: { depth: number; groups: number },
): LayerGeometry {
  const { stride, dilation, padding } = readConvWindow(options)
  const along = (axis: 0 | 1, extent: number, filter: number) =>
    windowGeometry({
      input: extent,
      filter,
      stride: stride[axis],
      dilation: dilation[axis],
      padding: padding === 'same' ? 0 : 1,
    })
  const [vertical, horizontal] = [along(0, height, filterHeight), along(1, width, filterWidth)]
  const perBatch = vertical.output * horizontal.output
  const copy: LayerGeometry['copy'] = (input, place, group, to, at) => {
    const batch = Math.floor(place / perBatch)
    const y = Math.floor((place % perBatch) / horizontal.output) * stride[0] - vertical.padBefore
    const x = (place % horizontal.output) * stride[1] - horizontal.padBefore
    for (let i = 0; i < filterHeight; i++) {
      for (let j = 0; j < filterWidth; j++) {
        const [row, column] = [y + i * dilation[0], x + j * dilation[1]]
        const target = at + (i * filterWidth + j) * depth
        const inside = row >= 0 && row < height && column >= 0 && column < width
        const from = ((batch * height + row) * width + column) * channels + group * depth
        for (let c = 0; c < depth; c++) to[target + c] = inside ? (input[from + c] as number) : 0
      }
    }
  }
  return { places: batches * perBatch, groups, columns: filterHeight * filterWidth * depth, copy }
}
