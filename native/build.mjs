// Builds the addon with cmake-js into build/ (--tests: with the native tests; --sanitize: into build-sanitize/;
// --clang: by clang, into build-clang/; --fuzz: the fuzzer of programs alone, by clang, into build-fuzz/; --linux-arm64:
// for that platform, by the cross compiler of toolchains/linux-arm64.cmake, into build-linux-arm64/).
import { execFileSync, spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '..')
const require = createRequire(import.meta.url)
const flag = (name) => process.argv.includes(name)
const cmakeJs = join(dirname(require.resolve('cmake-js/package.json')), 'bin/cmake-js')
const define = (name, value) => `--CD${name}=${value}`
const variant = ['--fuzz', '--sanitize', '--clang', '--linux-arm64'].find(flag)
const out = variant ? `build${variant.slice(1)}` : 'build'
/** The compiler of --clang and of --fuzz: libFuzzer is a part of it. */
const clang = () =>
  ['clang++-14', 'clang++'].find((name) => spawnSync(name, ['--version']).status === 0) ?? 'clang++'
const args = [
  '--directory',
  root,
  '--out',
  join(root, out),
  '--parallel',
  String(availableParallelism()),
  '--config',
  'Release',
  define('LOWBIT_NAPI_INCLUDE', require('node-addon-api').include_dir),
  define('LOWBIT_TESTS', flag('--tests') ? 'ON' : 'OFF'),
  define('LOWBIT_SANITIZE', flag('--sanitize') ? 'ON' : 'OFF'),
  define('LOWBIT_FUZZ', flag('--fuzz') ? 'ON' : 'OFF'),
  ...(flag('--fuzz') || flag('--clang') ? [define('CMAKE_CXX_COMPILER', clang())] : []),
  ...(flag('--linux-arm64')
    ? [define('CMAKE_TOOLCHAIN_FILE', join(root, 'native/toolchains/linux-arm64.cmake'))]
    : []),
]
try {
  // Configures every time: a folder that was configured with other flags is not what was asked for.
  for (const command of ['configure', 'build']) {
    execFileSync(process.execPath, [cmakeJs, command, ...args], {
      cwd: root,
      stdio: flag('--verbose') ? 'inherit' : 'pipe',
    })
  }
} catch (error) {
  process.stderr.write(`${error.stdout ?? ''}${error.stderr ?? ''}\n`)
  process.stderr.write(
    'lowbit: the native build failed. It needs CMake 3.15 or later and a C++17 compiler (g++, clang or MSVC).\n',
  )
  process.exit(1)
}
