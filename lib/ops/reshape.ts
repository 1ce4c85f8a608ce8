// RESHAPE, SQUEEZE, EXPAND_DIMS, BITCAST: another shape or type for the same bytes.

import type { OptionValue } from '../model/model.js'
import { bitsOf } from '../tensor/dtype.js'
import { elementCount, type Shape, shapeText } from '../tensor/shape.js'
import {
  axisOf,
  constants,
  expectDtype,
  expectInputs,
  expectSameDtype,
  fewConstants,
  MOVABLE,
} from './checks.js'
import { defineOp, type Lowered, type NodeContext } from './contract.js'

const numbers = (value: OptionValue | undefined): readonly number[] => (Array.isArray(value) ? value : [])

function view(node: NodeContext<unknown>): Lowered {
  expectSameDtype(node, node.input(0), node.output(0))
  return { view: true }
}

export const reshape = defineOp<{ readonly newShape: readonly number[] }>({
  name: 'reshape',
  tflite: { type: 'RESHAPE', read: (options) => ({ newShape: numbers(options['newShape']) }) },
  infer(node) {
    expectInputs(node, 1, 2)
    const input = node.input(0)
    const wanted = node.inputs[1] ? fewConstants(node, node.input(1)) : node.attributes.newShape
    // Old files write a scalar as [0].
    const target = !node.inputs[1] && wanted.length === 1 && wanted[0] === 0 ? [] : wanted
    return [{ shape: resolve(node, input.shape, target), dtype: input.dtype }]
  },
  lower: view,
})

/** Puts the extent that is left over in the place of -1. */
function resolve(node: NodeContext<unknown>, from: Shape, target: readonly number[]): Shape {
  const count = elementCount(from)
  const free = target.indexOf(-1)
  const known = elementCount(target.filter((_, i) => i !== free))
  const shape = target.map((extent, i) => (i === free ? count / known : extent))
  if (
    !shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0) ||
    elementCount(shape) !== count
  ) {
    throw node.fail('SHAPE_MISMATCH', `${shapeText(from)} cannot take the shape ${shapeText(target)}`, {
      expected: count,
      actual: target,
    })
  }
  return shape
}

export const squeeze = defineOp<{ readonly axes: readonly number[] }>({
  name: 'squeeze',
  tflite: { type: 'SQUEEZE', read: (options) => ({ axes: numbers(options['squeezeDims']) }) },
  infer(node) {
    expectInputs(node, 1)
    const { shape, dtype } = node.input(0)
    const named = new Set(node.attributes.axes.map((axis) => axisOf(node, axis, shape.length)))
    for (const axis of named) {
      if (shape[axis] !== 1) {
        throw node.fail('SHAPE_MISMATCH', `dimension ${axis} of ${shapeText(shape)} is not 1`, {
          expected: 1,
          actual: shape[axis],
        })
      }
    }
    const goes = (extent: number, axis: number) => (named.size > 0 ? named.has(axis) : extent === 1)
    return [{ shape: shape.filter((extent, axis) => !goes(extent, axis)), dtype }]
  },
  lower: view,
})

export const expandDims = defineOp<Record<string, never>>({
  name: 'expand_dims',
  tflite: { type: 'EXPAND_DIMS', read: () => ({}) },
  infer(node) {
    expectInputs(node, 2)
    const { shape, dtype } = node.input(0)
    const [axis] = constants(node, node.input(1), 1)
    const grown = [...shape]
    grown.splice(axisOf(node, axis, shape.length + 1), 0, 1)
    return [{ shape: grown, dtype }]
  },
  lower: view,
})

/** The bytes of a tensor as another type: wider elements take the last dimension in, narrower ones add one. */
export const bitcast = defineOp<Record<string, never>>({
  name: 'bitcast',
  tflite: { type: 'BITCAST', read: () => ({}) },
  infer(node) {
    expectInputs(node, 1)
    const [{ shape, dtype }, to] = [node.input(0), node.output(0).dtype]
    expectDtype(node, node.input(0), MOVABLE)
    expectDtype(node, node.output(0), MOVABLE)
    const ratio = (bitsOf(dtype) as number) / (bitsOf(to) as number)
    if (ratio >= 1) return [{ shape: ratio === 1 ? shape : [...shape, ratio], dtype: to }]
    if (shape.at(-1) !== 1 / ratio) {
      throw node.fail('SHAPE_MISMATCH', `${shapeText(shape)} of ${dtype} does not end in whole ${to}`, {
        expected: 1 / ratio,
        actual: shape.at(-1),
      })
    }
    return [{ shape: shape.slice(0, -1), dtype: to }]
  },
  lower: () => ({ view: true }),
})
