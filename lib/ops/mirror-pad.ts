// MIRROR_PAD: a frame that repeats what lies inside, in reverse.

import {
  constants,
  expectDtype,
  expectInputs,
  expectRank,
  expectSameDtype,
  extentOf,
  MOVABLE,
} from './checks.js'
import { constantOperand, MOST_MADE } from './constant.js'
import { defineOp, type NodeContext, type Operand, type Step } from './contract.js'
import { gatherStep } from './gather.js'

interface MirrorPadAttributes {
  /** Whether the frame begins with the edge itself (SYMMETRIC) or with what lies next to it (REFLECT). */
  readonly mode: 'reflect' | 'symmetric' | 'unknown'
}

interface Frame {
  readonly extent: number
  readonly before: number
  readonly after: number
}

/** What is added to each dimension. */
function framesOf(node: NodeContext<MirrorPadAttributes>): readonly Frame[] {
  const { shape } = node.input(0)
  const amounts = constants(node, node.input(1), 2 * shape.length)
  const skipped = node.attributes.mode === 'reflect' ? 1 : 0
  return shape.map((extent, i) => {
    const [before, after] = [amounts[2 * i] as number, amounts[2 * i + 1] as number]
    const most = Math.max(0, extent - skipped)
    if (!(before >= 0 && after >= 0 && before <= most && after <= most)) {
      throw node.fail(
        'SHAPE_MISMATCH',
        `dimension ${i} of ${extent} is padded by ${before} and ${after}, at most ${most} can be`,
        { expected: most, actual: [before, after] },
      )
    }
    if (before + extent + after > MOST_MADE) {
      throw node.fail('OPERATOR_UNSUPPORTED', `dimension ${i} is longer than 2^24`, { actual: extent })
    }
    return { extent, before, after }
  })
}

/** The indices of the input in the order of the output. */
function sources({ extent, before, after }: Frame, mode: MirrorPadAttributes['mode']): Int32Array {
  const skipped = mode === 'reflect' ? 1 : 0
  return Int32Array.from({ length: before + extent + after }, (_, to) => {
    const from = to - before
    if (from < 0) return -from - 1 + skipped
    return from < extent ? from : 2 * extent - 1 - from - skipped
  })
}

export const mirrorPad = defineOp<MirrorPadAttributes>({
  name: 'mirror_pad',
  tflite: {
    type: 'MIRROR_PAD',
    read: (options) => ({
      mode: (['reflect', 'symmetric'] as const)[Number(options['mode'] ?? 0)] ?? 'unknown',
    }),
  },
  infer(node) {
    expectInputs(node, 2)
    const input = node.input(0)
    expectDtype(node, input, MOVABLE)
    expectRank(node, input, 1, 8)
    if (node.attributes.mode === 'unknown') throw node.fail('FILE_INVALID', 'a mode that does not exist')
    return [
      {
        shape: framesOf(node).map(({ extent, before, after }) => before + extent + after),
        dtype: input.dtype,
      },
    ]
  },
  /** One dimension after the other, the innermost first, while the tensor is small. */
  lower(node) {
    const [input, output] = [node.input(0), node.output(0)]
    expectSameDtype(node, input, output)
    const frames = framesOf(node)
    const growing = frames.flatMap(({ before, after }, i) => (before + after === 0 ? [] : [i])).reverse()
    if (growing.length === 0) return { view: true }
    const steps: Step[] = []
    let from: Operand = input
    for (const [position, axis] of growing.entries()) {
      const indices = sources(frames[axis] as Frame, node.attributes.mode)
      const shape = from.shape.with(axis, indices.length)
      const isLast = position === growing.length - 1
      const to: Operand = isLast ? output : { ...output, name: `${output.name}/${axis}`, shape }
      const source = constantOperand(`${output.name}/indices${axis}`, 'int32', [indices.length], indices)
      steps.push(
        gatherStep(from, source, to, {
          batches: 1,
          outer: extentOf(from.shape, 0, axis),
          dims: [from.shape[axis] as number],
          inner: extentOf(from.shape, axis + 1, from.shape.length),
          count: indices.length,
        }),
      )
      from = to
    }
    return { steps }
  },
})
