// lowbit train as a user runs it: results, curves, Ctrl-C and kill -9, and what is refused.

import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import test from 'ava'
import { lowbit, MAIN } from '../../helpers/cli.js'
import { tree } from '../../helpers/tree.js'

// Enough examples that an epoch takes a second or more: there is time to stop the work within one.
const MODULE = `const size = 12 * 12 * 3
function examples(count, salt) {
  let state = salt
  const inputs = new Uint8Array(count * size)
  const labels = Array.from({ length: count }, (_, i) => i % 2)
  for (let i = 0; i < inputs.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    inputs[i] = (state >>> 24) * 0.6 + (i % 3 === labels[Math.floor(i / size)] ? 60 : 0)
  }
  return { inputs, labels }
}
const count = Number(process.env.EXAMPLES ?? 60)
export default { shape: [12, 12, 3], labels: ['red', 'green'], train: examples(count, 1), test: examples(20, 2) }
`
const NETWORK = `import * as tf from '@tensorflow/tfjs-layers'
export default ({ shape, classes }) => tf.sequential({ layers: [tf.layers.flatten({ inputShape: shape }), tf.layers.dense({ units: classes })] })
`
const at = tree({
  'data.mjs': MODULE,
  'network.mjs': NETWORK.replace('@tensorflow/tfjs-layers', import.meta.resolve('@tensorflow/tfjs-layers')),
  'none.mjs': 'export default 3',
})
const data = join(at, 'data.mjs')
const timeless = (text: string) =>
  JSON.parse(text, (key, value) => (key === 'seconds' || key === 'checkpoint' ? 0 : value))
const quick = ['train', data, '--epochs', '2', '--threads', '1']

test('the same seed gives the same result; a line an epoch goes to stderr', async (t) => {
  const [one, two, other] = await Promise.all([
    lowbit([...quick, '--json']),
    lowbit([...quick, '--json']),
    lowbit([...quick, '--json', '--seed', '2']),
  ])
  t.is(one.code, 0, one.stderr)
  const result = JSON.parse(one.stdout)
  t.is(result.network, 'classic')
  t.is(result.epochs.length, 2)
  t.is(result.accuracy.float, result.epochs[1].validationAccuracy)
  t.is(result.stopped, 'done')
  t.regex(one.stderr, /epoch 1 {2}loss [\d.]+ {2}accuracy [\d.]+ %.*\nepoch 2\/2\nepoch 2 {2}loss/)
  t.deepEqual(timeless(two.stdout), timeless(one.stdout))
  t.notDeepEqual(timeless(other.stdout).epochs, timeless(one.stdout).epochs)
})

test('as text, with curves, a network of a module, and a share held out', async (t) => {
  const [page, svg] = [join(at, 'curves.html'), join(at, 'curves.svg')]
  const more = ['--network', join(at, 'network.mjs'), '--validation', '0.2']
  const { code, stdout, stderr } = await lowbit([...quick, ...more, '--curves', page])
  t.is(code, 0, stderr)
  t.regex(stdout, /epochs +2, all done/)
  t.regex(stdout, /test accuracy +[\d.]+ %/)
  const html = readFileSync(page, 'utf8')
  t.true(html.includes('<svg') && html.includes('validation loss'))
  t.is((await lowbit([...quick, '--curves', svg])).code, 0)
  t.true(readFileSync(svg, 'utf8').startsWith('<svg'))
})

const env = { EXAMPLES: '1200' }

/** Runs until a line on stderr holds `line`, and a moment longer; then stops it. */
async function stoppedAfter(line: string, args: readonly string[], signal: 'SIGINT' | 'SIGKILL') {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (part) => {
    stderr += part
  })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  while (!stderr.includes(line) && child.exitCode === null) await setTimeout(5)
  await setTimeout(30)
  child.kill(signal)
  return { code: await ended, stderr }
}

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test(`${signal}: the work goes on from the checkpoint, to the result of an unbroken run`, async (t) => {
    const args = ['train', data, '--epochs', '4', '--threads', '1', '--augment', 'flip', '--json']
    const kept = [...args, '--checkpoint', join(at, signal)]
    const whole = lowbit(args, env)
    const { code, stderr } = await stoppedAfter('epoch 1  loss', kept, signal)
    t.false(stderr.includes('epoch 4  loss'), 'it was over before it was stopped')
    if (signal === 'SIGINT') {
      t.is(code, 130)
      t.true(stderr.includes('go on with the same command and --resume'), stderr)
    }
    const resumed = await lowbit([...kept, '--resume'], env)
    t.is(resumed.code, 0, resumed.stderr)
    t.false(resumed.stderr.includes('epoch 1  loss'))
    t.deepEqual(timeless(resumed.stdout), timeless((await whole).stdout))
  })
}

test('quantisation-aware epochs go on, too, to the same file; another recipe begins at the float weights', async (t) => {
  const recipe = join(tree({ '4.json': '{"version":1,"rules":[{"weights":{"bits":4}}]}' }), '4.json')
  const out = (name: string) => join(at, `${name}.tflite`)
  const args = (name: string, qat: string) =>
    ['train', data, '--epochs', '1', '--threads', '1', '--qat', qat, '--qat-epochs', '4'].concat(
      '--out',
      out(name),
    )
  const kept = ['--checkpoint', join(at, 'qat')]
  const whole = [lowbit(args('whole8', 'int8'), env), lowbit(args('whole4', recipe), env)]
  const { stderr } = await stoppedAfter('qat epoch 1  loss', [...args('kept8', 'int8'), ...kept], 'SIGKILL')
  t.false(stderr.includes('qat epoch 4  loss'), 'it was over before it was stopped')
  const resumed = await lowbit([...args('kept8', 'int8'), ...kept, '--resume'], env)
  t.is(resumed.code, 0, resumed.stderr)
  t.false(resumed.stderr.includes('epoch 1  loss'))
  const other = await lowbit([...args('kept4', recipe), ...kept, '--resume'], env)
  t.true(
    other.stderr.startsWith('qat epoch 1  loss') || other.stderr.includes('\nqat epoch 1  loss'),
    other.stderr,
  )
  for (const { code, stderr } of await Promise.all(whole)) t.is(code, 0, stderr)
  t.deepEqual(readFileSync(out('kept8')), readFileSync(out('whole8')))
  t.deepEqual(readFileSync(out('kept4')), readFileSync(out('whole4')))
})

test('what does not fit is refused before the work', async (t) => {
  const fails = async (args: readonly string[], exit: number, ...parts: string[]) => {
    const { code, stderr } = await lowbit(['train', ...args])
    t.is(code, exit, stderr)
    for (const part of parts) t.true(stderr.includes(part), stderr)
  }
  await fails([], 2, 'missing required argument')
  await fails(['cifar10'], 2, '--data')
  await fails(['cifar10', '--data', at], 1, 'data_batch_1.bin: no such file')
  await fails([data, '--network', 'vgg'], 2, 'resnet8')
  await fails([data, '--network', join(at, 'none.mjs')], 2, 'function as default export')
  await fails([data, '--resume'], 2, '--checkpoint')
  await fails([data, '--curves', 'curves.png'], 2, '.svg or .html')
  await fails([data, '--learning-rate', '0'], 2, 'above 0')
  await fails([data, '--augment', 'standard', '--size', 'big'], 2, '64x64')
  t.false(existsSync('curves.png'))
})

test('the help names data, options and examples', async (t) => {
  const { code, stdout } = await lowbit(['train', '--help'])
  t.is(code, 0)
  for (const part of ['--resume', '--augment', 'lowbit train cifar10', 'x_train.npy', 'npm install']) {
    t.true(stdout.includes(part), part)
  }
})
