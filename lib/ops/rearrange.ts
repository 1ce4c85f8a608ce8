// Operators that only put elements elsewhere, all by the native step `strided`: BROADCAST_TO, TILE, REVERSE_V2,
// SPACE_TO_DEPTH, DEPTH_TO_SPACE.

import { type Shape, shapeText } from '../tensor/shape.js'
import {
  axisOf,
  constants,
  expectDtype,
  expectInputs,
  expectRank,
  expectSameDtype,
  fewConstants,
  MOVABLE,
} from './checks.js'
import { defineOp, type Inferred, type Lowered, type NodeContext } from './contract.js'
import { stridedStep, stridesOf } from './strided.js'

interface Walk {
  readonly dims: Shape
  readonly strides: readonly number[]
  readonly offset: number
}

/** An operator that is one walk over its first input. */
function rearranging<Attributes>(
  name: string,
  inputs: number,
  read: (options: Readonly<Record<string, unknown>>) => Attributes,
  shapeOf: (node: NodeContext<Attributes>) => Shape,
  walk: (node: NodeContext<Attributes>) => Walk,
) {
  return defineOp<Attributes>({
    name,
    tflite: { type: name.toUpperCase(), read },
    infer(node): Inferred[] {
      expectInputs(node, inputs)
      const input = node.input(0)
      expectDtype(node, input, MOVABLE)
      return [{ shape: shapeOf(node), dtype: input.dtype }]
    },
    lower(node): Lowered {
      const [input, output] = [node.input(0), node.output(0)]
      expectSameDtype(node, input, output)
      const { dims, strides, offset } = walk(node)
      // A dimension of one index has no distance; an empty result reads nothing.
      const used = strides.map((stride, i) => ((dims[i] as number) > 1 ? stride : 0))
      return {
        steps: [stridedStep(input, output, { dims, strides: used, offset: dims.includes(0) ? 0 : offset })],
      }
    },
  })
}

type None = Record<string, never>
const none = (): None => ({})

function broadcastTarget(node: NodeContext<unknown>): Shape {
  const { shape } = node.input(0)
  const target = fewConstants(node, node.input(1))
  const missing = target.length - shape.length
  if (missing >= 0 && target.length <= 8) {
    if (shape.every((extent, i) => extent === 1 || extent === target[i + missing])) return target
  }
  throw node.fail('SHAPE_MISMATCH', `${shapeText(shape)} does not broadcast to ${shapeText(target)}`, {
    expected: target,
    actual: shape,
  })
}

export const broadcastTo = rearranging<None>('broadcast_to', 2, none, broadcastTarget, (node) => {
  const { shape } = node.input(0)
  const dims = broadcastTarget(node)
  const strides = stridesOf(shape)
  const missing = dims.length - shape.length
  return {
    dims,
    strides: dims.map((_, i) => (shape[i - missing] === 1 ? 0 : (strides[i - missing] ?? 0))),
    offset: 0,
  }
})

function multiples(node: NodeContext<unknown>): readonly number[] {
  const { shape } = node.input(0)
  const counts = constants(node, node.input(1), shape.length)
  if (counts.some((count) => count < 0)) throw node.fail('FILE_INVALID', `tiles of ${counts.join(', ')}`)
  // Each repeated dimension becomes two for the walk.
  const walked = counts.filter((count, i) => count !== 1 && shape[i] !== 1).length + shape.length
  if (walked > 8)
    throw node.fail(
      'OPERATOR_UNSUPPORTED',
      `tiles along ${walked - shape.length} of ${shape.length} dimensions`,
    )
  return counts
}

export const tile = rearranging<None>(
  'tile',
  2,
  none,
  (node) => multiples(node).map((count, i) => count * (node.input(0).shape[i] as number)),
  (node) => {
    const { shape } = node.input(0)
    const strides = stridesOf(shape)
    const dims: number[] = []
    const steps: number[] = []
    for (const [i, count] of multiples(node).entries()) {
      const extent = shape[i] as number
      if (count !== 1) {
        dims.push(count)
        steps.push(0)
      }
      if (extent !== 1 || count === 1) {
        dims.push(extent)
        steps.push(strides[i] as number)
      }
    }
    return { dims, strides: steps, offset: 0 }
  },
)

function turnedAxes(node: NodeContext<None>): ReadonlySet<number> {
  const rank = node.input(0).shape.length
  return new Set(fewConstants(node, node.input(1)).map((axis) => axisOf(node, axis, rank)))
}

export const reverseV2 = rearranging<None>(
  'reverse_v2',
  2,
  none,
  (node) => {
    expectRank(node, node.input(0), 1, 8)
    turnedAxes(node)
    return node.input(0).shape
  },
  (node) => {
    const { shape } = node.input(0)
    const strides = stridesOf(shape)
    const turned = turnedAxes(node)
    return {
      dims: shape,
      strides: strides.map((stride, i) => (turned.has(i) ? -stride : stride)),
      offset: [...turned].reduce((sum, i) => sum + (strides[i] as number) * ((shape[i] as number) - 1), 0),
    }
  },
)

interface Block {
  readonly blockSize: number
}
const readBlock = (options: Readonly<Record<string, unknown>>): Block => ({
  blockSize: Number(options['blockSize'] ?? 0),
})

function checkedBlock(node: NodeContext<Block>): { image: [number, number, number, number]; block: number } {
  const input = node.input(0)
  expectRank(node, input, 4)
  const { blockSize: block } = node.attributes
  if (!(Number.isInteger(block) && block >= 1 && block < 2 ** 15)) {
    throw node.fail('FILE_INVALID', `a block size of ${block}`, { actual: block })
  }
  return { image: input.shape as unknown as [number, number, number, number], block }
}

function divides(node: NodeContext<unknown>, parts: number, ...extents: readonly number[]): void {
  if (extents.every((extent) => extent % parts === 0)) return
  throw node.fail('SHAPE_MISMATCH', `${extents.join(' x ')} does not fall into blocks of ${parts}`, {
    expected: parts,
    actual: extents,
  })
}

export const spaceToDepth = rearranging<Block>(
  'space_to_depth',
  1,
  readBlock,
  (node) => {
    const { image, block } = checkedBlock(node)
    const [n, h, w, c] = image
    divides(node, block, h, w)
    return [n, h / block, w / block, c * block * block]
  },
  (node) => {
    const { image, block } = checkedBlock(node)
    const [n, h, w, c] = image
    return {
      dims: [n, h / block, w / block, block, block, c],
      strides: [h * w * c, block * w * c, block * c, w * c, c, 1],
      offset: 0,
    }
  },
)

export const depthToSpace = rearranging<Block>(
  'depth_to_space',
  1,
  readBlock,
  (node) => {
    const { image, block } = checkedBlock(node)
    const [n, h, w, c] = image
    divides(node, block * block, c)
    return [n, h * block, w * block, c / block / block]
  },
  (node) => {
    const { image, block } = checkedBlock(node)
    const [n, h, w, c] = image
    const depth = c / block / block
    return {
      dims: [n, h, block, w, block, depth],
      strides: [h * w * c, w * c, block * depth, c, depth, 1],
      offset: 0,
    }
  },
)
