// NON_MAX_SUPPRESSION_V4 and _V5: boxes by falling score, without those that overlap a better one; V5 tells the scores,
// and may lower them instead ("soft").

import { shapeText } from '../tensor/shape.js'
import { expectDtype, expectInputs, expectRank } from './checks.js'
import { constantScalar } from './constant.js'
import { defineOp, type Inferred, type Op, type Operand } from './contract.js'

function nonMaxSuppression(version: 4 | 5): Op {
  const isSoft = version === 5
  const name = `non_max_suppression_v${version}`
  return defineOp<Record<string, never>>({
    name,
    tflite: { type: name.toUpperCase(), read: () => ({}) },
    infer(node) {
      expectInputs(node, isSoft ? 6 : 5)
      const [boxes, scores] = [node.input(0), node.input(1)]
      for (const i of isSoft ? [0, 1, 3, 4, 5] : [0, 1, 3, 4]) expectDtype(node, node.input(i), ['float32'])
      expectRank(node, boxes, 2)
      expectRank(node, scores, 1)
      if (boxes.shape[1] !== 4 || boxes.shape[0] !== scores.shape[0]) {
        const shapes = `${shapeText(boxes.shape)} with ${shapeText(scores.shape)} scores`
        throw node.fail('SHAPE_MISMATCH', `boxes of ${shapes}`, { actual: boxes.shape })
      }
      const most = constantScalar(node, node.input(2))
      if (!(Number.isInteger(most) && most >= 0)) {
        throw node.fail('FILE_INVALID', `at most ${most} boxes`, { actual: most })
      }
      const indices: Inferred = { shape: [most], dtype: 'int32' }
      const count: Inferred = { shape: [], dtype: 'int32' }
      return isSoft ? [indices, { shape: [most], dtype: 'float32' }, count] : [indices, count]
    },
    lower(node) {
      const inputs = [0, 1, 3, 4, ...(isSoft ? [5] : [])].map((i): Operand => node.input(i))
      const outputs = isSoft
        ? [node.output(0), node.output(1), node.output(2)]
        : [node.output(0), node.output(1)]
      return { steps: [{ kind: 'non_max_suppression', inputs, outputs, attributes: {} }] }
    },
  })
}

export const nonMaxSuppressionV4 = nonMaxSuppression(4)
export const nonMaxSuppressionV5 = nonMaxSuppression(5)
