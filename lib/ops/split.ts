// SPLIT (equal parts), SPLIT_V (parts of given sizes), UNPACK (a dimension falls away): one strided copy a part.

import {
  axisOf,
  constants,
  expectDtype,
  expectInputs,
  expectRank,
  expectSameDtype,
  MOVABLE,
} from './checks.js'
import { defineOp, type NodeContext, type Operand } from './contract.js'
import { stridedStep, stridesOf } from './strided.js'

/** Copies `sizes[i]` indices of a dimension into output i. */
function copies(node: NodeContext<unknown>, input: Operand, axis: number, sizes: readonly number[]) {
  const strides = stridesOf(input.shape)
  let begin = 0
  const steps = sizes.map((size, i) => {
    const output = node.output(i)
    expectSameDtype(node, input, output)
    const dims = input.shape.map((extent, d) => (d === axis ? size : extent))
    const offset = dims.includes(0) ? 0 : begin * (strides[axis] as number)
    begin += size
    return stridedStep(input, output, { dims, strides, offset })
  })
  return { steps }
}

function parts(input: Operand, axis: number, sizes: readonly number[]) {
  return sizes.map((size) => ({
    shape: input.shape.map((extent, i) => (i === axis ? size : extent)),
    dtype: input.dtype,
  }))
}

function checkInput(node: NodeContext<unknown>, input: Operand): void {
  expectDtype(node, input, MOVABLE)
  expectRank(node, input, 1, 8)
}

/** The equal sizes of SPLIT and where they lie. */
function equalParts(node: NodeContext<{ readonly count: number }>) {
  const input = node.input(1)
  checkInput(node, input)
  const [given] = constants(node, node.input(0), 1)
  const axis = axisOf(node, given, input.shape.length)
  const { count } = node.attributes
  const extent = input.shape[axis] as number
  if (!(count >= 1) || extent % count !== 0 || count !== node.outputs.length) {
    throw node.fail(
      'SHAPE_MISMATCH',
      `${extent} indices do not fall into ${count} equal parts, one an output`,
      {
        expected: node.outputs.length,
        actual: count,
      },
    )
  }
  return { input, axis, sizes: new Array<number>(count).fill(extent / count) }
}

export const split = defineOp<{ readonly count: number }>({
  name: 'split',
  tflite: { type: 'SPLIT', read: (options) => ({ count: Number(options['numSplits'] ?? 0) }) },
  infer(node) {
    expectInputs(node, 2)
    const { input, axis, sizes } = equalParts(node)
    return parts(input, axis, sizes)
  },
  lower(node) {
    const { input, axis, sizes } = equalParts(node)
    return copies(node, input, axis, sizes)
  },
})

/** The sizes of SPLIT_V; one -1 stands for what is left. */
function givenParts(node: NodeContext<unknown>) {
  const input = node.input(0)
  checkInput(node, input)
  const given = constants(node, node.input(1), node.outputs.length)
  const [at] = constants(node, node.input(2), 1)
  const axis = axisOf(node, at, input.shape.length)
  const extent = input.shape[axis] as number
  const free = given.indexOf(-1)
  const known = given.reduce((sum, size, i) => (i === free ? sum : sum + size), 0)
  const sizes = given.map((size, i) => (i === free ? extent - known : size))
  if (sizes.some((size) => size < 0) || sizes.reduce((sum, size) => sum + size, 0) !== extent) {
    throw node.fail('SHAPE_MISMATCH', `${extent} indices do not fall into parts of ${given.join(', ')}`, {
      expected: extent,
      actual: given,
    })
  }
  return { input, axis, sizes }
}

export const splitV = defineOp<Record<string, never>>({
  name: 'split_v',
  tflite: { type: 'SPLIT_V', read: () => ({}) },
  infer(node) {
    expectInputs(node, 3)
    const { input, axis, sizes } = givenParts(node)
    return parts(input, axis, sizes)
  },
  lower(node) {
    const { input, axis, sizes } = givenParts(node)
    return copies(node, input, axis, sizes)
  },
})

export interface UnpackAttributes {
  readonly axis: number
  readonly count: number
}

function unpacked(node: NodeContext<UnpackAttributes>) {
  const input = node.input(0)
  checkInput(node, input)
  const axis = axisOf(node, node.attributes.axis, input.shape.length)
  const { count } = node.attributes
  if (input.shape[axis] !== count || count !== node.outputs.length) {
    throw node.fail(
      'SHAPE_MISMATCH',
      `${input.shape[axis]} indices, ${node.outputs.length} outputs, ${count} asked`,
      {
        expected: input.shape[axis],
        actual: count,
      },
    )
  }
  return { input, axis }
}

export const unpack = defineOp<UnpackAttributes>({
  name: 'unpack',
  tflite: {
    type: 'UNPACK',
    read: (options) => ({ axis: Number(options['axis'] ?? 0), count: Number(options['num'] ?? 0) }),
  },
  infer(node) {
    expectInputs(node, 1)
    const { input, axis } = unpacked(node)
    const shape = input.shape.filter((_, i) => i !== axis)
    return node.outputs.map(() => ({ shape, dtype: input.dtype }))
  },
  lower(node) {
    const { input, axis } = unpacked(node)
    return copies(node, input, axis, new Array<number>(node.outputs.length).fill(1))
  },
})
