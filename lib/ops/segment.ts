// SEGMENT_SUM and UNSORTED_SEGMENT_SUM, _PROD, _MAX, _MIN: slices folded into the segments that their numbers name.

import { elementCount, type Shape, shapeText } from '../tensor/shape.js'
import { expectDtype, expectInputs, expectRank, sameShape } from './checks.js'
import { constantScalar } from './constant.js'
import { defineOp, type NodeContext, type Op, type Step } from './contract.js'

type Node = NodeContext<Record<string, never>>

/** Numbers of the native step's operations. */
const OPERATIONS = { sum: 0, prod: 1, max: 2, min: 3 } as const

/** The extents of one slice, behind the dimensions that the segments' numbers share with the data. */
function sliceOf(node: Node): Shape {
  const [data, numbers] = [node.input(0), node.input(1)]
  expectDtype(node, data, ['int32', 'float32'])
  expectDtype(node, numbers, ['int32'])
  if (!sameShape(data.shape.slice(0, numbers.shape.length), numbers.shape)) {
    throw node.fail(
      'SHAPE_MISMATCH',
      `segments of ${shapeText(numbers.shape)} slices for data of ${shapeText(data.shape)}`,
      { tensor: numbers.name, expected: data.shape, actual: numbers.shape },
    )
  }
  return data.shape.slice(numbers.shape.length)
}

function segmentStep(node: Node, op: number): Step {
  const inputs = [node.input(0), node.input(1)]
  const attributes = { op, inner: elementCount(sliceOf(node)) }
  return { kind: 'segment', inputs, outputs: [node.output(0)], attributes }
}

/** Numbers ascend, so that the last one says how many segments there are: they must be constant. */
export const segmentSum = defineOp<Record<string, never>>({
  name: 'segment_sum',
  tflite: { type: 'SEGMENT_SUM', read: () => ({}) },
  infer(node) {
    expectInputs(node, 2)
    expectRank(node, node.input(1), 1)
    const slice = sliceOf(node)
    const numbers = node.constantInts(node.input(1))
    const stray = numbers.findIndex((number, i) => number < (numbers[i - 1] ?? 0))
    if (stray >= 0) {
      throw node.fail('FILE_INVALID', `segment numbers do not ascend at ${stray}`, { actual: numbers[stray] })
    }
    return [{ shape: [(numbers.at(-1) ?? -1) + 1, ...slice], dtype: node.input(0).dtype }]
  },
  lower: (node) => ({ steps: [segmentStep(node, OPERATIONS.sum)] }),
})

function unsorted(operation: keyof typeof OPERATIONS): Op {
  const name = `unsorted_segment_${operation}`
  return defineOp<Record<string, never>>({
    name,
    tflite: { type: name.toUpperCase(), read: () => ({}) },
    infer(node) {
      expectInputs(node, 3)
      const count = constantScalar(node, node.input(2))
      if (!(count >= 0)) throw node.fail('FILE_INVALID', `${count} segments`, { actual: count })
      return [{ shape: [count, ...sliceOf(node)], dtype: node.input(0).dtype }]
    },
    lower: (node) => ({ steps: [segmentStep(node, OPERATIONS[operation])] }),
  })
}

export const unsortedSegmentSum = unsorted('sum')
export const unsortedSegmentProd = unsorted('prod')
export const unsortedSegmentMax = unsorted('max')
export const unsortedSegmentMin = unsorted('min')
