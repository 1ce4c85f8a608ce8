// TFLite_Detection_PostProcess by hand-made boxes, and its options: FlexBuffers, whole and damaged.

import test from 'ava'
import { encode as flex } from 'flatbuffers/mjs/flexbuffers.js'
import { LowbitError } from '#lib/errors.js'
import { encode } from '#lib/format/tflite/encode.js'
import { loadModel, type Tensor } from '#lib/index.js'
import { readFlexMap } from '#lib/ops/flexbuffer.js'
import { model, type TensorSpec } from '../helpers/model-builder.js'
import { random } from '../helpers/random.js'

const OPTIONS = {
  max_detections: 3,
  max_classes_per_detection: 1,
  num_classes: 2,
  nms_score_threshold: 0.25,
  nms_iou_threshold: 0.5,
  y_scale: 1.5,
  x_scale: 10,
  h_scale: 5,
  w_scale: 5,
}

/** Four boxes of size 2 around anchors at (5, 5), (5, 6), (20, 20) and (40, 40). */
const ANCHORS = [
  [5, 5, 2, 2],
  [5, 6, 2, 2],
  [20, 20, 2, 2],
  [40, 40, 2, 2],
].flat()

function file(options: Record<string, unknown>, change: Record<string, TensorSpec> = {}): Uint8Array {
  const real = (shape: number[]): TensorSpec => ({ dtype: 'float32', shape })
  const tensors = {
    boxes: real([1, 4, 4]),
    scores: real([1, 4, 3]),
    anchors: { ...real([4, 4]), data: ANCHORS },
    b: real([]),
    c: real([]),
    s: real([]),
    n: real([]),
    ...change,
  }
  const operator = {
    type: 'TFLite_Detection_PostProcess',
    customOptions: flex(options),
    inputs: ['boxes', 'scores', 'anchors'],
    outputs: ['b', 'c', 's', 'n'],
  }
  return encode(
    model([{ tensors, operators: [operator], inputs: ['boxes', 'scores'], outputs: operator.outputs }]),
  )
}

/** The elements of a tensor, which must be there. */
const elements = (tensor: Tensor | undefined): readonly number[] => [
  ...((tensor as Tensor).data as Float32Array),
]

/** Scores of background, class 0 and class 1 for each box. */
const SCORES = Float32Array.of(0, 0.4, 0.8, 0, 0.9, 0.1, 0, 0.8, 0.2, 0, 0.2, 0.1)

test('boxes that overlap a better one go, equal scores keep their order', async (t) => {
  const loaded = await loadModel(file(OPTIONS))
  const [boxes, classes, scores, count] = await loaded.run([new Float32Array(16), SCORES])
  t.deepEqual(boxes?.shape, [1, 3, 4])
  // Boxes 0 and 1 overlap by a third: both stay. Box 3 is below the threshold.
  t.deepEqual(elements(boxes), [4, 5, 6, 7, 4, 4, 6, 6, 19, 19, 21, 21])
  t.deepEqual(elements(classes), [0, 1, 0])
  t.deepEqual(scores?.data, Float32Array.of(0.9, 0.8, 0.8))
  t.deepEqual(count?.data, Float32Array.of(3))
  loaded.dispose()

  const strict = await loadModel(file({ ...OPTIONS, nms_iou_threshold: 0.25 }))
  const kept = await strict.run([new Float32Array(16), SCORES])
  t.deepEqual(kept[2]?.data, Float32Array.of(0.9, 0.8, 0))
  t.deepEqual(kept[3]?.data, Float32Array.of(2))
  strict.dispose()
})

test('class by class', async (t) => {
  const loaded = await loadModel(file({ ...OPTIONS, use_regular_nms: true, nms_iou_threshold: 0.25 }))
  const [, classes, scores] = await loaded.run([new Float32Array(16), SCORES])
  t.deepEqual(elements(classes), [0, 0, 1])
  t.deepEqual(scores?.data, Float32Array.of(0.9, 0.8, 0.8))
  loaded.dispose()
})

test('a box that is turned inside out ends the run', async (t) => {
  const anchors = ANCHORS.with(2, -2)
  const loaded = await loadModel(
    file(OPTIONS, { anchors: { dtype: 'float32', shape: [4, 4], data: anchors } }),
  )
  await t.throwsAsync(() => loaded.run([new Float32Array(16), SCORES]), { instanceOf: LowbitError })
  loaded.dispose()
})

const refused: readonly (readonly [string, Uint8Array, string])[] = [
  ['no detections', file({ ...OPTIONS, max_detections: 0 }), 'FILE_INVALID'],
  ['too many detections', file({ ...OPTIONS, max_detections: 2 ** 30 }), 'FILE_INVALID'],
  ['a threshold above 1', file({ ...OPTIONS, nms_iou_threshold: 2 }), 'FILE_INVALID'],
  ['more classes than scores', file({ ...OPTIONS, num_classes: 4 }), 'SHAPE_MISMATCH'],
  [
    'anchors of another type',
    file(OPTIONS, { anchors: { dtype: 'uint8', shape: [4, 4], data: ANCHORS, scale: 1, zeroPoint: 0 } }),
    'DTYPE_UNSUPPORTED',
  ],
  [
    'too few anchors',
    file(OPTIONS, { anchors: { dtype: 'float32', shape: [3, 4], data: ANCHORS.slice(4) } }),
    'SHAPE_MISMATCH',
  ],
]
for (const [title, bytes, code] of refused) {
  test(`refused: ${title}`, async (t) => {
    await t.throwsAsync(() => loadModel(bytes), { code })
  })
}

test('FlexBuffer maps are read, whatever their widths', (t) => {
  // The package that writes them here mixes up widths of real numbers that differ from their neighbours'.
  for (const entries of [
    { a: 1, b: -7, d: true },
    { a: 1, b: -300, d: false },
    { a: 1, b: -70000, c: 0.5, g: false },
    { e: 2 ** 40, f: 0.1 },
  ]) {
    t.deepEqual(Object.fromEntries(readFlexMap(flex({ ...entries, text: 'left out' }))), entries)
  }
})

test('damaged FlexBuffers are errors', (t) => {
  const whole = flex(OPTIONS)
  const next = random(7)
  for (let i = 0; i < 20_000; i++) {
    const bytes = whole.slice(0, i % 2 ? whole.length : next() % whole.length)
    for (let k = 0; k < 3 && bytes.length > 0; k++) {
      bytes[next() % bytes.length] = next() % 256
    }
    try {
      readFlexMap(bytes)
    } catch (error) {
      if (!(error instanceof LowbitError)) throw error
    }
  }
  t.throws(() => readFlexMap(new Uint8Array()), { instanceOf: LowbitError })
  t.throws(() => readFlexMap(flex(3)), { instanceOf: LowbitError })
})
