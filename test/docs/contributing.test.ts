// The diff in CONTRIBUTING.md that shows how an operator is added is that of the real one.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { ROOT } from '../helpers/cli.js'

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

test('every line of the diff stands in its file, in order', (t) => {
  const [, diff = ''] = /```diff\n([\s\S]*?)```/.exec(read('CONTRIBUTING.md')) ?? []
  const files = diff.split(/^--- .*\n/m).slice(1)
  t.deepEqual(
    files.map((file) => file.split('\n')[0]),
    ['+++ b/lib/ops/add-n.ts', '+++ b/lib/ops/registry.ts', '+++ b/test/ops/tables/reductions.ts'],
  )
  for (const file of files) {
    const [head = '', ...lines] = file.split('\n')
    const text = read(head.slice('+++ b/'.length)).split('\n')
    let at = 0
    for (const line of lines.filter((one) => one !== '')) {
      const found = text.indexOf(line.slice(1), at)
      t.true(found >= 0, `${head}: ${line}`)
      at = found + 1
    }
  }
  const whole =
    files[0]
      ?.split('\n')
      .slice(1)
      .filter((line) => line !== '') ?? []
  t.is(whole.length, read('lib/ops/add-n.ts').trimEnd().split('\n').length, 'the whole file')
})
