// Builds the TypeScript: lib/ -> dist/esm (ES modules with types, for the command line and tests) and dist/cjs (what
// programs load); with --test also test/ -> dist/test and bench/ -> dist/bench.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { build, transform } from 'esbuild'

const root = import.meta.dirname
const tsc = join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc')
const compile = (project) =>
  execFileSync(process.execPath, [tsc, '-p', project], { cwd: root, stdio: 'inherit' })
const files = (folder, suffix) =>
  readdirSync(join(root, folder), { recursive: true }).filter((name) => name.endsWith(suffix))

rmSync(join(root, 'dist'), { recursive: true, force: true })
compile('tsconfig.json')
chmodSync(join(root, 'dist/esm/cli/main.js'), 0o755)

// What programs load is bundled: reading and compiling a file for each module takes longer than loading a model. What
// several entries share lies in chunks, so that there is one class of error and one session a process. Both module
// systems load the same files, the faces for `import` only name what they export.
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const entries = Object.values(exports).flatMap(({ require }) =>
  require ? [basename(require.default, '.js')] : [],
)
const { outputFiles, metafile } = await build({
  absWorkingDir: root,
  entryPoints: entries.map((name) => `lib/${name}.ts`),
  outdir: 'dist/cjs',
  bundle: true,
  splitting: true,
  packages: 'external',
  chunkNames: 'chunks/[name]-[hash]', // as deep as dist/esm/native: native/load.ts finds the package from both
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // Less to read and compile; names stay as they are in stack traces.
  minifySyntax: true,
  minifyWhitespace: true,
  lineLimit: 160,
  legalComments: 'none',
  sourcemap: 'inline',
  write: false,
  metafile: true,
  logLevel: 'warning',
})
mkdirSync(join(root, 'dist/cjs/chunks'), { recursive: true })
for (const { path, text } of outputFiles) {
  const { code, map } = await transform(text, {
    sourcefile: path,
    sourcemap: 'external',
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    define: { 'import.meta.url': '__fileUrl' },
    minifyWhitespace: true,
    lineLimit: 160,
    banner: 'const __fileUrl = require("node:url").pathToFileURL(__filename).href;',
  })
  writeFileSync(path, `${code}//# sourceMappingURL=${basename(path)}.map\n`)
  writeFileSync(`${path}.map`, map)
}
for (const name of entries) {
  const names = metafile.outputs[`dist/cjs/${name}.js`].exports
  // By require, since an import of CommonJS reads all of the file for the names of its exports: 10 ms.
  const load = `import { createRequire } from 'node:module'\nconst load = createRequire(import.meta.url)\n`
  const face = `export const { ${names.join(', ')} } = load('./${name}.js')\n`
  writeFileSync(join(root, `dist/cjs/${name}.mjs`), load + face)
}
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
