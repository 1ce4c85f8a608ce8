// Each example runs, and says what it should.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { ROOT, shell } from '../helpers/cli.js'

const SAYS: Readonly<Record<string, RegExp>> = {
  'classify.mjs': /^ship \d+\.\d %\n$/,
  'classify.cjs': /^ship \d+\.\d %\n$/,
  'kernels.mjs': /output 1 x 5 x 5 x 1\n(0\t){4}0\n0\t10\t10\t10\t0\n/,
}

for (const name of readdirSync(join(ROOT, 'examples'))) {
  if (!/\.[cm]js$/.test(name)) continue
  test(name, async (t) => {
    const { code, stdout, stderr } = await shell(`node "${join(ROOT, 'examples', name)}"`)
    t.is(stderr, '')
    t.is(code, 0)
    t.regex(stdout, SAYS[name] ?? /^$/)
  })
}
