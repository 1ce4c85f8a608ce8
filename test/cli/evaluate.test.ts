// lowbit evaluate: from labelled data to shares of right answers.

import { join } from 'node:path'
import test from 'ava'
import { lowbit } from '../helpers/cli.js'
import { npy } from '../helpers/npy.js'
import { colourSums, plainPicture } from '../helpers/picture-models.js'
import { tree } from '../helpers/tree.js'

const at = tree({
  'model.tflite': colourSums('int8'),
  'photos/red/1.ppm': plainPicture(200, 10, 20),
  'photos/red/2.ppm': plainPicture(10, 200, 20),
  'photos/green/1.ppm': plainPicture(20, 190, 20),
  'photos/blue/1.ppm': plainPicture(20, 10, 200),
  'names.txt': 'red\ngreen\nblue\nall\n',
  'x.npy': npy(
    Int8Array.from({ length: 24 }, (_, i) => (i % 3 === 0 ? 100 : -128)),
    [2, 2, 2, 3],
    { descr: '|i1' },
  ),
  'y.npy': npy(Int32Array.of(0, 3), [2], { descr: '<i4' }),
})
const model = join(at, 'model.tflite')
const evaluate = async (...args: string[]) => {
  const { code, stdout, stderr } = await lowbit(['evaluate', model, ...args, '--json'])
  return { code, stderr, result: JSON.parse(stdout) }
}

test('pictures in sub-folders', async (t) => {
  const { code, stderr, result } = await evaluate(
    '--data',
    join(at, 'photos'),
    '--labels',
    join(at, 'names.txt'),
  )
  t.is(code, 0)
  t.is(stderr, 'evaluating\n')
  t.deepEqual(Object.keys(result), [
    'model',
    'isa',
    'threads',
    'samples',
    'top1',
    'top5',
    'classes',
    'confusion',
  ])
  t.is(result.samples, 4)
  t.is(result.top1, 0.75)
  t.is(result.top5, null)
  t.deepEqual(result.classes, ['red', 'green', 'blue', 'all'])
  t.deepEqual(result.confusion, [
    [1, 1, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 0],
  ])
})

test('arrays of the input’s own codes, class numbers beside them, --samples', async (t) => {
  const given = ['--data', join(at, 'x.npy'), '--labels', join(at, 'y.npy')]
  t.is((await evaluate(...given)).result.top1, 0.5)
  const one = await evaluate(...given, '--samples', '1')
  t.deepEqual([one.result.samples, one.result.top1], [1, 0])
})

test('as text: shares and the matrix', async (t) => {
  const args = ['--data', join(at, 'photos'), '--classes', join(at, 'names.txt')]
  const { code, stdout } = await lowbit(['evaluate', model, ...args])
  t.is(code, 0)
  t.regex(stdout, /top-1 +75\.00 %\n/)
  t.regex(stdout, /1 green +0 +1 +0 +0\n/)
})

const refused = [
  ['SHAPE_MISMATCH', 1, ['--data', join(at, 'photos')]],
  ['OPTION_INVALID', 2, ['--data', join(at, 'x.npy')]],
  ['DATA_INVALID', 1, ['--data', join(at, 'none')]],
  ['USAGE', 2, []],
] as const
for (const [code, exit, args] of refused) {
  test(`fails with ${code}`, async (t) => {
    const failed = await evaluate(...args)
    t.is(failed.code, exit)
    t.is(failed.result.error.code, code)
  })
}
