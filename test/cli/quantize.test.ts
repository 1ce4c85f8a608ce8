// lowbit quantize: from a float file and samples to an integer file, a report, and what is refused before any work.

import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import test from 'ava'
import { loadModel } from '#lib/index.js'
import { lowbit, MAIN } from '../helpers/cli.js'
import { npy } from '../helpers/npy.js'
import { colourSums, floatColourSums, plainPicture } from '../helpers/picture-models.js'
import { tree } from '../helpers/tree.js'

const at = tree({
  'float.tflite': floatColourSums(),
  'int8.tflite': colourSums('int8'),
  'broken.tflite': 'no model at all',
  'photos/red/1.ppm': plainPicture(255, 10, 20),
  'photos/red/2.ppm': plainPicture(180, 0, 0),
  'photos/green/1.ppm': plainPicture(20, 255, 20),
  'photos/blue/1.ppm': plainPicture(20, 10, 255),
  'names.txt': 'red\ngreen\nblue\nall\n',
  'nan.npy': npy(
    Float32Array.from({ length: 12 }, (_, i) => (i === 5 ? Number.NaN : i)),
    [1, 2, 2, 3],
  ),
  'small.npy': npy(Float32Array.of(1, 2), [1, 2]),
  'many.npy': npy(new Float32Array(12 * 200_000), [200_000, 2, 2, 3]),
  'recipe.json': JSON.stringify({ version: 1, name: 'mine', rules: [{ ops: ['RELU'], skip: true }] }),
  'unknown-key.json': JSON.stringify({ version: 1, rules: [{ wieghts: {} }] }),
  'unknown-layer.json': JSON.stringify({ version: 1, rules: [{ match: 'no/such/layer', skip: true }] }),
  'no.json': '{',
  'out/README': '',
})
const path = (name: string) => join(at, name)
const model = path('float.tflite')
const photos = ['--data', path('photos')]

test('an integer model, a page, and the report as JSON', async (t) => {
  const [output, page] = [path('out/a.tflite'), path('out/a.html')]
  const more = ['--evaluate', path('photos'), '--labels', path('names.txt'), '--report', page, '--json']
  const { code, stdout, stderr } = await lowbit(['quantize', model, ...photos, '-o', output, ...more])
  t.is(code, 0, stderr)
  t.deepEqual(stderr.split('\n').slice(0, 2), ['reading samples', 'collecting ranges'])
  const report = JSON.parse(stdout)
  t.is(report.model, model)
  t.is(report.output, output)
  t.is(report.samples, 4)
  t.deepEqual(report.accuracy, { before: 1, after: 1 })
  t.true(report.outputs[0].sqnrDb > 30)
  t.is(report.fileBytes.after, readFileSync(output).length)
  t.is(report.recipe.name, 'int8')
  const html = readFileSync(page, 'utf8')
  t.true(html.includes('100.00 % to 100.00 %') && html.includes('<svg'))
  const quantised = await loadModel(output)
  t.is(quantised.inputs[0]?.dtype, 'int8')
  quantised.dispose()
})

test('as text: sizes, SQNR and the worst layers', async (t) => {
  const { code, stdout } = await lowbit([
    'quantize',
    model,
    ...photos,
    '-o',
    path('out/b.tflite'),
    '--samples',
    '2',
  ])
  t.is(code, 0)
  for (const line of [
    /^samples +2$/m,
    /^file +.* to .* \(.* %\)$/m,
    /^SQNR of scores +[\d.]+ dB$/m,
    /FULLY_CONNECTED/,
  ]) {
    t.regex(stdout, line)
  }
})

test('a recipe of one’s own; a preset that needs no data', async (t) => {
  const given = ['-o', path('out/c.tflite'), '--json']
  const own = await lowbit(['quantize', model, ...photos, '--recipe', path('recipe.json'), ...given])
  t.is(own.code, 0, own.stderr)
  const report = JSON.parse(own.stdout)
  t.is(report.recipe.name, 'mine')
  t.is(typeof report.layers[1].kept, 'string')
  const dynamic = await lowbit(['quantize', model, '--preset', 'int8-dynamic', ...given])
  t.is(dynamic.code, 0, dynamic.stderr)
  t.is(JSON.parse(dynamic.stdout).samples, 0)
})

test('the quantised model evaluates as the float one does', async (t) => {
  const output = path('out/d.tflite')
  await lowbit(['quantize', model, ...photos, '-o', output])
  for (const file of [model, output]) {
    const args = ['evaluate', file, ...photos, '--labels', path('names.txt'), '--mean', '0', '--json']
    const { stdout } = await lowbit(args)
    t.is(JSON.parse(stdout).top1, 1, file)
  }
})

const recipe = (name: string) => [...photos, '--recipe', path(name)]
const refused: readonly (readonly [string, string, number, readonly string[], RegExp])[] = [
  ['no such data', 'DATA_INVALID', 1, ['--data', path('none')], /none/],
  ['no data at all', 'DATA_INVALID', 1, [], /samples/],
  ['NaN', 'NOT_FINITE', 1, ['--data', path('nan.npy')], /nan\.npy.*element 5 is NaN/],
  [
    'a wrong shape',
    'SHAPE_MISMATCH',
    1,
    ['--data', path('small.npy')],
    /small\.npy.*\[1, 2\].*\[1, 2, 2, 3\]/,
  ],
  ['an unknown key', 'OPTION_INVALID', 2, recipe('unknown-key.json'), /wieghts/],
  ['an unknown layer', 'NAME_UNKNOWN', 1, recipe('unknown-layer.json'), /no\/such\/layer/],
  ['no JSON', 'OPTION_INVALID', 2, recipe('no.json'), /no\.json/],
  ['an unknown preset', 'USAGE', 2, [...photos, '--preset', 'int9'], /int9/],
  ['a preset and a recipe', 'USAGE', 2, [...recipe('recipe.json'), '--preset', 'int8'], /preset/],
  ['no folder for the page', 'OPTION_INVALID', 2, [...photos, '--report', path('none/r.html')], /none/],
  [
    'accuracy without answers',
    'OPTION_INVALID',
    2,
    [...photos, '--evaluate', path('many.npy')],
    /right answers/,
  ],
]
for (const [title, code, exit, args, message] of refused) {
  test(`refused: ${title}`, async (t) => {
    const output = path(`out/refused-${title.replaceAll(' ', '-')}.tflite`)
    const failed = await lowbit(['quantize', model, ...args, '-o', output, '--json'])
    t.is(failed.code, exit, failed.stderr)
    const { error } = JSON.parse(failed.stdout)
    t.is(error.code, code)
    t.regex(error.message, message)
    t.false(existsSync(output))
  })
}

test('refused: a model with integer activations, one that is none, one that would be overwritten', async (t) => {
  const run = async (file: string, output: string) => {
    const { stdout } = await lowbit(['quantize', path(file), ...photos, '-o', path(output), '--json'])
    return JSON.parse(stdout).error.code as string
  }
  t.is(await run('int8.tflite', 'out/e.tflite'), 'DTYPE_UNSUPPORTED')
  t.regex(await run('broken.tflite', 'out/e.tflite'), /^FILE_/)
  t.is(await run('float.tflite', 'float.tflite'), 'OPTION_INVALID')
  t.deepEqual(readFileSync(model), Buffer.from(floatColourSums()))
})

test('Ctrl-C ends it in good order and leaves no file', async (t) => {
  const output = path('out/stopped.tflite')
  const args = ['quantize', model, '--data', path('many.npy'), '--samples', '200000', '-o', output, '--json']
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (part) => {
    stdout += part
  })
  child.stderr.on('data', (part) => {
    stderr += part
  })
  const ended = new Promise((resolve) => child.on('close', resolve))
  while (!stderr.includes('collecting') && child.exitCode === null) await setTimeout(10)
  child.kill('SIGINT')
  t.is(await ended, 130)
  t.is(JSON.parse(stdout).error.code, 'INTERRUPTED')
  t.deepEqual(
    readdirSync(path('out')).filter((name) => name.startsWith('stopped')),
    [],
  )
})
