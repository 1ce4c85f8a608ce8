// Pixels to tensor data: the rules for layouts, plain codes and normalisation.

import test from 'ava'
import { imageInput, pictureData } from '#lib/data/codes.js'

const tensor = (shape: number[], dtype: 'uint8' | 'int8' | 'float32' | 'int16' | 'int32' = 'uint8') => ({
  name: 'in',
  shape,
  dtype,
})
const picture = { width: 2, height: 1, channels: 3 as const, data: Uint8Array.of(0, 1, 2, 128, 254, 255) }

test('plain codes: the pixel, pixel - 128, the pixel as float', (t) => {
  const of = (dtype: 'uint8' | 'int8' | 'float32') => pictureData(picture, tensor([1, 1, 2, 3], dtype))
  t.deepEqual(of('uint8'), Uint8Array.of(0, 1, 2, 128, 254, 255))
  t.deepEqual(of('int8'), Int8Array.of(-128, -127, -126, 0, 126, 127))
  t.deepEqual(of('float32'), Float32Array.of(0, 1, 2, 128, 254, 255))
})

test('a normalisation gives real values, by channel or one for all', (t) => {
  const one = pictureData(picture, tensor([1, 1, 2, 3], 'int8'), { normalization: { mean: [128], std: [2] } })
  t.deepEqual(one, Float32Array.of(-64, -63.5, -63, 0, 63, 63.5))
  const each = pictureData(picture, tensor([1, 1, 2, 3]), {
    normalization: { mean: [0, 1, 2], std: [1, 2, 4] },
  })
  t.deepEqual(each, Float32Array.of(0, 0, 0, 128, 126.5, 63.25))
})

test('nchw puts channels into planes', (t) => {
  t.deepEqual(pictureData(picture, tensor([1, 3, 1, 2])), Uint8Array.of(0, 128, 1, 254, 2, 255))
})

test('layouts are found in the shape', (t) => {
  t.deepEqual(imageInput(tensor([1, 224, 192, 3])), { height: 224, width: 192, channels: 3, layout: 'nhwc' })
  t.deepEqual(imageInput(tensor([1, 3, 224, 192])), { height: 224, width: 192, channels: 3, layout: 'nchw' })
  t.deepEqual(imageInput(tensor([1, 28, 28])), { height: 28, width: 28, channels: 1, layout: 'nchw' })
  t.deepEqual(imageInput(tensor([28, 28, 1])), { height: 28, width: 28, channels: 1, layout: 'nhwc' })
  t.is(imageInput(tensor([1, 3, 3, 3])).layout, 'nhwc')
  t.is(imageInput(tensor([1, 3, 3, 3]), 'nchw').layout, 'nchw')
})

test('shapes that take no picture are SHAPE_MISMATCH', (t) => {
  const shapes = [[1, 10], [4], [], [2, 8, 8, 3], [1, 8, 8, 2], [1, 8, 8, 4], [1, 0, 8, 3], [1, 1, 8, 8, 3]]
  for (const shape of shapes)
    t.throws(() => imageInput(tensor(shape)), { code: 'SHAPE_MISMATCH' }, String(shape))
  t.throws(() => imageInput(tensor([1, 8, 8, 3]), 'nchw'), { code: 'SHAPE_MISMATCH' })
})

test('types that take no pixels are DTYPE_UNSUPPORTED', (t) => {
  const normalization = { mean: [0], std: [1] }
  t.throws(() => pictureData(picture, tensor([1, 1, 2, 3], 'int32')), { code: 'DTYPE_UNSUPPORTED' })
  t.throws(() => pictureData(picture, tensor([1, 1, 2, 3], 'int32'), { normalization }), {
    code: 'DTYPE_UNSUPPORTED',
  })
  t.throws(() => pictureData(picture, tensor([1, 1, 2, 3], 'int16')), { code: 'DTYPE_UNSUPPORTED' })
  t.true(pictureData(picture, tensor([1, 1, 2, 3], 'int16'), { normalization }) instanceof Float32Array)
})

test('a normalisation that does not fit is OPTION_INVALID', (t) => {
  for (const [mean, std] of [
    [[1, 2], [1]],
    [[0], [1, 1]],
    [[0], [0]],
    [[Number.NaN], [1]],
  ] as const) {
    t.throws(() => pictureData(picture, tensor([1, 1, 2, 3]), { normalization: { mean, std } }), {
      code: 'OPTION_INVALID',
    })
  }
})

test('pictures are resized and turned grey as the input asks', (t) => {
  t.deepEqual(pictureData(picture, tensor([1, 1, 2, 1])), Uint8Array.of(1, 216))
  t.is(pictureData(picture, tensor([1, 5, 7, 3]), { fit: 'pad' }).length, 105)
})
