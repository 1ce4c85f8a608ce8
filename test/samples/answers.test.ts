// Right answers from sub-folders, label files and data files; and how they are counted.

import { join } from 'node:path'
import test from 'ava'
import { type AnswerOptions, openAnswers } from '#lib/samples/answers.js'
import { openSamples } from '#lib/samples/samples.js'
import { Score } from '#lib/samples/score.js'
import { cifarRecord } from '../helpers/cifar10.js'
import { npy } from '../helpers/npy.js'
import { plainPicture } from '../helpers/picture-models.js'
import { tree } from '../helpers/tree.js'
import { zip } from '../helpers/zip.js'

const inputs = [{ name: 'x', shape: [1, 1, 1, 3], shapeSignature: [1, 1, 1, 3], dtype: 'float32' as const }]
const picture = plainPicture(1, 2, 3)
const folders = tree({ 'cat/1.ppm': picture, 'dog/1.ppm': picture, 'dog/2.ppm': picture })
const numbered = tree({ '0/1.ppm': picture, '11/1.ppm': picture })
const flat = tree({ 'a.ppm': picture, 'b.ppm': picture })
const table = npy(new Float32Array(9), [3, 3])
const y = npy(Uint8Array.of(2, 0, 1), [3], { descr: '|u1' })
const data = tree({
  'x.npy': table,
  'y.npy': y,
  'short.npy': npy(Uint8Array.of(2), [1], { descr: '|u1' }),
  'real.npy': npy(Float32Array.of(0.5, 1, 2), [3]),
  'xy.npz': zip([
    { name: 'x.npy', data: table },
    { name: 'labels.npy', data: y },
  ]),
  'batch.bin': Buffer.concat([2, 0].map((label) => cifarRecord(label, [1, 2, 3]))),
  'x.npz': zip([{ name: 'x.npy', data: table }]),
})
const texts = tree({
  'names.txt': 'dog\nbird\ncat\n',
  'flat.csv': 'b.ppm, bird\na.ppm, 2\n',
  'half.csv': 'a.ppm,1\n',
  'rows.txt': '2\n0\n1\n',
  'rows.csv': 'one.bin, 12, 2\r\ntwo.bin, 12, 0\r\nthree.bin, 12, 1\r\n',
  'words.txt': 'cat\ndog\nfish\n',
})
const at = (name: string) => join(texts, name)

async function answers(path: string, options: Partial<AnswerOptions> = {}) {
  const samples = await openSamples(path, inputs)
  const found = await openAnswers(samples, { classes: 3, ...options })
  if (found === undefined) return undefined
  const all = []
  for await (const sample of samples) all.push(found.of(sample))
  return all
}

const names = ['cat', 'bird', 'dog']
const good = [
  ['sub-folders, in the order of their names', folders, { classes: 2 }, [0, 1, 1]],
  ['sub-folders by known names', folders, { names }, [0, 2, 2]],
  ['sub-folders by the names of a file', folders, { names, labels: at('names.txt') }, [2, 0, 0]],
  ['sub-folders that are numbers', numbered, { classes: 12 }, [0, 11]],
  ['a flat folder with a table', flat, { names, labels: at('flat.csv') }, [2, 1]],
  ['class numbers beside an array', join(data, 'x.npy'), { labels: join(data, 'y.npy') }, [2, 0, 1]],
  ['one class a line', join(data, 'x.npy'), { labels: at('rows.txt') }, [2, 0, 1]],
  ['the last field of a line', join(data, 'x.npy'), { labels: at('rows.csv') }, [2, 0, 1]],
  ['an array of an archive', join(data, 'xy.npz'), {}, [2, 0, 1]],
  ["the classes of CIFAR-10's records", join(data, 'batch.bin'), {}, [2, 0]],
  ['nothing', flat, {}, undefined],
] as const
for (const [title, path, options, want] of good) {
  test(`answers: ${title}`, async (t) => t.deepEqual(await answers(path, options), want as never))
}

const bad = [
  ['more classes than sub-folders', 'SHAPE_MISMATCH', folders, {}, /2 sub-folders.*3 classes.*--labels/],
  [
    'a sub-folder that is no class',
    'NAME_UNKNOWN',
    folders,
    { names: ['cat', 'a', 'b'] },
    /"dog" is no class/,
  ],
  ['a class beyond the output', 'DATA_INVALID', numbered, {}, /class 11.*3 classes/],
  [
    'a word that is no class',
    'NAME_UNKNOWN',
    join(data, 'x.npy'),
    { names, labels: at('words.txt') },
    /line 3: "fish"/,
  ],
  ['a file without a line', 'DATA_INVALID', flat, { labels: at('half.csv') }, /no line for b\.ppm/],
  [
    'too few classes',
    'SHAPE_MISMATCH',
    join(data, 'x.npy'),
    { labels: join(data, 'short.npy') },
    /1 classes, 3 samples/,
  ],
  ['fractions', 'DATA_INVALID', join(data, 'x.npy'), { labels: join(data, 'real.npy') }, /0\.5/],
  ['an archive without classes', 'DATA_INVALID', join(data, 'x.npz'), {}, /"labels" or "y"/],
  ['an array for a folder', 'DATA_INVALID', flat, { labels: join(data, 'y.npy') }, /file,class/],
] as const
for (const [title, code, path, options, message] of bad) {
  test(`refused: ${title}`, async (t) => {
    await t.throwsAsync(answers(path, options), { code, message })
  })
}

test('the score: places, ties, NaN and the matrix', (t) => {
  const score = new Score(7)
  score.add([0, 9, 1, 2, 3, 4, 5], 1) // first
  score.add([9, 9, 0, 0, 0, 0, 0], 1) // a tie goes to the lower class
  score.add([6, 5, 4, 3, 2, 1, 0], 4) // fifth
  score.add([6, 5, 4, 3, 2, 1, 0], 5) // sixth
  score.add([0, Number.NaN, 0, 0, 0, 0, 0], 1)
  t.is(score.samples, 5)
  t.is(score.top1, 1 / 5)
  t.is(score.top5, 3 / 5)
  const matrix = score.confusion()
  t.deepEqual(matrix[1], [2, 1, 0, 0, 0, 0, 0])
  t.deepEqual([matrix[4]?.[0], matrix[5]?.[0]], [1, 1])
  t.is(
    matrix.flat().reduce((a, b) => a + b),
    5,
  )
})
