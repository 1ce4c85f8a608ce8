// RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR of NHWC images: source pixels and weights are tabulated here.

import type { OptionValue } from '../model/model.js'
import type { Dtype } from '../tensor/dtype.js'
import { roundHalfAway } from './activation.js'
import {
  constants,
  expectDtype,
  expectInputs,
  expectRank,
  expectSameCodes,
  expectSameDtype,
  MOVABLE,
} from './checks.js'
import { defineOp, type Inferred, type NodeContext, type StepAttribute } from './contract.js'

export interface ResizeAttributes {
  readonly alignCorners: boolean
  readonly halfPixelCenters: boolean
}

type Node = NodeContext<ResizeAttributes>

function read(options: Readonly<Record<string, OptionValue>>): ResizeAttributes {
  return {
    alignCorners: Boolean(options['alignCorners'] ?? false),
    halfPixelCenters: Boolean(options['halfPixelCenters'] ?? false),
  }
}

function infer(node: Node, dtypes: readonly Dtype[]): Inferred[] {
  expectInputs(node, 2)
  const input = node.input(0)
  expectDtype(node, input, dtypes)
  expectRank(node, input, 4)
  const [height = 0, width = 0] = constants(node, node.input(1), 2)
  const [batch = 0, rows = 0, cols = 0, channels = 0] = input.shape
  if (height < 1 || width < 1 || rows < 1 || cols < 1) {
    throw node.fail('SHAPE_MISMATCH', `an image of ${rows} x ${cols} cannot become ${height} x ${width}`, {
      expected: [rows, cols],
      actual: [height, width],
    })
  }
  return [{ shape: [batch, height, width, channels], dtype: input.dtype }]
}

/** Extents of one dimension before and after. */
function along(node: Node, axis: 1 | 2): { from: number; to: number } {
  return { from: node.input(0).shape[axis] as number, to: node.output(0).shape[axis] as number }
}

/** float32 size ratio. With aligned corners the outermost pixels fall on each other. */
function ratio({ alignCorners }: ResizeAttributes, from: number, to: number): number {
  return alignCorners && to > 1 ? Math.fround((from - 1) / (to - 1)) : Math.fround(from / to)
}

/** @see TFLite, kernels/internal/reference/resize_nearest_neighbor.h: GetNearestNeighbor */
function nearest(attributes: ResizeAttributes, { from, to }: { from: number; to: number }): Int32Array {
  const scale = ratio(attributes, from, to)
  const offset = attributes.halfPixelCenters ? 0.5 : 0
  return Int32Array.from({ length: to }, (_, i) => {
    const place = Math.fround(Math.fround(i + offset) * scale)
    const index = attributes.alignCorners ? roundHalfAway(place) : Math.floor(place)
    return Math.max(0, Math.min(index, from - 1))
  })
}

export const resizeNearestNeighbor = defineOp<ResizeAttributes>({
  name: 'resize_nearest_neighbor',
  tflite: { type: 'RESIZE_NEAREST_NEIGHBOR', read },
  infer: (node) => infer(node, MOVABLE),
  lower(node) {
    const [input, output] = [node.input(0), node.output(0)]
    expectSameDtype(node, input, output)
    const { attributes } = node
    return {
      steps: [
        {
          kind: 'resize_nearest',
          inputs: [input],
          outputs: [output],
          attributes: {
            rows: nearest(attributes, along(node, 1)),
            cols: nearest(attributes, along(node, 2)),
          },
        },
      ],
    }
  },
})

interface Axis {
  readonly first: Int32Array
  readonly second: Int32Array
  readonly weights: Int32Array | Float32Array
}

/** @see TFLite, kernels/internal/reference/resize_bilinear.h: ComputeInterpolationValues (float32). */
function realWeights(attributes: ResizeAttributes, { from, to }: { from: number; to: number }): Axis {
  const scale = ratio(attributes, from, to)
  const places = Array.from({ length: to }, (_, i) =>
    attributes.halfPixelCenters
      ? Math.fround(Math.fround(Math.fround(i + 0.5) * scale) - 0.5)
      : Math.fround(i * scale),
  )
  const first = Int32Array.from(places, (place) => Math.min(from - 1, Math.max(0, Math.floor(place))))
  return {
    first,
    second: Int32Array.from(places, (place) => Math.max(0, Math.min(from - 1, Math.ceil(place)))),
    weights: Float32Array.from(places, (place, i) => place - (first[i] as number)),
  }
}

/** In 1/1024. @see the same: ResizeBilinearInteger, ComputeInterpolationValuesInteger. */
function integerWeights(attributes: ResizeAttributes, { from, to }: { from: number; to: number }): Axis {
  const { alignCorners, halfPixelCenters } = attributes
  const [numerator, denominator] = alignCorners && to > 1 ? [from - 1, to - 1] : [from, to]
  const scale = Math.trunc((1024 * numerator + Math.trunc(denominator / 2)) / denominator)
  const places = Array.from({ length: to }, (_, i) =>
    halfPixelCenters ? i * scale + Math.trunc(scale / 2) - 512 : i * scale,
  )
  const first = Int32Array.from(places, (place) => Math.max(0, Math.trunc(place / 1024)))
  return {
    first,
    second: Int32Array.from(places, (place) => Math.min(from - 1, Math.trunc((place + 1023) / 1024))),
    weights: Int32Array.from(places, (place, i) => place - 1024 * (first[i] as number)),
  }
}

export const resizeBilinear = defineOp<ResizeAttributes>({
  name: 'resize_bilinear',
  tflite: { type: 'RESIZE_BILINEAR', read },
  infer(node) {
    if (node.attributes.alignCorners && node.attributes.halfPixelCenters) {
      throw node.fail('FILE_INVALID', 'aligned corners and half-pixel centres exclude each other')
    }
    return infer(node, ['int8', 'uint8', 'int16', 'float32'])
  },
  lower(node) {
    const [input, output] = [node.input(0), node.output(0)]
    expectSameDtype(node, input, output)
    expectSameCodes(node, input, output)
    const weigh = input.dtype === 'int8' || input.dtype === 'int16' ? integerWeights : realWeights
    const [rows, cols] = [weigh(node.attributes, along(node, 1)), weigh(node.attributes, along(node, 2))]
    const attributes: Record<string, StepAttribute> = {
      row0: rows.first,
      row1: rows.second,
      row_weights: rows.weights,
      col0: cols.first,
      col1: cols.second,
      col_weights: cols.weights,
    }
    return { steps: [{ kind: 'resize_bilinear', inputs: [input], outputs: [output], attributes }] }
  },
})
