// The package as its users see it: by its own name, as ES module and as CommonJS, with types for both.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import test from 'ava'
import { projectRoot } from './helpers/shared.js'
import { identityFile } from './helpers/small-models.js'

const SCRIPT = `
async function main({ loadModel, LowbitError }) {
  const bytes = Uint8Array.from(Buffer.from(process.argv[1], 'base64'))
  const model = await loadModel(bytes)
  const [{ data }] = await model.run([Int8Array.of(1, 2, 3, 4)])
  const error = await loadModel(bytes.subarray(9)).catch((error) => error)
  console.log(JSON.stringify([...data, error instanceof LowbitError, error.code]))
}
`
const file = Buffer.from(identityFile(4)).toString('base64')
const run = (...flags: string[]) =>
  JSON.parse(execFileSync(process.execPath, [...flags, file], { cwd: projectRoot, encoding: 'utf8' }))

test('import', (t) => {
  const script = `import * as lowbit from 'lowbit'; ${SCRIPT}; await main(lowbit)`
  t.deepEqual(run('--input-type=module', '-e', script).slice(0, 5), [1, 2, 3, 4, true])
})

test('require', (t) => {
  const script = `const lowbit = require('lowbit'); ${SCRIPT}; main(lowbit)`
  t.deepEqual(run('--input-type=commonjs', '-e', script).slice(0, 5), [1, 2, 3, 4, true])
})

test('both export the same names', async (t) => {
  const require = createRequire(import.meta.url)
  const module = (await import('lowbit')) as Record<string, unknown>
  const names = Object.keys(require('lowbit')).sort()
  t.deepEqual(Object.keys(module).sort(), names)
  t.deepEqual(names, ['ERROR_CODES', 'LowbitError', 'loadModel'])
})

test('both forms of lowbit/quantize export the same names', async (t) => {
  const require = createRequire(import.meta.url)
  const module = (await import('lowbit/quantize')) as Record<string, unknown>
  const names = Object.keys(require('lowbit/quantize')).sort()
  t.deepEqual(Object.keys(module).sort(), names)
  t.deepEqual(names, ['LowbitError', 'PRESETS', 'RECIPE_SCHEMA', 'quantize', 'readRecipe'])
})

test('both forms of lowbit/train export the same names, and are one backend', async (t) => {
  const require = createRequire(import.meta.url)
  const module = (await import('lowbit/train')) as Record<string, unknown>
  const names = Object.keys(require('lowbit/train')).sort()
  t.deepEqual(Object.keys(module).sort(), names)
  t.deepEqual(names, [
    ...['AUGMENTATIONS', 'LowbitError', 'NETWORK_NAMES', 'configureBackend', 'createNetwork', 'evaluate'],
    ...['fakeQuantize', 'fit', 'holdOut', 'learnedClip', 'learnedOffset', 'learnedStep', 'loadLayersModel'],
    ...['openDataset', 'quantizeAware', 'saveLayersModel', 'toTflite', 'withSeed', 'withSoftmax'],
  ])
  t.is(module['configureBackend'], require('lowbit/train').configureBackend)
  const tf = require('@tensorflow/tfjs-core') as typeof import('@tensorflow/tfjs-core')
  t.true(await tf.setBackend('lowbit'))
  t.deepEqual([...tf.add(tf.tensor1d([1, 2]), 3).dataSync()], [4, 5])
})

const PEERS = `
const modules = require('node:module')
const resolve = modules._resolveFilename
const wanted = []
modules._resolveFilename = (name, ...rest) => {
  if (!name.startsWith('@tensorflow/')) return resolve(name, ...rest)
  wanted.push(name)
  throw Object.assign(new Error('Cannot find module ' + name), { code: 'MODULE_NOT_FOUND' })
}
`
test('the other entries need no TensorFlow.js', (t) => {
  const script = `${PEERS}; for (const name of ['', '/kernels', '/quantize']) require('lowbit' + name); console.log(wanted.length)`
  t.is(execFileSync(process.execPath, ['-e', script], { cwd: projectRoot, encoding: 'utf8' }), '0\n')
})

test('without TensorFlow.js the error of lowbit/train names the command that installs it', (t) => {
  const script = `${PEERS}; try { require('lowbit/train') } catch ({ code, message }) { console.log(JSON.stringify([code, message])) }`
  const text = execFileSync(process.execPath, ['-e', script], { cwd: projectRoot, encoding: 'utf8' })
  const [code, message] = JSON.parse(text)
  t.is(code, 'PEER_MISSING')
  t.regex(
    message,
    /npm install @tensorflow\/tfjs-core @tensorflow\/tfjs-layers @tensorflow\/tfjs-backend-cpu/,
  )
})

test('the bundle looks for its binary in the package', (t) => {
  const script = `require('lowbit').loadModel('x').catch(({ code, message }) => console.log(JSON.stringify([code, message])))`
  const env = {
    ...process.env,
    LOWBIT_BINARY: '',
    PREBUILDS_ONLY: '1',
    LOWBIT_PREBUILD: join(projectRoot, 'docs'),
  }
  const text = execFileSync(process.execPath, ['-e', script], { cwd: projectRoot, encoding: 'utf8', env })
  const [code, message] = JSON.parse(text)
  t.is(code, 'NO_BINARY')
  t.true(message.includes(join(projectRoot, 'prebuilds')), message)
})

test('a chunk that several entries share is loaded once', (t) => {
  const require = createRequire(import.meta.url)
  const [{ LowbitError }, { gemm }] = [require('lowbit'), require('lowbit/kernels')]
  t.throws(() => gemm({}), { instanceOf: LowbitError })
})

const USE = `
import { loadModel, LowbitError, type Model, type Tensor, type TensorInfo } from 'lowbit'
async function use(): Promise<void> {
  const model: Model = await loadModel('x.tflite', { threads: 1, limits: { memory: 1 } })
  const inputs: readonly TensorInfo[] = model.inputs
  const [tensor]: Tensor[] = await model.run([new Int8Array(inputs.length)], { signal: AbortSignal.timeout(5) })
  const real: Float32Array | undefined = tensor?.toFloat32()
  // @ts-expect-error: unknown options are errors
  await loadModel('x.tflite', { thread: 1 })
  if (real === undefined) throw new LowbitError('DATA_INVALID', 'x')
}
void use
`

/** For programs without `@types/node`, whose options are made by code of their own. */
const BARE_USE = `
import { loadModel, type LoadOptions, type Model, type RunOptions } from 'lowbit'
import { gemm, type GemmOptions } from 'lowbit/kernels'
import { quantize, type QuantizeOptions, type Recipe } from 'lowbit/quantize'
export async function use(threads: number | undefined, given: Pick<GemmOptions, 'm' | 'n' | 'k' | 'a' | 'b'>) {
  const options: LoadOptions = { threads, memory: undefined, limits: { memory: undefined, steps: 9 }, customOps: undefined }
  const model: Model = await loadModel('x.tflite', options)
  const run: RunOptions = { signal: undefined, outputs: undefined, keep: undefined }
  await model.run([new Int8Array(1)], run)
  await model.signature('x').run({ x: new Int8Array(1) }, { signal: undefined })
  await model.profile([new Int8Array(1)], { runs: undefined })
  // @ts-expect-error: a model has no public constructor
  new (model.constructor as typeof Model)()
  model[Symbol.dispose]()
  await model[Symbol.asyncDispose]()
  const recipe: Recipe = { version: 1, rules: [{ weights: { bits: 4 } }] }
  const evaluate = async (model: Model) => model.inputs.length
  const wishes: QuantizeOptions = { evaluate, labels: undefined, onProgress: ({ done }) => done, signal: undefined }
  const { bytes, report } = await quantize('x.tflite', [[new Float32Array(1)]], recipe, wishes)
  // @ts-expect-error: an unknown preset
  await quantize(bytes, [], 'int7')
  if (report.accuracy !== undefined) return report.accuracy.after
  const layer = { aZeroPoint: 0, multiplier: 1, outZeroPoint: 0 }
  return gemm({ ...given, ...layer, bias: undefined, activation: undefined, outScale: undefined, out: undefined })
}
`
/** TensorFlow.js's own declarations need the browser's library, and are not checked. */
const TRAIN_USE = `
import { configureBackend, type BackendOptions } from 'lowbit/train'
const options: BackendOptions = { threads: 2, isa: undefined }
configureBackend(options)
// @ts-expect-error: unknown options are errors
configureBackend({ thread: 1 })
`
const programs = [
  ['of training', TRAIN_USE, { types: ['node'], skipLibCheck: true }],
  ['with @types/node', USE, { types: ['node'] }],
  ['without @types/node', BARE_USE, { types: [], lib: ['es2022'], exactOptionalPropertyTypes: true }],
] as const
for (const extension of ['mts', 'cts'] as const) {
  for (const [title, text, options] of programs) {
    test(`types for .${extension} files ${title}`, (t) => {
      const folder = mkdtempSync(join(projectRoot, 'dist/types-'))
      t.teardown(() => rmSync(folder, { recursive: true }))
      writeFileSync(join(folder, `use.${extension}`), text)
      const compilerOptions = {
        module: 'nodenext',
        target: 'es2022',
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        ...options,
      }
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*'] }))
      const require = createRequire(import.meta.url)
      const tsc = join(require.resolve('typescript/package.json'), '../bin/tsc')
      const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' })
      t.is(status, 0, stdout)
    })
  }
}

test('both builds name the library that their types need', (t) => {
  for (const build of ['esm', 'cjs']) {
    const types = readFileSync(join(projectRoot, 'dist', build, 'session/model.d.ts'), 'utf8')
    t.regex(types, /^\/\/\/ <reference lib="esnext.disposable" preserve="true" \/>/m, build)
  }
})
