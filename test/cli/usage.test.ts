// The command line itself: help, version, exit codes, errors, pipes.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { folderOf, lowbit, ROOT, shell } from '../helpers/cli.js'
import { colourSums, plainPicture } from '../helpers/picture-models.js'

const COMMANDS = ['run', 'quantize', 'evaluate', 'inspect', 'diff', 'bench', 'doctor']
const at = folderOf({
  'model.tflite': colourSums('int8'),
  'red.ppm': plainPicture(200, 10, 20),
  'broken.tflite': 'no model at all',
})

test('--version prints the version of the package', async (t) => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  t.deepEqual(await lowbit(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' })
})

test('--help lists the commands, with examples', async (t) => {
  const { code, stdout, stderr } = await lowbit(['--help'])
  t.is(code, 0)
  t.is(stderr, '')
  for (const command of COMMANDS) t.true(stdout.includes(`  ${command} `), command)
  t.true(stdout.includes('Examples:'))
})

for (const command of COMMANDS) {
  test(`${command} --help has examples and --json`, async (t) => {
    const { code, stdout, stderr } = await lowbit([command, '--help'])
    t.is(code, 0)
    t.is(stderr, '')
    t.true(stdout.includes(`Usage: lowbit ${command}`))
    t.true(stdout.includes('Examples:') && stdout.includes('--json'))
  })
}

const WRONG: readonly (readonly string[])[] = [
  ['fly'],
  ['--fly'],
  ['run', '--fly'],
  ['run', '--top', '0'],
  ['run', '--top', 'many'],
  ['run', '--mean', '1,x'],
  ['run', '--fit', 'squeeze'],
  ['run', '--layout', 'chw'],
  ['run', '--threads', '-1'],
  ['quantize'],
  ['quantize', 'model.tflite'],
  ['quantize', 'model.tflite', '-o', 'out.tflite', '--samples', '0'],
  ['quantize', 'model.tflite', '-o', 'out.tflite', '--preset', 'int1'],
  ['evaluate'],
  ['evaluate', 'model.tflite'],
  ['inspect'],
  ['inspect', 'a', 'b'],
  ['diff'],
  ['diff', 'a', 'b', 'c'],
  ['bench'],
  ['bench', 'model.tflite', '--seconds', '0'],
  ['bench', 'model.tflite', '--seconds', 'NaN'],
  ['bench', 'model.tflite', '--memory', 'huge'],
  ['bench', 'model.tflite', '--threads', '1.5'],
  ['doctor', 'who'],
]
for (const args of WRONG) {
  test(`wrong usage: lowbit ${args.join(' ')}`, async (t) => {
    const { code, stdout, stderr } = await lowbit([...args, '--json'])
    t.is(code, 2)
    const { error } = JSON.parse(stdout)
    t.is(error.code, 'USAGE')
    t.regex(stderr, /^lowbit: USAGE: [^\n]+\n/)
  })
}

test('no command is wrong usage', async (t) => {
  const { code, stdout, stderr } = await lowbit([])
  t.is(code, 2)
  t.is(stdout, '')
  t.regex(stderr, /USAGE/)
})

test('wrong environment variables are wrong usage', async (t) => {
  const args = ['run', at('model.tflite'), at('red.ppm'), '--json']
  for (const environment of [{ LOWBIT_ISA: 'mmx' }, { LOWBIT_THREADS: 'all' }]) {
    const { code, stdout } = await lowbit(args, environment as never)
    t.is(code, 2)
    t.is(JSON.parse(stdout).error.code, 'OPTION_INVALID')
  }
})

const FAILS: readonly (readonly [string, readonly string[]])[] = [
  ['DATA_INVALID', ['run', 'no-such.tflite', at('red.ppm')]],
  ['DATA_INVALID', ['inspect', 'no-such.tflite']],
  ['DATA_INVALID', ['bench', 'no-such.tflite']],
  ['FILE_', ['run', at('broken.tflite'), at('red.ppm')]],
  ['FILE_', ['inspect', at('broken.tflite')]],
  ['FILE_', ['bench', at('broken.tflite')]],
  ['DATA_INVALID', ['run', at('model.tflite'), 'no-such.ppm']],
]
for (const [start, args] of FAILS) {
  test(`fails with ${start}: lowbit ${args[0]} ${FAILS.findIndex((row) => row[1] === args)}`, async (t) => {
    const plain = await lowbit(args)
    t.is(plain.code, 1)
    t.is(plain.stdout, '')
    t.regex(plain.stderr, new RegExp(`^lowbit: ${start}[A-Z]*: [^\\n]+\\n$`))
    const json = await lowbit([...args, '--json'])
    t.is(json.code, 1)
    const { error } = JSON.parse(json.stdout)
    t.true(error.code.startsWith(start))
    t.is(typeof error.message, 'string')
  })
}

test('a reader that goes away is no failure', async (t) => {
  const { stderr } = await shell(`$LOWBIT inspect "${at('model.tflite')}" | true; $LOWBIT --help | head -1`)
  t.is(stderr, '')
})
