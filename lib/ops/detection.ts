// TFLite_Detection_PostProcess: boxes around anchors and the scores of classes -> the best boxes that do not overlap
// too much. A custom operator that TFLite itself carries.

import { expectDtype, expectInputs, expectRank } from './checks.js'
import { defineOp, type NodeContext, type Operand } from './contract.js'
import { readFlexMap } from './flexbuffer.js'

export interface DetectionAttributes {
  readonly maxDetections: number
  readonly maxClasses: number
  readonly perClass: number
  /** Overlaps are judged class by class instead of box by box. */
  readonly regular: boolean
  readonly classes: number
  readonly scoreThreshold: number
  readonly overlapThreshold: number
  /** Divisors of y, x, height and width. */
  readonly scales: readonly [number, number, number, number]
}

const MOST_BOXES = 2 ** 20

function read(custom: Uint8Array | undefined): DetectionAttributes {
  const options = readFlexMap(custom ?? new Uint8Array())
  const real = (name: string) => Number(options.get(name) ?? 0)
  const whole = (name: string, preset = 0) => Math.trunc(Number(options.get(name) ?? preset))
  return {
    maxDetections: whole('max_detections'),
    maxClasses: whole('max_classes_per_detection'),
    perClass: whole('detections_per_class', 100),
    regular: Boolean(options.get('use_regular_nms') ?? false),
    classes: whole('num_classes'),
    scoreThreshold: real('nms_score_threshold'),
    overlapThreshold: real('nms_iou_threshold'),
    scales: [real('y_scale'), real('x_scale'), real('h_scale'), real('w_scale')],
  }
}

export const detectionPostProcess = defineOp<DetectionAttributes>({
  name: 'detection_post_process',
  tflite: { type: 'TFLite_Detection_PostProcess', custom: true, read: (_, custom) => read(custom) },

  infer(node) {
    expectInputs(node, 3)
    const [boxes, scores, anchors] = [node.input(0), node.input(1), node.input(2)]
    for (const operand of [boxes, scores, anchors]) expectDtype(node, operand, ['float32', 'uint8'])
    expectRank(node, boxes, 3)
    expectRank(node, scores, 3)
    expectRank(node, anchors, 2)
    const { maxDetections, maxClasses, perClass, classes, overlapThreshold } = node.attributes
    const count = maxDetections * maxClasses
    const limits = { maxDetections, maxClasses, perClass, classes }
    for (const [name, value] of Object.entries(limits)) {
      if (value >= 1 && value <= MOST_BOXES && count <= MOST_BOXES) continue
      throw node.fail('FILE_INVALID', `option ${name} is ${value}`, { actual: value })
    }
    if (!(overlapThreshold > 0 && overlapThreshold <= 1)) {
      throw node.fail('FILE_INVALID', `the threshold of overlaps is ${overlapThreshold}`, {
        actual: overlapThreshold,
      })
    }
    const dtype = 'float32'
    return [[1, count, 4], [1, count], [1, count], [1]].map((shape) => ({ shape, dtype }))
  },

  lower(node) {
    const { maxDetections, maxClasses, perClass, regular, classes, ...rest } = node.attributes
    const operands = [0, 1, 2].map((i) => node.input(i))
    const affine = operands.map((operand) => affineOf(node, operand))
    return {
      steps: [
        {
          kind: 'detection',
          inputs: operands,
          outputs: [0, 1, 2, 3].map((i) => node.output(i)),
          attributes: {
            maxDetections,
            maxClasses,
            perClass: Math.min(perClass, maxDetections),
            regular: regular ? 1 : 0,
            classes,
            thresholds: Float32Array.of(rest.scoreThreshold, rest.overlapThreshold),
            scales: Float32Array.from(rest.scales),
            inputScale: Float32Array.from(affine, ({ scale }) => scale),
            inputZeroPoint: Int32Array.from(affine, ({ zeroPoint }) => zeroPoint),
          },
        },
      ],
    }
  },
})

function affineOf(node: NodeContext<DetectionAttributes>, operand: Operand) {
  return operand.dtype === 'float32' ? { scale: 1, zeroPoint: 0 } : node.affine(operand)
}
