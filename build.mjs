// Builds the TypeScript: lib/ -> dist/esm (ES modules with types) and dist/cjs (CommonJS, same files);
// with --test also test/ -> dist/test and bench/ -> dist/bench.
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = import.meta.dirname
const tsc = join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc')
const compile = (project) =>
  execFileSync(process.execPath, [tsc, '-p', project], { cwd: root, stdio: 'inherit' })
const files = (folder, suffix) =>
  readdirSync(join(root, folder), { recursive: true }).filter((name) => name.endsWith(suffix))

rmSync(join(root, 'dist'), { recursive: true, force: true })
compile('tsconfig.json')
chmodSync(join(root, 'dist/esm/cli/main.js'), 0o755)

// The CommonJS build is the same files transformed one by one, so that both builds keep one class of error
// and one session a process each. import.meta.url becomes the file's own address.
await build({
  entryPoints: files('lib', '.ts').map((name) => join(root, 'lib', name)),
  outdir: join(root, 'dist/cjs'),
  outbase: join(root, 'lib'),
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning',
  define: { 'import.meta.url': '__fileUrl' },
  banner: { js: 'const __fileUrl = require("node:url").pathToFileURL(__filename).href;' },
})
for (const name of files('dist/esm', '.d.ts')) {
  cpSync(join(root, 'dist/esm', name), join(root, 'dist/cjs', name))
}
writeFileSync(join(root, 'dist/cjs/package.json'), '{ "type": "commonjs" }\n')

if (process.argv.includes('--test')) {
  for (const folder of ['bench', 'test']) {
    if (!existsSync(join(root, folder)) || files(folder, '.ts').length === 0) continue
    mkdirSync(join(root, 'dist', folder), { recursive: true })
    compile(`tsconfig.${folder}.json`)
  }
}
