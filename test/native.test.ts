// Runs the native tests (test/native/*.cc) and makes a test of each line that they print.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

// Beside LOWBIT_BINARY when that is set (a build with sanitizers), else in the checkout's own build.
const own = process.env['LOWBIT_BINARY']
const folder = own ? dirname(own) : fileURLToPath(new URL('../../build/Release', import.meta.url))
const suffix = process.platform === 'win32' ? '.exe' : ''
const program = join(folder, `lowbit_native_tests${suffix}`)

if (!existsSync(program)) {
  test('the native tests were built', (t) => t.fail(`${program} is missing; npm run build:test builds it`))
} else {
  const { stdout, stderr, status, signal } = spawnSync(program, { encoding: 'utf8', maxBuffer: 1 << 26 })
  const lines = stdout.split('\n').filter((line) => /^(not )?ok /.test(line))
  for (const line of lines) {
    const [, failed, rest = ''] = /^(not )?ok (.*)$/.exec(line) ?? []
    test(failed ? rest.slice(0, 120) : rest, (t) => (failed ? t.fail(rest) : t.pass()))
  }
  test('the native tests ran to their end', (t) => {
    t.true(lines.length > 0)
    t.is(signal, null, stderr)
    t.is(status === 0, !lines.some((line) => line.startsWith('not ')), stderr)
  })
}
