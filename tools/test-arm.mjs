// Builds the addon and the native tests for linux-arm64 and runs the tests in an emulator, once for each level of ARM
// kernels, on a processor that has that level and none above it. Prints TAP, and which kernel rows ran.
//
//   npm run test:arm [-- <words of test names>]
import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const tests = join(root, 'build-linux-arm64/Release/lowbit_native_tests')
/** The level that a processor must have, and a row of it that must have run. */
const levels = [
  { cpu: 'cortex-a72', level: 'neon' },
  { cpu: 'neoverse-n1', level: 'neondot' },
  { cpu: 'max', level: 'neoni8mm' },
]
const tools = [
  { program: 'aarch64-linux-gnu-g++', from: 'g++-aarch64-linux-gnu' },
  { program: 'qemu-aarch64', from: 'qemu-user' },
]

const missing = tools.filter(({ program }) => spawnSync(program, ['--version']).status !== 0)
if (missing.length > 0) {
  const names = missing.map(({ program }) => program).join(' and ')
  process.stderr.write(`test:arm: ${names} not found; on Debian and Ubuntu:\n`)
  process.stderr.write(`  apt-get install ${missing.map(({ from }) => from).join(' ')}\n`)
  process.exit(1)
}

execFileSync(process.execPath, [join(root, 'native/build.mjs'), '--linux-arm64', '--tests'], {
  stdio: 'inherit',
})
const words = process.argv.slice(2)
let failed = false
for (const { cpu, level } of levels) {
  const { status, signal, stdout } = spawnSync(
    'qemu-aarch64',
    ['-cpu', cpu, '-L', '/usr/aarch64-linux-gnu', tests, ...words],
    { encoding: 'utf8', maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  process.stdout.write(stdout.replace(/^(ok|not ok|#) /gm, `$1 ${cpu}: `))
  const ended = status === 0 ? '' : `: status ${status ?? signal}`
  const ran = words.length > 0 || new RegExp(`^# .* ran:.*\\.${level}\\b`, 'm').test(stdout)
  process.stdout.write(
    `${ended || !ran ? 'not ok' : 'ok'} ${cpu}: rows of ${level} ran and all passed${ended}\n`,
  )
  failed ||= Boolean(ended) || !ran
}
process.exitCode = failed ? 1 : 0
