// MEAN, SUM, REDUCE_MAX, REDUCE_MIN, REDUCE_PROD, REDUCE_ANY, REDUCE_ALL: over any dimensions.

import { type FixedPoint, quantizeMultiplier } from '../numerics/fixed-point.js'
import type { Dtype } from '../tensor/dtype.js'
import { codeRange, isQuantizedDtype } from './activation.js'
import { castStep } from './cast.js'
import { axisOf, codesOf, expectDtype, expectInputs, expectSameDtype, fewConstants } from './checks.js'
import { defineOp, type NodeContext, type Step, type StepAttribute } from './contract.js'

export interface ReduceAttributes {
  readonly keepDims: boolean
}

type Node = NodeContext<ReduceAttributes>

/** Numbers of the native step's operations. */
const OPERATIONS = { sum: 0, mean: 1, reduce_max: 2, reduce_min: 3, reduce_prod: 4 } as const
/** Of bools, whose highest byte is any, whose lowest is all. */
const LOGICAL = { reduce_any: 'reduce_max', reduce_all: 'reduce_min' } as const
type Operation = keyof typeof OPERATIONS

/** For each dimension of the input whether it goes. */
function reducedAxes(node: Node): boolean[] {
  const rank = node.input(0).shape.length
  const reduced = new Array<boolean>(rank).fill(false)
  if (rank === 0) return reduced
  for (const axis of fewConstants(node, node.input(1))) reduced[axisOf(node, axis, rank)] = true
  return reduced
}

function reduceOp(name: Operation | keyof typeof LOGICAL, dtypes: readonly Dtype[]) {
  const operation = name in LOGICAL ? LOGICAL[name as keyof typeof LOGICAL] : (name as Operation)
  return defineOp<ReduceAttributes>({
    name,
    tflite: {
      type: name.toUpperCase(),
      read: (options) => ({ keepDims: Boolean(options['keepDims'] ?? false) }),
    },
    infer(node) {
      expectInputs(node, 2)
      const input = node.input(0)
      expectDtype(node, input, dtypes)
      const reduced = reducedAxes(node)
      const shape = node.attributes.keepDims
        ? input.shape.map((extent, i) => (reduced[i] ? 1 : extent))
        : input.shape.filter((_, i) => !reduced[i])
      return [{ shape, dtype: input.dtype }]
    },
    lower(node) {
      const [input, output] = [node.input(0), node.output(0)]
      expectSameDtype(node, input, output)
      const reduced = reducedAxes(node)
      const quantized = isQuantizedDtype(input.dtype) && OPERATIONS[operation] <= OPERATIONS.mean
      const isLogical = operation !== name
      const result = isLogical ? { ...output, name: `${output.name}/byte` } : output
      const step: Step = {
        kind: 'reduce',
        inputs: [input],
        outputs: [result],
        attributes: {
          op: OPERATIONS[operation],
          axes: Int32Array.from(reduced, Number),
          ...(quantized && rescaling(node, operation, reduced)),
        },
      }
      // Bytes of bools may be anything but 0; a cast makes them 1.
      return { steps: isLogical ? [step, castStep(result, output)] : [step] }
    },
  })
}

/**
 * The factor of a sum of codes; for a mean it takes the division by their number in.
 *
 * @see TFLite, kernels/internal/reference/reduce.h: QuantizedMeanOrSum.
 */
function rescaling(node: Node, name: Operation, reduced: readonly boolean[]): Record<string, StepAttribute> {
  const { shape, dtype } = node.input(0)
  if (!isQuantizedDtype(dtype)) throw node.fail('INTERNAL', 'rescaling of plain numbers')
  const [from, to] = [codesOf(node, node.input(0)), codesOf(node, node.output(0))]
  const count = shape.reduce((product, extent, i) => (reduced[i] ? product * extent : product), 1)
  let factor: FixedPoint = quantizeMultiplier(from.scale / to.scale)
  if (name === 'mean') {
    if (count === 0) throw node.fail('SHAPE_MISMATCH', 'a mean over no elements')
    const shift = Math.min(Math.floor(Math.log2(count)), 32, 31 + factor.shift)
    factor = {
      multiplier: Number((BigInt(factor.multiplier) << BigInt(shift)) / BigInt(count)),
      shift: factor.shift - shift,
    }
  }
  return {
    multiplier: factor.multiplier,
    shift: factor.shift,
    offset: Float64Array.of(-from.zeroPoint * count),
    zero_point: to.zeroPoint,
    ...codeRange(dtype),
  }
}

const ORDERED: readonly Dtype[] = ['int8', 'uint8', 'int16', 'int32', 'int64', 'float32']
export const mean = reduceOp('mean', ['int8', 'uint8', 'int16', 'float32'])
export const sum = reduceOp('sum', ORDERED)
export const reduceMax = reduceOp('reduce_max', ORDERED)
export const reduceMin = reduceOp('reduce_min', ORDERED)
export const reduceProd = reduceOp('reduce_prod', ['int32', 'int64', 'float32'])
export const reduceAny = reduceOp('reduce_any', ['bool'])
export const reduceAll = reduceOp('reduce_all', ['bool'])
