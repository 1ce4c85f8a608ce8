// The bar on a terminal, and the lines elsewhere.

import test from 'ava'
import { progressLine, progressText } from '#lib/cli/progress.js'

const screen = (facts: { isTTY?: boolean; columns?: number }) => {
  const written: string[] = []
  return { ...facts, written, write: (text: string) => written.push(text) }
}

test('a bar that fills; a count where the end is not known', (t) => {
  t.is(progressText('x', 0, 4), `x ${'░'.repeat(24)} 0/4`)
  t.is(progressText('x', 1, 4), `x ${'█'.repeat(6)}${'░'.repeat(18)} 1/4`)
  t.is(progressText('x', 9, 4), `x ${'█'.repeat(24)} 9/4`)
  t.is(progressText('x', 7, 0), 'x 7')
})

test('on a terminal: one line, not too often, gone at the end', (t) => {
  for (const columns of [20, 0]) {
    const to = screen({ isTTY: true, columns })
    const progress = progressLine(to)
    for (let i = 1; i <= 1000; i++) progress.show('counting', i, 1000)
    progress.stop()
    progress.stop()
    t.true(to.written.length < 100 && to.written.length >= 3)
    t.true(
      to.written.every((text) => text.startsWith('\r') && text.endsWith('\u001b[K') && !text.includes('\n')),
    )
    t.true(to.written.every((text) => text.length < (columns || 80) + 4))
    t.true(columns === 20 || to.written.at(-2)?.includes('1000/1000'))
    t.is(to.written.at(-1), '\r\u001b[K')
  }
})

test('elsewhere: a line a stage; nothing where nothing was shown', (t) => {
  const to = screen({})
  const progress = progressLine(to)
  progress.show('first', 1, 2)
  progress.show('first', 2, 2)
  progress.show('second', 1, 0)
  progress.stop()
  t.deepEqual(to.written, ['first\n', 'second\n'])
  const terminal = screen({ isTTY: true })
  progressLine(terminal).stop()
  t.deepEqual(terminal.written, [])
})
