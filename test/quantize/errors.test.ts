// What is refused, with its code, before any work starts.

import test from 'ava'
import type { ErrorCode } from '#lib/errors.js'
import { encode } from '#lib/format/tflite/encode.js'
import type { Samples } from '#lib/quantize/read-samples.js'
import { type QuantizeOptions, quantize, type Recipe } from '#lib/quantize.js'
import { model, oneOperatorFile } from '../helpers/model-builder.js'
import { convFile, identityFile } from '../helpers/small-models.js'

const ROW = { dtype: 'float32', shape: [1, 4] } as const
const WEIGHTS = { dtype: 'float32', shape: [2, 4], data: [1, 2, 3, 4, -1, -2, -3, -4] } as const
const file = oneOperatorFile({
  type: 'FULLY_CONNECTED',
  inputs: [ROW, WEIGHTS, null],
  outputs: [{ dtype: 'float32', shape: [1, 2] }],
})
const sample = [Float32Array.of(1, 2, 3, -4)]

interface Refused {
  readonly source?: string | Uint8Array
  readonly samples?: unknown
  readonly recipe?: unknown
  readonly options?: unknown
  readonly code: ErrorCode
  readonly message: RegExp
}

const REFUSED: Readonly<Record<string, Refused>> = {
  'no file': { source: 'no/such/file', code: 'DATA_INVALID', message: /cannot be read/ },
  'no model': { source: Uint8Array.of(1, 2, 3), code: 'FILE_TRUNCATED', message: /./ },
  'no bytes': { source: [1] as never, code: 'OPTION_INVALID', message: /source/ },
  'a quantised model': { source: identityFile(4), code: 'DTYPE_UNSUPPORTED', message: /quantised already/ },
  'quantised convolutions': { source: convFile(), code: 'DTYPE_UNSUPPORTED', message: /CONV_2D #0/ },
  'nothing real': {
    source: encode(
      model([
        { tensors: { x: { dtype: 'int32', shape: [1] } }, operators: [], inputs: ['x'], outputs: ['x'] },
      ]),
    ),
    code: 'DTYPE_UNSUPPORTED',
    message: /nothing to quantise/,
  },

  'weights that are NaN': {
    source: oneOperatorFile({
      type: 'FULLY_CONNECTED',
      inputs: [ROW, { ...WEIGHTS, data: [1, 2, 3, 4, 5, Number.NaN, 7, 8] }, null],
      outputs: [{ dtype: 'float32', shape: [1, 2] }],
    }),
    code: 'NOT_FINITE',
    message: /constant "in1" holds a NaN/,
  },

  'no samples': { samples: [], code: 'DATA_INVALID', message: /there are none/ },
  'samples that are no list': { samples: 3, code: 'OPTION_INVALID', message: /iterable/ },
  'one sample in place of a list': { samples: sample[0], code: 'OPTION_INVALID', message: /iterable/ },
  'a sample of plain numbers': {
    samples: [[[1, 2, 3, 4]]],
    code: 'DTYPE_MISMATCH',
    message: /samples\[0\]\[0\]/,
  },
  'a sample of another type': {
    samples: [sample, [Int8Array.of(1, 2, 3, 4)]],
    code: 'DTYPE_MISMATCH',
    message: /samples\[1\].*Float32Array expected, Int8Array given/,
  },
  'a sample of another length': {
    samples: [[Float32Array.of(1, 2)]],
    code: 'SHAPE_MISMATCH',
    message: /\[1, 4\]: 4 elements expected, 2 given/,
  },
  'two arrays for one input': {
    samples: [[...sample, ...sample]],
    code: 'INPUT_COUNT',
    message: /1 inputs, 2/,
  },
  'a NaN': {
    samples: [sample, [Float32Array.of(0, Number.NaN, 0, 0)]],
    code: 'NOT_FINITE',
    message: /samples\[1\]\[0\].*element 1 is NaN/,
  },
  'an infinity': {
    samples: [[Float32Array.of(0, 0, 0, Number.POSITIVE_INFINITY)]],
    code: 'NOT_FINITE',
    message: /element 3/,
  },

  'an unknown preset': { recipe: 'int7', code: 'OPTION_INVALID', message: /"int7".*int8-dynamic/ },
  'no recipe': { recipe: null, code: 'OPTION_INVALID', message: /recipe is null; an object/ },
  'an unknown name': {
    recipe: { version: 1, rules: [{}, { match: 'conv*' }] },
    code: 'NAME_UNKNOWN',
    message: /rules\[1\].match is "conv\*"/,
  },
  'groups of integer layers': {
    recipe: { version: 1, rules: [{ weights: { granularity: 'group' } }] },
    code: 'OPTION_INVALID',
    message: /FULLY_CONNECTED #0: weights in groups/,
  },

  'an unknown option': { options: { label: [1] }, code: 'OPTION_INVALID', message: /"label" is unknown/ },
  'labels of another number': {
    options: { labels: [0, 1] },
    code: 'SHAPE_MISMATCH',
    message: /1 samples expected, 2/,
  },
  'a label that is no index': { options: { labels: [0.5] }, code: 'OPTION_INVALID', message: /labels\[0\]/ },
  'evaluate that is no function': { options: { evaluate: 1 }, code: 'OPTION_INVALID', message: /evaluate/ },
}

for (const [title, { code, message, ...given }] of Object.entries(REFUSED)) {
  test(title, async (t) => {
    const stages: string[] = []
    const { source = file, samples = [sample], recipe = 'int8', options = {} } = given
    const all = {
      onProgress: ({ stage }: { stage: string }) => stages.push(stage),
      ...(options as QuantizeOptions),
    }
    await t.throwsAsync(quantize(source, samples as Samples, recipe as Recipe, all), { code, message })
    t.false(stages.some((stage) => stage !== 'samples'))
  })
}

test('what the samples themselves throw', async (t) => {
  const broken = async function* () {
    yield sample
    throw new RangeError('no more')
  }
  await t.throwsAsync(quantize(file, broken(), 'int8'), { instanceOf: RangeError, message: 'no more' })
})

test('a float model that computes NaN', async (t) => {
  const both = encode(
    model([
      {
        tensors: { x: ROW, r: ROW, y: ROW },
        operators: [
          { type: 'SQRT', inputs: ['x'], outputs: ['r'] },
          { type: 'ADD', inputs: ['r', 'r'], outputs: ['y'] },
        ],
        inputs: ['x'],
        outputs: ['y'],
      },
    ]),
  )
  await t.throwsAsync(quantize(both, [sample], 'int8'), { code: 'NOT_FINITE', message: /NaN/ })
})

test('an abort, before and midway', async (t) => {
  const reason = new Error('enough')
  const signal = AbortSignal.abort(reason)
  t.is(await t.throwsAsync(quantize(file, [sample], 'int8', { signal })), reason)
  for (const stage of ['samples', 'collect', 'weights', 'measure']) {
    const control = new AbortController()
    const onProgress = (now: { stage: string }) => {
      if (now.stage === stage) control.abort(reason)
    }
    const options = { signal: control.signal, onProgress }
    t.is(await t.throwsAsync(quantize(file, [sample, sample], 'int8', options)), reason, stage)
  }
})
