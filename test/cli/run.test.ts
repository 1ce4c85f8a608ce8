// lowbit run: from pictures to classes.
import test from 'ava'
import sharp from 'sharp'
import { folderOf, lowbit } from '../helpers/cli.js'
import { oneOperatorFile } from '../helpers/model-builder.js'
import { colourSums, plainPicture } from '../helpers/picture-models.js'

const jpeg = await sharp({ create: { width: 64, height: 32, channels: 3, background: '#14fa14' } })
  .jpeg()
  .toBuffer()
const at = folderOf({
  'int8.tflite': colourSums('int8'),
  'uint8.tflite': colourSums('uint8'),
  'red.ppm': plainPicture(200, 10, 20),
  'blue.ppm': plainPicture(0, 0, 250),
  'green.jpg': jpeg,
  'labels.txt': 'red\ngreen\nblue\nall\n',
  'with-background.txt': 'background\nred\ngreen\nblue\nall\n',
  'without-background.txt': 'green\nblue\nall\n',
  'few.txt': 'red\ngreen\n',
  'row.tflite': oneOperatorFile({
    type: 'FULLY_CONNECTED',
    inputs: [
      { dtype: 'int8', shape: [1, 12], scale: 1, zeroPoint: 0 },
      { dtype: 'int8', shape: [2, 12], data: new Array(24).fill(1), scale: 1 },
      null,
    ],
    outputs: [{ dtype: 'int8', shape: [1, 2], scale: 1, zeroPoint: 0 }],
  }),
})

const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await lowbit(['run', ...args, '--json'])
  return { code, stderr, result: JSON.parse(stdout) }
}

test('without arguments: the shipped model names the shipped picture', async (t) => {
  const { code, result } = await json()
  t.is(code, 0)
  t.deepEqual(Object.keys(result), ['model', 'file', 'isa', 'threads', 'ms', 'kind', 'top'])
  t.is(result.kind, 'probability')
  t.is(result.top.length, 5)
  t.is(`${result.top[0].label}.ppm`, result.file)
  t.is(result.model, 'cifar10.tflite')
  t.true(result.ms > 0 && result.threads >= 1 && typeof result.isa === 'string')
})

test('as text: a table of classes on stdout, nothing on stderr', async (t) => {
  const { code, stdout, stderr } = await lowbit(['run'])
  t.is(code, 0)
  t.is(stderr, '')
  t.regex(stdout, /model +cifar10\.tflite\n/)
  t.regex(stdout, /label +class +probability\n/)
  for (const line of stdout.split('\n')) t.true(line.length <= 80 && !line.endsWith(' '), line)
})

for (const model of ['int8.tflite', 'uint8.tflite']) {
  test(`scores of ${model} are exact`, async (t) => {
    const { result } = await json(at(model), at('red.ppm'))
    t.is(result.kind, 'score')
    // 3 x 4 pixels of 200 in steps of 12, and all colours once: 4 x 230 / 12 = 76.67 -> 77.
    t.deepEqual(result.top, [
      { index: 0, label: null, score: 2400 },
      { index: 3, label: null, score: 924 },
      { index: 2, label: null, score: 240 },
      { index: 1, label: null, score: 120 },
    ])
  })
}

test('several pictures give results in their order', async (t) => {
  const { code, result } = await json(at('int8.tflite'), at('red.ppm'), at('blue.ppm'), '--top', '1')
  t.is(code, 0)
  t.deepEqual(
    result.results.map((r: { file: string }) => r.file),
    [at('red.ppm'), at('blue.ppm')],
  )
  t.deepEqual(
    result.results.map((r: { top: { index: number }[] }) => r.top.map((c) => c.index)),
    [[0], [2]],
  )
})

test('JPEG by sharp', async (t) => {
  const { result } = await json(at('int8.tflite'), at('green.jpg'), '--labels', at('labels.txt'))
  t.is(result.top[0].label, 'green')
})

test('labels from a file; one background line more or less is said on stderr', async (t) => {
  const args = [at('int8.tflite'), at('red.ppm'), '--labels']
  t.is((await json(...args, at('labels.txt'))).result.top[0].label, 'red')
  const more = await json(...args, at('with-background.txt'))
  t.is(more.result.top[0].label, 'red')
  t.regex(more.stderr, /^note: .*left out/)
  const less = await json(...args, at('without-background.txt'))
  t.is(less.result.top[0].label, 'background')
  t.regex(less.stderr, /^note: /)
})

test('labels that do not fit are an error', async (t) => {
  const { code, result } = await json(at('int8.tflite'), at('red.ppm'), '--labels', at('few.txt'))
  t.is(code, 1)
  t.is(result.error.code, 'SHAPE_MISMATCH')
})

test('--mean and --std replace the plain codes', async (t) => {
  // (pixel - 10) / 2 in an input of scale 1 and zero point -128: 95, 0, 5.
  const { result } = await json(at('int8.tflite'), at('red.ppm'), '--mean', '10', '--std', '2')
  t.deepEqual(
    result.top.map((c: { score: number }) => c.score),
    [1140, 396, 60, 0],
  )
  const wrong = await json(at('int8.tflite'), at('red.ppm'), '--mean', '1,2')
  t.is(wrong.code, 2)
  t.is(wrong.result.error.code, 'OPTION_INVALID')
})

test('a model without a picture as input is refused', async (t) => {
  const { code, result } = await json(at('row.tflite'), at('red.ppm'))
  t.is(code, 1)
  t.is(result.error.code, 'SHAPE_MISMATCH')
})

test('a model alone runs on the shipped picture, and says so', async (t) => {
  const { code, stderr, result } = await json(at('int8.tflite'))
  t.is(code, 0)
  t.regex(stderr, /^note: no picture given/)
  t.is(result.top.length, 4)
})
