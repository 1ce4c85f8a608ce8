// Checks the C++ sources: clang-format (--write formats them instead), and clang-tidy with the checks of .clang-tidy.
// A missing tool is an error, unless LOWBIT_LINT_OPTIONAL is set.
import { execFile, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch, availableParallelism } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '..')
const require = createRequire(import.meta.url)
const run = promisify(execFile)
const write = process.argv.includes('--write')
let failed = false

const sources = ['native', 'test/native', 'test/fuzz']
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name)))
  .filter((name) => /\.(h|cc)$/.test(name))
  .sort()

/** Rows of native/isa.cmake: name, processor family, flags of g++ and clang. */
const isas = [
  ...readFileSync(join(root, 'native/isa.cmake'), 'utf8').matchAll(
    /^lowbit_isa\((\w+)\s+(\w+)\s+"([^"]*)"/gm,
  ),
].map(([, name, family, flags]) => ({
  name,
  here: family === arch(),
  flags: flags.split(';').filter(Boolean),
}))

/** The versioned tool first: other versions lay code out otherwise. Undefined, after a word, if there is none. */
function tool(name) {
  const found = [`${name}-14`, name].find((program) => spawnSync(program, ['--version']).status === 0)
  if (found) return found
  const optional = Boolean(process.env.LOWBIT_LINT_OPTIONAL)
  const advice = optional ? 'skipped' : 'LOWBIT_LINT_OPTIONAL=1 goes on without it'
  process.stderr.write(`lint: ${name} is not installed (on Debian: apt-get install ${name}-14); ${advice}\n`)
  failed ||= !optional
  return undefined
}

function format() {
  const clangFormat = tool('clang-format')
  if (!clangFormat) return
  const how = write ? ['-i'] : ['--dry-run', '-Werror']
  if (spawnSync(clangFormat, [...how, ...sources], { cwd: root, stdio: 'inherit' }).status !== 0)
    failed = true
}

async function tidy() {
  const clangTidy = tool('clang-tidy')
  if (!clangTidy) return
  const folderOf = (name) => dirname(require.resolve(`${name}/package.json`))
  const headers = [folderOf('node-addon-api'), join(folderOf('node-api-headers'), 'include')]
  const flags = [
    '-std=c++17',
    ...['native', 'test/native', 'test/fuzz'].map((folder) => `-I${join(root, folder)}`),
    ...headers.map((folder) => `-isystem${folder}`),
    '-DNAPI_VERSION=8',
    '-DNODE_ADDON_API_DISABLE_DEPRECATED',
    ...isas.filter((isa) => isa.here).map((isa) => `-DLOWBIT_${isa.name.toUpperCase()}=1`),
  ]
  const queue = sources.filter((name) => name.endsWith('.cc'))
  const check = async () => {
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      const isa = isas.find(({ name }) => `${name}.cc` === basename(file))
      if (isa && !isa.here) continue // another processor's intrinsics
      try {
        await run(clangTidy, ['--quiet', file, '--', ...flags, ...(isa?.flags ?? [])], { cwd: root })
      } catch (error) {
        failed = true
        process.stderr.write(`${error.stdout || error.message}\n`)
      }
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, check))
}

format()
if (!write) await tidy()
if (failed) process.exitCode = 1
