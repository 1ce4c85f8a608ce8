// SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND: blocks of an image, by their place in a block, as images of their own.
//
// The image has one or two dimensions: [batch, height, (width,) depth].

import { shapeText } from '../tensor/shape.js'
import { isQuantizedDtype } from './activation.js'
import {
  constants,
  expectDtype,
  expectInputs,
  expectRank,
  expectSameCodes,
  expectSameDtype,
  MOVABLE,
} from './checks.js'
import { defineOp, type NodeContext, type Operand, type Step } from './contract.js'
import { padStep } from './pad.js'
import { stridedStep, stridesOf } from './strided.js'

type Node = NodeContext<Record<string, never>>

interface Blocks {
  /** One extent for each dimension of the image. */
  readonly block: readonly number[]
  /** Places added, or cut off, before and after. */
  readonly edges: readonly (readonly [before: number, after: number])[]
}

function blocksOf(node: Node): Blocks {
  expectInputs(node, 3)
  const input = node.input(0)
  expectDtype(node, input, MOVABLE)
  expectRank(node, input, 3, 4)
  const rank = input.shape.length - 2
  const block = constants(node, node.input(1), rank)
  const amounts = constants(node, node.input(2), 2 * rank)
  if (block.some((extent) => extent < 1) || amounts.some((amount) => amount < 0)) {
    throw node.fail('FILE_INVALID', `blocks of ${shapeText(block)} with edges of ${shapeText(amounts)}`, {
      actual: [block, amounts],
    })
  }
  return {
    block,
    edges: block.map((_, i) => [amounts[2 * i] as number, amounts[2 * i + 1] as number] as const),
  }
}

function checkCodes(node: Node): void {
  const [input, output] = [node.input(0), node.output(0)]
  expectSameDtype(node, input, output)
  if (isQuantizedDtype(input.dtype)) expectSameCodes(node, input, output)
}

const product = (numbers: readonly number[]) => numbers.reduce((all, one) => all * one, 1)

export const spaceToBatchNd = defineOp<Record<string, never>>({
  name: 'space_to_batch_nd',
  tflite: { type: 'SPACE_TO_BATCH_ND', read: () => ({}) },
  infer(node) {
    const { block, edges } = blocksOf(node)
    const { shape, dtype } = node.input(0)
    const [batch = 0, ...rest] = shape
    const padded = edges.map(([before, after], i) => (rest[i] as number) + before + after)
    if (padded.some((extent, i) => extent % (block[i] as number) !== 0)) {
      throw node.fail('SHAPE_MISMATCH', `${shapeText(padded)} is not made of blocks of ${shapeText(block)}`, {
        expected: block,
        actual: padded,
      })
    }
    const places = padded.map((extent, i) => extent / (block[i] as number))
    return [{ shape: [batch * product(block), ...places, rest.at(-1) as number], dtype }]
  },
  lower(node) {
    checkCodes(node)
    const { block, edges } = blocksOf(node)
    const [input, output] = [node.input(0), node.output(0)]
    const [batch = 0, ...rest] = input.shape
    const depth = rest.at(-1) as number
    const steps: Step[] = []
    let image: Operand = input
    if (edges.some(([before, after]) => before + after > 0)) {
      const shape = [batch, ...edges.map(([before, after], i) => (rest[i] as number) + before + after), depth]
      image = { ...output, name: `${output.name}/padded`, shape }
      steps.push(padStep(node, input, image, [0, ...edges.map(([before]) => before), 0]))
    }
    // batch, then for each dimension the block and the place in it, then depth.
    const split = [batch, ...block.flatMap((b, i) => [(image.shape[i + 1] as number) / b, b]), depth]
    const strides = stridesOf(split)
    const order = [
      ...block.map((_, i) => 2 * i + 2),
      0,
      ...block.map((_, i) => 2 * i + 1),
      2 * block.length + 1,
    ]
    const at = (list: readonly number[]) => order.map((i) => list[i] as number)
    steps.push(stridedStep(image, output, { dims: at(split), strides: at(strides), offset: 0 }))
    return { steps }
  },
})

export const batchToSpaceNd = defineOp<Record<string, never>>({
  name: 'batch_to_space_nd',
  tflite: { type: 'BATCH_TO_SPACE_ND', read: () => ({}) },
  infer(node) {
    const { block, edges } = blocksOf(node)
    const { shape, dtype } = node.input(0)
    const [batch = 0, ...rest] = shape
    const cropped = edges.map(
      ([before, after], i) => (rest[i] as number) * (block[i] as number) - before - after,
    )
    if (batch % product(block) !== 0 || cropped.some((extent) => extent < 0)) {
      throw node.fail(
        'SHAPE_MISMATCH',
        `${shapeText(shape)} does not hold blocks of ${shapeText(block)} with such edges`,
        { expected: block, actual: shape },
      )
    }
    return [{ shape: [batch / product(block), ...cropped, rest.at(-1) as number], dtype }]
  },
  lower(node) {
    checkCodes(node)
    const { block, edges } = blocksOf(node)
    const [input, output] = [node.input(0), node.output(0)]
    const [, ...rest] = input.shape
    const depth = rest.at(-1) as number
    const batch = output.shape[0] as number
    const whole = [batch, ...block.map((b, i) => (rest[i] as number) * b), depth]
    const cut = edges.some(([before, after]) => before + after > 0)
    const image: Operand = cut ? { ...output, name: `${output.name}/whole`, shape: whole } : output
    // Stored: places in a block, batch, blocks, depth.
    const strides = stridesOf([...block, ...input.shape.with(0, batch)])
    const n = block.length
    const order = [n, ...block.flatMap((_, i) => [n + 1 + i, i]), 2 * n + 1]
    const dims = [batch, ...block.flatMap((b, i) => [rest[i] as number, b]), depth]
    const steps = [
      stridedStep(input, image, { dims, strides: order.map((i) => strides[i] as number), offset: 0 }),
    ]
    if (cut) {
      const inWhole = stridesOf(whole)
      const offset = edges.reduce((sum, [before], i) => sum + before * (inWhole[i + 1] as number), 0)
      const empty = product(output.shape) === 0
      steps.push(
        stridedStep(image, output, { dims: output.shape, strides: inWhole, offset: empty ? 0 : offset }),
      )
    }
    return { steps }
  },
})
