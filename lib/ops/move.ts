// TILE, BROADCAST_TO, REVERSE_V2, DEPTH_TO_SPACE, SPACE_TO_DEPTH: elements in other places, by one strided copy each.

import type { Shape } from '../tensor/shape.js'
import { shapeText } from '../tensor/shape.js'
import {
  axisOf,
  constants,
  expectDtype,
  expectInputs,
  expectRank,
  expectSameDtype,
  MOVABLE,
} from './checks.js'
import { defineOp, type Lowered, type NodeContext } from './contract.js'
import { stridedStep, stridesOf } from './strided.js'

type Node = NodeContext<unknown>

/** Extents of the output and the distance in the input for each, outermost first. */
interface Dimension {
  readonly extent: number
  readonly stride: number
}

/** The copy, without dimensions of one index; at most 8 others. */
function moved(node: Node, dimensions: readonly Dimension[], offset = 0): Lowered {
  const [input, output] = [node.input(0), node.output(0)]
  expectSameDtype(node, input, output)
  const walked = dimensions.filter(({ extent }) => extent !== 1)
  if (walked.length > 8) {
    throw node.fail('OPERATOR_UNSUPPORTED', `it moves along ${walked.length} dimensions, at most 8 run`)
  }
  const empty = walked.some(({ extent }) => extent === 0)
  return {
    steps: [
      stridedStep(input, output, {
        dims: walked.map(({ extent }) => extent),
        strides: walked.map(({ stride }) => stride),
        offset: empty ? 0 : offset,
      }),
    ],
  }
}

function movable(node: Node, inputs: number, least = 0): Shape {
  expectInputs(node, inputs)
  expectDtype(node, node.input(0), MOVABLE)
  expectRank(node, node.input(0), least, 8)
  return node.input(0).shape
}

export const tile = defineOp<Record<string, never>>({
  name: 'tile',
  tflite: { type: 'TILE', read: () => ({}) },
  infer(node) {
    const from = movable(node, 2)
    const times = constants(node, node.input(1), from.length)
    if (times.some((count) => count < 0)) {
      throw node.fail('FILE_INVALID', `it repeats ${times.join(', ')} times`, { actual: times })
    }
    return [{ shape: from.map((extent, i) => extent * (times[i] as number)), dtype: node.input(0).dtype }]
  },
  lower(node) {
    const { shape } = node.input(0)
    const times = constants(node, node.input(1), shape.length)
    const strides = stridesOf(shape)
    return moved(
      node,
      shape.flatMap((extent, i) => [
        { extent: times[i] as number, stride: 0 },
        { extent, stride: strides[i] as number },
      ]),
    )
  },
})

export const broadcastTo = defineOp<Record<string, never>>({
  name: 'broadcast_to',
  tflite: { type: 'BROADCAST_TO', read: () => ({}) },
  infer(node) {
    const from = movable(node, 2)
    const to = constants(node, node.input(1))
    const lead = to.length - from.length
    const fits = from.every((extent, i) => extent === 1 || extent === to[lead + i])
    if (lead < 0 || to.length > 8 || !fits) {
      throw node.fail('SHAPE_MISMATCH', `${shapeText(from)} does not broadcast to ${shapeText(to)}`, {
        expected: to,
        actual: from,
      })
    }
    return [{ shape: to, dtype: node.input(0).dtype }]
  },
  lower(node) {
    const [from, to] = [node.input(0).shape, node.output(0).shape]
    const strides = stridesOf(from)
    const lead = to.length - from.length
    return moved(
      node,
      to.map((extent, i) => ({
        extent,
        stride: (from[i - lead] ?? 1) === 1 ? 0 : (strides[i - lead] as number),
      })),
    )
  },
})

export const reverseV2 = defineOp<Record<string, never>>({
  name: 'reverse_v2',
  tflite: { type: 'REVERSE_V2', read: () => ({}) },
  infer(node) {
    const shape = movable(node, 2, 1)
    const axes = constants(node, node.input(1)).map((axis) => axisOf(node, axis, shape.length))
    if (new Set(axes).size !== axes.length) throw node.fail('FILE_INVALID', `axes ${axes.join(', ')} repeat`)
    return [{ shape, dtype: node.input(0).dtype }]
  },
  lower(node) {
    const { shape } = node.input(0)
    const axes = constants(node, node.input(1)).map((axis) => axisOf(node, axis, shape.length))
    const strides = stridesOf(shape)
    const offset = axes.reduce(
      (sum, axis) => sum + ((shape[axis] as number) - 1) * (strides[axis] as number),
      0,
    )
    return moved(
      node,
      shape.map((extent, i) => ({ extent, stride: (axes.includes(i) ? -1 : 1) * (strides[i] as number) })),
      offset,
    )
  },
})

interface BlockAttributes {
  readonly blockSize: number
}

/** DEPTH_TO_SPACE and SPACE_TO_DEPTH: blocks of an NHWC image are the first part of the deep image's channels. */
function depthOp(name: 'depth_to_space' | 'space_to_depth') {
  return defineOp<BlockAttributes>({
    name,
    tflite: {
      type: name.toUpperCase(),
      read: (options) => ({ blockSize: Number(options['blockSize'] ?? 0) }),
    },
    infer(node) {
      movable(node, 1)
      expectRank(node, node.input(0), 4)
      const [batch = 0, height = 0, width = 0, depth = 0] = node.input(0).shape
      const block = node.attributes.blockSize
      if (!Number.isInteger(block) || block < 1) {
        throw node.fail('FILE_INVALID', `blocks of ${block}`, { actual: block })
      }
      const { dtype } = node.input(0)
      const toSpace = name === 'depth_to_space'
      if (toSpace ? depth % block ** 2 !== 0 : height % block !== 0 || width % block !== 0) {
        throw node.fail(
          'SHAPE_MISMATCH',
          `${shapeText(node.input(0).shape)} is not made of blocks of ${block}`,
          {
            expected: block,
            actual: node.input(0).shape,
          },
        )
      }
      return [
        toSpace
          ? { shape: [batch, height * block, width * block, depth / block ** 2], dtype }
          : { shape: [batch, height / block, width / block, depth * block ** 2], dtype },
      ]
    },
    lower(node) {
      const block = node.attributes.blockSize
      const toSpace = name === 'depth_to_space'
      // batch, rows of blocks, rows in a block, columns of blocks, columns in a block, channels: of the flat image.
      const [batch = 0, height = 0, width = 0, depth = 0] = (toSpace ? node.output(0) : node.input(0)).shape
      const flat = [batch, height / block, block, width / block, block, depth]
      const deep = [0, 1, 3, 2, 4, 5]
      const stored = toSpace ? deep.map((i) => flat[i] as number) : flat
      const strides = stridesOf(stored)
      return moved(
        node,
        deep.map((from, i) => {
          const [extent, stride] = toSpace ? [flat[i], strides[deep.indexOf(i)]] : [flat[from], strides[from]]
          return { extent: extent as number, stride: stride as number }
        }),
      )
    },
  })
}

export const depthToSpace = depthOp('depth_to_space')
export const spaceToDepth = depthOp('space_to_depth')
