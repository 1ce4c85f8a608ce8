// DYNAMIC_UPDATE_SLICE: a tensor in which a box is replaced, at a place that may be computed at run time.

import { shapeText } from '../tensor/shape.js'
import { expectDtype, expectInputs, expectSameDtype, MOVABLE } from './checks.js'
import { defineOp } from './contract.js'

export const dynamicUpdateSlice = defineOp<Record<string, never>>({
  name: 'dynamic_update_slice',
  tflite: { type: 'DYNAMIC_UPDATE_SLICE', read: () => ({}) },
  infer(node) {
    expectInputs(node, 3)
    const [whole, box, start] = [node.input(0), node.input(1), node.input(2)]
    expectDtype(node, whole, MOVABLE)
    expectSameDtype(node, whole, box)
    expectDtype(node, start, ['int32', 'int64'])
    const fits =
      whole.shape.length === box.shape.length &&
      box.shape.every((extent, i) => extent <= (whole.shape[i] as number)) &&
      start.shape.length === 1 &&
      start.shape[0] === whole.shape.length
    if (!fits) {
      throw node.fail(
        'SHAPE_MISMATCH',
        `a box of ${shapeText(box.shape)} does not fit into ${shapeText(whole.shape)} at ${shapeText(start.shape)} indices`,
        { tensor: box.name, expected: whole.shape, actual: box.shape },
      )
    }
    return [{ shape: whole.shape, dtype: whole.dtype }]
  },
  lower(node) {
    const inputs = [node.input(0), node.input(1), node.input(2)]
    const step = { kind: 'update_slice', inputs, outputs: [node.output(0)], attributes: {}, inPlace: 0 }
    return { steps: [step] }
  },
})
