// SLICE (begin and size) and STRIDED_SLICE (NumPy's ranges, with masks).

import {
  constants,
  expectDtype,
  expectInputs,
  expectRank,
  expectSameDtype,
  fewConstants,
  MOVABLE,
} from './checks.js'
import { defineOp, type NodeContext } from './contract.js'
import { stridedStep, stridesOf } from './strided.js'

function ranges(node: NodeContext<unknown>): readonly { readonly begin: number; readonly size: number }[] {
  const { shape } = node.input(0)
  const begins = constants(node, node.input(1), shape.length)
  const sizes = constants(node, node.input(2), shape.length)
  return shape.map((extent, i) => {
    const begin = begins[i] as number
    const size = sizes[i] === -1 ? extent - begin : (sizes[i] as number)
    if (begin < 0 || size < 0 || begin + size > extent) {
      throw node.fail(
        'SHAPE_MISMATCH',
        `dimension ${i} has ${extent} indices, ${size} from ${begin} on are wanted`,
        {
          expected: extent,
          actual: [begin, size],
        },
      )
    }
    return { begin, size }
  })
}

export const slice = defineOp<Record<string, never>>({
  name: 'slice',
  tflite: { type: 'SLICE', read: () => ({}) },
  infer(node) {
    expectInputs(node, 3)
    const input = node.input(0)
    expectDtype(node, input, MOVABLE)
    expectRank(node, input, 0, 8)
    return [{ shape: ranges(node).map(({ size }) => size), dtype: input.dtype }]
  },
  lower(node) {
    const [input, output] = [node.input(0), node.output(0)]
    expectSameDtype(node, input, output)
    const strides = stridesOf(input.shape)
    const offset = ranges(node).reduce((sum, { begin }, i) => sum + begin * (strides[i] as number), 0)
    return {
      steps: [stridedStep(input, output, { dims: output.shape, strides, offset: clip(input.shape, offset) })],
    }
  },
})

/** An empty slice may begin behind the end; nothing is read then. */
const clip = (shape: readonly number[], offset: number): number =>
  offset < shape.reduce((product, extent) => product * extent, 1) ? offset : 0

export interface StridedSliceAttributes {
  readonly beginMask: number
  readonly endMask: number
  readonly ellipsisMask: number
  readonly newAxisMask: number
  readonly shrinkAxisMask: number
  /** Whether `end` counts from `begin`. */
  readonly offset: boolean
}

/** One dimension of the result, before the shrunk ones go. */
interface Pick {
  readonly begin: number
  readonly step: number
  readonly count: number
  readonly stride: number
  readonly shrinks: boolean
}

function picks(node: NodeContext<StridedSliceAttributes>): Pick[] {
  const { attributes } = node
  const { shape } = node.input(0)
  const begins = fewConstants(node, node.input(1), 31)
  const ends = constants(node, node.input(2), begins.length)
  const steps = constants(node, node.input(3), begins.length)
  const strides = stridesOf(shape)
  const has = (mask: number, i: number) => ((mask >> i) & 1) === 1

  const ellipsis = begins.findIndex((_, i) => has(attributes.ellipsisMask, i))
  const added = begins.filter((_, i) => i !== ellipsis && has(attributes.newAxisMask, i)).length
  const given = begins.length - added - (ellipsis < 0 ? 0 : 1)
  if (given > shape.length) {
    throw node.fail('SHAPE_MISMATCH', `${given} ranges for a tensor of rank ${shape.length}`, {
      expected: shape.length,
      actual: given,
    })
  }
  const result: Pick[] = []
  let axis = 0
  const whole = (count: number) => {
    for (const end = axis + count; axis < end; axis++) {
      const [extent, stride] = [shape[axis] as number, strides[axis] as number]
      result.push({ begin: 0, step: 1, count: extent, stride, shrinks: false })
    }
  }
  for (const [i, begin] of begins.entries()) {
    if (i === ellipsis) {
      whole(shape.length - given)
    } else if (has(attributes.newAxisMask, i)) {
      result.push({ begin: 0, step: 1, count: 1, stride: 0, shrinks: false })
    } else {
      const [extent, stride] = [shape[axis] as number, strides[axis] as number]
      const end = attributes.offset ? begin + (ends[i] as number) : (ends[i] as number)
      const bounds = {
        extent,
        begin: has(attributes.beginMask, i) ? undefined : begin,
        end: has(attributes.endMask, i) ? undefined : end,
        step: steps[i] as number,
      }
      const shrinks = has(attributes.shrinkAxisMask, i)
      result.push({ ...(shrinks ? single(node, bounds) : range(node, bounds)), stride, shrinks })
      axis++
    }
  }
  whole(shape.length - axis)
  return result
}

interface Bounds {
  readonly extent: number
  readonly begin: number | undefined
  readonly end: number | undefined
  readonly step: number
}

/** begin:end:step as NumPy reads it. */
function range(node: NodeContext<unknown>, { extent, begin, end, step }: Bounds) {
  if (step === 0) throw node.fail('FILE_INVALID', 'a stride of 0')
  const [lowest, highest] = step > 0 ? [0, extent] : [-1, extent - 1]
  const place = (index: number) => Math.min(highest, Math.max(lowest, index < 0 ? index + extent : index))
  const from = begin === undefined ? (step > 0 ? 0 : extent - 1) : place(begin)
  const to = end === undefined ? (step > 0 ? extent : -1) : place(end)
  return { begin: from, step, count: Math.max(0, Math.ceil((to - from) / step)) }
}

/** One index, whose dimension goes. */
function single(node: NodeContext<unknown>, { extent, begin = 0 }: Bounds) {
  const index = begin < 0 ? begin + extent : begin
  if (index >= 0 && index < extent) return { begin: index, step: 1, count: 1 }
  throw node.fail('SHAPE_MISMATCH', `index ${begin} of ${extent}`, { expected: extent, actual: begin })
}

export const stridedSlice = defineOp<StridedSliceAttributes>({
  name: 'strided_slice',
  tflite: {
    type: 'STRIDED_SLICE',
    read: (options) => ({
      beginMask: Number(options['beginMask'] ?? 0),
      endMask: Number(options['endMask'] ?? 0),
      ellipsisMask: Number(options['ellipsisMask'] ?? 0),
      newAxisMask: Number(options['newAxisMask'] ?? 0),
      shrinkAxisMask: Number(options['shrinkAxisMask'] ?? 0),
      offset: Boolean(options['offset'] ?? false),
    }),
  },
  infer(node) {
    expectInputs(node, 4)
    const input = node.input(0)
    expectDtype(node, input, MOVABLE)
    expectRank(node, input, 0, 8)
    const kept = picks(node).filter(({ shrinks }) => !shrinks)
    if (kept.length > 8) throw node.fail('OPERATOR_UNSUPPORTED', `a result of rank ${kept.length}`)
    return [{ shape: kept.map(({ count }) => count), dtype: input.dtype }]
  },
  lower(node) {
    const [input, output] = [node.input(0), node.output(0)]
    expectSameDtype(node, input, output)
    const all = picks(node)
    const kept = all.filter(({ shrinks }) => !shrinks)
    const empty = kept.some(({ count }) => count === 0)
    return {
      steps: [
        stridedStep(input, output, {
          dims: output.shape,
          // A dimension of one index has no distance; the product may not fit int32.
          strides: kept.map(({ step, stride, count }) => (count > 1 ? step * stride : 0)),
          offset: empty ? 0 : all.reduce((sum, { begin, stride }) => sum + begin * stride, 0),
        }),
      ],
    }
  },
})
