// NON_MAX_SUPPRESSION_V4 and V5: the best boxes that do not overlap a better one too much. V5 has a sigma, by which scores
// of overlapping boxes sink instead, and gives the scores, too.

import { expectDtype, expectInputs, expectRank, sameShape } from './checks.js'
import { constantScalar, MOST_MADE } from './constant.js'
import { defineOp } from './contract.js'

function suppression(version: 4 | 5) {
  const inputs = version === 4 ? [0, 1, 3, 4] : [0, 1, 3, 4, 5]
  const outputs = version === 4 ? [0, 1] : [0, 1, 2]
  return defineOp<Record<string, never>>({
    name: `non_max_suppression_v${version}`,
    tflite: { type: `NON_MAX_SUPPRESSION_V${version}`, read: () => ({}) },
    infer(node) {
      expectInputs(node, inputs.length + 1)
      const [boxes, scores, most] = [node.input(0), node.input(1), node.input(2)]
      for (const i of inputs) expectDtype(node, node.input(i), ['float32'])
      for (const i of inputs.slice(2)) expectRank(node, node.input(i), 0)
      expectRank(node, boxes, 2)
      expectRank(node, most, 0)
      expectDtype(node, most, ['int32'])
      if (boxes.shape[1] !== 4 || !sameShape(scores.shape, [boxes.shape[0] ?? 0])) {
        throw node.fail('SHAPE_MISMATCH', 'boxes of four numbers and a score for each are needed', {
          actual: [boxes.shape, scores.shape],
        })
      }
      const count = constantScalar(node, most)
      if (count < 0) {
        throw node.fail('DATA_INVALID', `at most ${count} boxes are asked for`, { actual: count })
      }
      if (count > MOST_MADE)
        throw node.fail('LIMIT_EXCEEDED', `${count} boxes are asked for`, { actual: count })
      const picked = { shape: [count], dtype: 'int32' } as const
      const number = { shape: [], dtype: 'int32' } as const
      return version === 4 ? [picked, number] : [picked, { shape: [count], dtype: 'float32' }, number]
    },
    lower(node) {
      return {
        steps: [
          {
            kind: 'non_max_suppression',
            inputs: inputs.map((i) => node.input(i)),
            outputs: outputs.map((i) => node.output(i)),
            attributes: {},
          },
        ],
      }
    },
  })
}

export const nonMaxSuppressionV4 = suppression(4)
export const nonMaxSuppressionV5 = suppression(5)
