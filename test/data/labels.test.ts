// Label files: plain and numbered lines, and the one background line that may be too many or missing.

import test from 'ava'
import { fitLabels, parseLabels, readLabels } from '#lib/data/labels.js'

test('one label a line', (t) => {
  t.deepEqual(parseLabels('cat\ndog\r\nfish, salmon\n\n'), ['cat', 'dog', 'fish, salmon'])
  t.deepEqual(parseLabels('\uFEFFcat\n\ndog'), ['cat', '', 'dog'])
})

test('numbered lines are placed by their number', (t) => {
  t.deepEqual(parseLabels('0  background\n2  dog\n1: cat'), ['background', 'cat', 'dog'])
  t.deepEqual(parseLabels('1 a\n3 b'), ['', 'a', '', 'b'])
})

test('digits alone are labels', (t) => {
  t.deepEqual(parseLabels('0\n1\n2'), ['0', '1', '2'])
})

test('defects are DATA_INVALID', async (t) => {
  for (const text of ['', '\n\n', '0 a\n0 b', '9999999 far']) {
    t.throws(() => parseLabels(text), { code: 'DATA_INVALID' }, JSON.stringify(text))
  }
  await t.throwsAsync(readLabels('no/such/labels.txt'), { code: 'DATA_INVALID' })
})

test('counts that match say nothing', (t) => {
  t.deepEqual(fitLabels(['background', 'b'], 2), { labels: ['background', 'b'] })
})

test('one background line more or less is mended and said', (t) => {
  const more = fitLabels(['background', 'a', 'b'], 2)
  t.deepEqual(more.labels, ['a', 'b'])
  t.regex(more.note ?? '', /left out/)
  const less = fitLabels(['a', 'b'], 3)
  t.deepEqual(less.labels, ['background', 'a', 'b'])
  t.regex(less.note ?? '', /background/)
})

test('other differences are errors', (t) => {
  for (const [labels, count] of [
    [['a', 'b', 'c'], 2],
    [['background', 'b'], 3],
    [['a'], 3],
    [['a', 'b'], 0],
  ] as const) {
    t.throws(() => fitLabels(labels, count), { code: 'SHAPE_MISMATCH' })
  }
})
