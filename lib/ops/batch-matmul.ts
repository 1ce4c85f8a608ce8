// BATCH_MATMUL: [.., m, k] x [.., k, n] -> [.., m, n]; either side may be given transposed (adjX, adjY).

import { quantizeMultiplier } from '../numerics/fixed-point.js'
import { elementCount, shapeText } from '../tensor/shape.js'
import { defineOp, type NodeContext, type StepAttribute } from './contract.js'

export interface BatchMatmulAttributes {
  readonly adjointA: boolean
  readonly adjointB: boolean
  /**
   * Of left side, right side and output (float32), whether rows stand before the last leading dimension: [.., m, heads, k].
   * Files know no such; graph/passes/fuse-transpose.ts makes them.
   */
  readonly interleaved?: readonly [boolean, boolean, boolean]
}

const TYPES = [
  'float32 x float32 -> float32',
  'int8 x int8 -> int8',
  'int16 x int16 -> int16',
  'int16 x int8 -> int16',
]

/** Zero points and the factor, a float32 product as in TFLite's GetQuantizedConvolutionMultipler. */
function requantization(node: NodeContext<unknown>): Record<string, StepAttribute> {
  const [a, b, out] = [node.affine(node.input(0)), node.affine(node.input(1)), node.affine(node.output(0))]
  return {
    zeroA: a.zeroPoint,
    zeroB: b.zeroPoint,
    zeroOut: out.zeroPoint,
    ...quantizeMultiplier(Math.fround(a.scale * b.scale) / out.scale),
  }
}

export const batchMatmul = defineOp<BatchMatmulAttributes>({
  name: 'batch_matmul',
  tflite: {
    type: 'BATCH_MATMUL',
    read: (options) => ({
      adjointA: Boolean(options['adjX'] ?? false),
      adjointB: Boolean(options['adjY'] ?? false),
    }),
  },

  infer(node) {
    const a = node.input(0)
    const b = node.input(1)
    const { adjointA, adjointB } = node.attributes
    const refuse = (what: string) =>
      node.fail('SHAPE_MISMATCH', `${what}: ${shapeText(a.shape)} x ${shapeText(b.shape)}`, {
        expected: a.shape,
        actual: b.shape,
      })
    if (a.shape.length < 2 || b.shape.length < 2) throw refuse('both sides need a rank of at least 2')
    const [m, k] = adjointA ? [a.shape.at(-1), a.shape.at(-2)] : [a.shape.at(-2), a.shape.at(-1)]
    const [depth, n] = adjointB ? [b.shape.at(-1), b.shape.at(-2)] : [b.shape.at(-2), b.shape.at(-1)]
    if (k !== depth) throw refuse('rows and columns do not fit together')
    const rank = Math.max(a.shape.length, b.shape.length)
    const leading = Array.from({ length: rank - 2 }, (_, i) => {
      const [x, y] = [a.shape.at(i - rank) ?? 1, b.shape.at(i - rank) ?? 1]
      if (x !== y && x !== 1 && y !== 1) throw refuse('the leading dimensions do not broadcast')
      return x === 1 ? y : x
    })
    return [{ shape: [...leading, m ?? 0, n ?? 0], dtype: node.output(0).dtype }]
  },

  lower(node) {
    const [a, b, out] = [node.input(0), node.input(1), node.output(0)]
    const types = `${a.dtype} x ${b.dtype} -> ${out.dtype}`
    if (!TYPES.includes(types)) {
      throw node.fail(
        'DTYPE_UNSUPPORTED',
        `types ${types} are not supported; expected one of ${TYPES.join(', ')}`,
        {
          expected: TYPES,
          actual: types,
        },
      )
    }
    const { adjointA, adjointB, interleaved } = node.attributes
    const [isInterleavedA = false, isInterleavedB = false, isInterleavedOut = false] = interleaved ?? []
    return {
      steps: [
        {
          kind: 'batch_matmul',
          inputs: [a, b],
          outputs: [out],
          attributes: {
            adjointA: adjointA ? 1 : 0,
            adjointB: adjointB ? 1 : 0,
            ...(a.dtype === 'float32'
              ? {
                  interleavedA: Number(isInterleavedA),
                  interleavedB: Number(isInterleavedB),
                  interleavedOut: Number(isInterleavedOut),
                }
              : requantization(node)),
          },
          macs: elementCount(out.shape) * (a.shape.at(adjointA ? (isInterleavedA ? -3 : -2) : -1) ?? 0),
        },
      ],
    }
  },
})
