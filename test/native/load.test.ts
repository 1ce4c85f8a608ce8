// Finding the binary, and what is said when there is none.

import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const dist = fileURLToPath(new URL('../..', import.meta.url))

/** What loading says in a process of its own: the code of its error or `loaded`, its message, and the report. */
function load(environment: Record<string, string> = {}, root = join(dist, '..')) {
  const script = `
    const { loadBinding, binaryReport } = await import(${JSON.stringify(join(root, 'dist/esm/native/load.js'))})
    let code = 'loaded', message = ''
    try { loadBinding() } catch (error) { ({ code, message } = error) }
    console.log(JSON.stringify({ code, message, report: binaryReport() }))`
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
  })
  return JSON.parse(text) as {
    code: string
    message: string
    report: { path?: string; platform: string; tried: { path: string; error?: string }[] }
  }
}

test('the binary is found', (t) => {
  const { code, message, report } = load()
  t.is(code, 'loaded', message)
  t.true(report.path?.endsWith('.node'))
  t.deepEqual(report.tried, [{ path: report.path as string }])
  t.true(report.platform.startsWith(`${process.platform}-${process.arch}`))
})

test('a missing binary is NO_BINARY, with what was tried and what helps', (t) => {
  const path = join(tmpdir(), 'no-such-folder', 'lowbit.node')
  const { code, message, report } = load({ LOWBIT_BINARY: path })
  t.is(code, 'NO_BINARY')
  for (const part of [path, process.platform, process.arch, 'npm run build:native', 'npm install']) {
    t.true(message.includes(part), `${part} in: ${message}`)
  }
  t.is(report.path, undefined)
  t.is(report.tried[0]?.path, path)
})

test('a package without binaries lists the folders', (t) => {
  // node-gyp-build's own switches: no local build, and a folder for prebuilds that is empty.
  const folder = mkdtempSync(join(tmpdir(), 'lowbit-'))
  try {
    const { code, message, report } = load({
      LOWBIT_BINARY: '',
      PREBUILDS_ONLY: '1',
      LOWBIT_PREBUILD: folder,
    })
    t.is(code, 'NO_BINARY')
    t.true(report.tried.length >= 2)
    for (const { path } of report.tried) t.true(message.includes(path))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a local build that does not load is passed over for the prebuilt binary', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lowbit-'))
  try {
    cpSync(join(dist, 'esm/native'), join(folder, 'dist/esm/native'), { recursive: true })
    cpSync(join(dist, 'esm/errors.js'), join(folder, 'dist/esm/errors.js'))
    cpSync(join(dist, '../package.json'), join(folder, 'package.json'))
    symlinkSync(join(dist, '../node_modules'), join(folder, 'node_modules'), 'junction')
    const local = join(folder, 'build/Release/lowbit.node')
    const prebuilds = join(folder, 'prebuilds', `${process.platform}-${process.arch}`)
    mkdirSync(join(folder, 'build/Release'), { recursive: true })
    mkdirSync(prebuilds, { recursive: true })
    writeFileSync(local, 'not an addon')
    const without = load({ LOWBIT_BINARY: '' }, folder)
    t.is(without.code, 'NO_BINARY')
    t.deepEqual(
      without.report.tried.map(({ path }) => realpathSync(path)),
      [realpathSync(local)],
    )
    copyFileSync(load().report.path as string, join(prebuilds, 'lowbit.node'))
    const { code, message, report } = load({ LOWBIT_BINARY: '' }, folder)
    t.is(code, 'loaded', message)
    t.true(report.path?.includes('prebuilds'))
    t.is(report.tried.length, 2)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a file that is no addon is NO_BINARY', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lowbit-'))
  try {
    const path = join(folder, 'lowbit.node')
    writeFileSync(path, 'not an addon')
    t.is(load({ LOWBIT_BINARY: path }).code, 'NO_BINARY')
    // One of another interface: a script stands in for the addon.
    const script = join(folder, 'other.cjs')
    writeFileSync(script, 'exports.abi = () => 4711')
    const other = load({ LOWBIT_BINARY: script })
    t.is(other.code, 'NO_BINARY')
    t.true(other.message.includes('4711'))
  } finally {
    rmSync(folder, { recursive: true })
  }
})
