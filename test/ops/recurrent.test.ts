// LSTMs and plain recurrent layers in all their variants, against a plain reading of their formulas in double precision;
// int8 LSTMs with layer normalisation against outputs of the reference.

import test from 'ava'
import { loadModel, type Tensor } from '#lib/index.js'
import type { TypedArray } from '#lib/tensor/dtype.js'
import { oneOperatorFile, type TensorSpec } from '../helpers/model-builder.js'

const BATCH = 2
const TIMES = 3
const INPUTS = 5
const CELLS = 7

const numbers = (count: number, seed: number, scale: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.fround(Math.sin(seed + 1.7 * i + 0.1 * seed * i) * scale))
const elements = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)
const real = (shape: readonly number[], seed: number, scale = 0.6): TensorSpec => ({
  dtype: 'float32',
  shape,
  data: numbers(elements(shape), seed, scale),
})
const state = (shape: readonly number[]): TensorSpec => ({ dtype: 'float32', shape, isVariable: true })
const dataOf = (tensor: TensorSpec | null | undefined) => tensor?.data as readonly number[] | undefined

type Activation = 0 | 1 | 2 | 3 | 4
const ACTIVATIONS: readonly ((x: number) => number)[] = [
  (x) => x,
  (x) => Math.max(0, x),
  (x) => Math.min(1, Math.max(-1, x)),
  (x) => Math.min(6, Math.max(0, x)),
  Math.tanh,
]
const logistic = (x: number) => 1 / (1 + Math.exp(-x))
const times = (matrix: readonly number[], vector: readonly number[]): number[] =>
  Array.from({ length: matrix.length / vector.length }, (_, row) =>
    vector.reduce((sum, x, i) => sum + x * (matrix[row * vector.length + i] as number), 0),
  )

interface Form {
  readonly cifg?: true
  readonly peephole?: true
  readonly projection?: 'plain' | 'bias'
  readonly norm?: true
  readonly clip?: number
}

/** The 24 operands of a direction, behind the input; null for absent ones. */
function lstmOperands(form: Form, seed: number): readonly (TensorSpec | null)[] {
  const outputs = form.projection ? 4 : CELLS
  const gate = (i: number, tensor: TensorSpec) => (i === 0 && form.cifg ? null : tensor)
  const gates = (shape: readonly number[], from: number, scale?: number) =>
    [0, 1, 2, 3].map((i) => gate(i, real(shape, seed + from + i, scale)))
  return [
    ...gates([CELLS, INPUTS], 0),
    ...gates([CELLS, outputs], 4),
    ...[0, 1, 3].map((i) => (form.peephole ? gate(i, real([CELLS], seed + 8 + i)) : null)),
    ...gates([CELLS], 12),
    form.projection ? real([outputs, CELLS], seed + 16) : null,
    form.projection === 'bias' ? real([outputs], seed + 17) : null,
    state([BATCH, outputs]),
    state([BATCH, CELLS]),
    ...(form.norm ? gates([CELLS], 20, 1) : [null, null, null, null]),
  ]
}

/** One sequence of one batch through an LSTM, from a state that it changes. */
function lstmReference(
  operands: readonly (TensorSpec | null)[],
  clip: number,
  kept: { output: number[]; cells: number[] },
  sequence: readonly (readonly number[])[],
): number[][] {
  const data = operands.map(dataOf)
  const clamp = (x: number) => (clip > 0 ? Math.min(clip, Math.max(-clip, x)) : x)
  const sumsOf = (gate: number, x: readonly number[]) => {
    const [w, r] = [times(data[gate] as number[], x), times(data[4 + gate] as number[], kept.output)]
    const peephole = gate === 2 ? undefined : data[8 + (gate === 3 ? 2 : gate)]
    const sums = w.map((sum, i) => sum + (r[i] as number) + (peephole?.[i] ?? 0) * (kept.cells[i] as number))
    const [bias, norm] = [data[11 + gate] as readonly number[], data[19 + gate]]
    if (norm === undefined) return sums.map((sum, i) => sum + (bias[i] as number))
    const mean = sums.reduce((a, b) => a + b) / sums.length
    const variance = sums.reduce((a, b) => a + (b - mean) ** 2, 0) / sums.length
    return sums.map(
      (sum, i) => ((sum - mean) / Math.sqrt(variance + 1e-8)) * (norm[i] as number) + (bias[i] as number),
    )
  }
  return sequence.map((x) => {
    const forget = sumsOf(1, x).map(logistic)
    const add = operands[0] === null ? forget.map((f) => 1 - f) : sumsOf(0, x).map(logistic)
    const fresh = sumsOf(2, x).map(Math.tanh)
    kept.cells = kept.cells.map((c, i) =>
      clamp(c * (forget[i] as number) + (fresh[i] as number) * (add[i] as number)),
    )
    const hidden = sumsOf(3, x).map((o, i) => logistic(o) * Math.tanh(kept.cells[i] as number))
    const [projection, bias] = [data[15], data[16]]
    kept.output =
      projection === undefined ? hidden : times(projection, hidden).map((y, i) => clamp(y + (bias?.[i] ?? 0)))
    return kept.output
  })
}

/** Rows of [batch, time, n] or [time, batch, n] of one batch, in time. */
const rowsOf = (x: readonly number[], batch: number, timeMajor: boolean, width: number) =>
  Array.from({ length: TIMES }, (_, time) => {
    const row = timeMajor ? time * BATCH + batch : batch * TIMES + time
    return x.slice(row * width, (row + 1) * width)
  })

type Direction = (batch: number, sequence: readonly (readonly number[])[]) => readonly (readonly number[])[]

/** What an operator gives for x: each direction's rows, the backward ones in reverse, side by side. */
function outputsOf(x: readonly number[], timeMajor: boolean, directions: readonly Direction[]): number[] {
  const lead = timeMajor ? [TIMES, BATCH] : [BATCH, TIMES]
  const rows: number[][] = Array.from({ length: elements(lead) }, () => [])
  for (let batch = 0; batch < BATCH; batch++) {
    const sequence = rowsOf(x, batch, timeMajor, INPUTS)
    for (const [way, direction] of directions.entries()) {
      const ordered = way === 0 ? sequence : sequence.toReversed()
      const results = direction(batch, ordered)
      for (let time = 0; time < TIMES; time++) {
        const result = results[way === 0 ? time : TIMES - 1 - time] as readonly number[]
        rows[timeMajor ? time * BATCH + batch : batch * TIMES + time]?.push(...result)
      }
    }
  }
  return rows.flat()
}

/** Two runs of a file, the state kept between them, each close to what `expected` says. */
async function checkRuns(
  t: import('ava').ExecutionContext,
  file: Uint8Array,
  shape: readonly number[],
  expected: (x: readonly number[]) => readonly number[],
): Promise<void> {
  const model = await loadModel(file, { threads: 1 })
  for (const seed of [3, 4]) {
    const x = numbers(elements(shape), seed, 1.5)
    const [result] = await model.run([Float32Array.from(x)])
    const wanted = expected(x)
    // Each gate sums at most 13 products below 1; what is kept passes through 6 moments.
    const bound = 6 * 64 * 2 ** -24
    const actual = result?.data as Float32Array
    t.is(actual.length, wanted.length)
    const worst = wanted.reduce((most, y, i) => Math.max(most, Math.abs(y - (actual[i] as number))), 0)
    t.true(worst <= bound, `${worst} off`)
    t.true(new Set(actual).size > actual.length / 3, 'results that say something')
  }
  model.dispose()
}

const FORMS: readonly Form[] = [
  {},
  { cifg: true },
  { peephole: true, clip: 0.4 },
  { projection: 'plain', clip: 0.3 },
  { cifg: true, peephole: true, projection: 'bias' },
  { norm: true },
  { norm: true, cifg: true, peephole: true },
  { norm: true, projection: 'bias', clip: 0.5 },
]
const kept = (outputs: number) =>
  Array.from({ length: BATCH }, () => ({
    output: new Array<number>(outputs).fill(0),
    cells: new Array<number>(CELLS).fill(0),
  }))
const options = (form: Form) => ({
  fusedActivationFunction: 4,
  cellClip: form.clip ?? 0,
  projClip: form.clip ?? 0,
})

for (const form of FORMS) {
  const outputs = form.projection ? 4 : CELLS
  const clip = Math.fround(form.clip ?? 0)
  for (const timeMajor of [false, true]) {
    const lead = timeMajor ? [TIMES, BATCH] : [BATCH, TIMES]
    const input: TensorSpec = { dtype: 'float32', shape: [...lead, INPUTS] }
    test(`UNIDIRECTIONAL_SEQUENCE_LSTM ${JSON.stringify(form)}${timeMajor ? ', time first' : ''}`, async (t) => {
      const operands = lstmOperands(form, 1)
      const file = oneOperatorFile({
        type: 'UNIDIRECTIONAL_SEQUENCE_LSTM',
        inputs: [input, ...operands],
        outputs: [{ dtype: 'float32', shape: [...lead, outputs] }],
        options: { ...options(form), timeMajor },
      })
      const states = kept(outputs)
      const way: Direction = (batch, rows) =>
        lstmReference(operands, clip, states[batch] as (typeof states)[0], rows)
      await checkRuns(t, file, input.shape, (x) => outputsOf(x, timeMajor, [way]))
    })
    if (form.norm) continue
    test(`BIDIRECTIONAL_SEQUENCE_LSTM ${JSON.stringify(form)}${timeMajor ? ', time first' : ''}`, async (t) => {
      const [forward, backward] = [lstmOperands(form, 1), lstmOperands(form, 40)]
      const file = oneOperatorFile({
        type: 'BIDIRECTIONAL_SEQUENCE_LSTM',
        inputs: [
          input,
          ...forward.slice(0, 17),
          ...backward.slice(0, 17),
          ...forward.slice(17, 19),
          ...backward.slice(17, 19),
          ...new Array(9).fill(null),
        ],
        outputs: [{ dtype: 'float32', shape: [...lead, 2 * outputs] }],
        options: { ...options(form), timeMajor, mergeOutputs: true },
      })
      const states = [kept(outputs), kept(outputs)] as const
      const ways = [forward, backward].map(
        (operands, i): Direction =>
          (batch, rows) =>
            lstmReference(operands, clip, states[i]?.[batch] as (typeof states)[0][0], rows),
      )
      await checkRuns(t, file, input.shape, (x) => outputsOf(x, timeMajor, ways))
    })
  }
  test(`LSTM of one moment ${JSON.stringify(form)}`, async (t) => {
    const operands = lstmOperands(form, 1)
    const file = oneOperatorFile({
      type: 'LSTM',
      inputs: [{ dtype: 'float32', shape: [BATCH, INPUTS] }, ...operands],
      outputs: [{ dtype: 'float32', shape: [BATCH, outputs] }],
      options: options(form),
    })
    const states = kept(outputs)
    await checkRuns(t, file, [BATCH, INPUTS], (x) =>
      states.flatMap((one, batch) =>
        lstmReference(operands, clip, one, [x.slice(batch * INPUTS, (batch + 1) * INPUTS)]).flat(),
      ),
    )
  })
}

/** Codes of a row, read as real numbers again: symmetric, or asymmetric with 0 among them. */
function coded(row: readonly number[], asymmetric: boolean): readonly number[] {
  const away = (x: number) => Math.sign(x) * Math.floor(Math.abs(x) + 0.5)
  if (!asymmetric) {
    const most = Math.max(...row.map(Math.abs))
    return most === 0 ? row : row.map((x) => (away(Math.fround(x * (127 / most))) * most) / 127)
  }
  const [low, high] = [Math.min(0, ...row), Math.max(0, ...row)]
  if (low === high) return row
  const scale = (high - low) / 255
  const zero = away(-128 - low / scale)
  return row.map((x) => (Math.min(127, Math.max(-128, zero + away(x / scale))) - zero) * scale)
}

type Weights = 'float32' | 'int8' | 'asymmetric'

/** Weights, recurrent weights, bias and state of a plain layer. */
function layer(units: number, weights: Weights, seed: number): readonly TensorSpec[] {
  const matrix = (shape: readonly number[], from: number): TensorSpec =>
    weights === 'float32'
      ? real(shape, seed + from, 0.3)
      : {
          dtype: 'int8',
          shape,
          scale: 1 / 400,
          data: numbers(elements(shape), seed + from, 127).map(Math.round),
        }
  return [
    matrix([units, INPUTS], 0),
    matrix([units, units], 1),
    real([units], seed + 2),
    state([BATCH, units]),
  ]
}

function rnnReference(
  operands: readonly TensorSpec[],
  activation: Activation,
  weights: Weights,
  states: number[][],
): Direction {
  const scale = weights === 'float32' ? 1 : Math.fround(1 / 400)
  const [w, r] = [dataOf(operands[0]), dataOf(operands[1])].map((m) => (m ?? []).map((x) => x * scale))
  const bias = dataOf(operands[2]) as readonly number[]
  const given = (row: readonly number[]) =>
    weights === 'float32' ? row : coded(row, weights === 'asymmetric')
  return (batch, rows) =>
    rows.map((x) => {
      const fromState = times(r as number[], given(states[batch] as number[]))
      const sums = times(w as number[], given(x)).map(
        (sum, i) => sum + (fromState[i] as number) + (bias[i] as number),
      )
      // float32 as it is kept, so that the next moment finds the same codes.
      states[batch] = sums.map((sum) => Math.fround((ACTIVATIONS[activation] as (x: number) => number)(sum)))
      return states[batch] as number[]
    })
}

const zeros = (units: number) => Array.from({ length: BATCH }, () => new Array<number>(units).fill(0))

for (const weights of ['float32', 'int8', 'asymmetric'] as const) {
  // A state cut off at 1 and -1 lies in the middle between two codes with a zero point.
  for (const activation of weights === 'asymmetric' ? ([0, 3, 4] as const) : ([2, 3, 4] as const)) {
    const some = { fusedActivationFunction: activation, asymmetricQuantizeInputs: weights === 'asymmetric' }
    const title = `of ${weights} weights, activation ${activation}`
    test(`RNN ${title}`, async (t) => {
      const operands = layer(6, weights, 2)
      const file = oneOperatorFile({
        type: 'RNN',
        inputs: [{ dtype: 'float32', shape: [BATCH, INPUTS] }, ...operands],
        outputs: [{ dtype: 'float32', shape: [BATCH, 6] }],
        options: some,
      })
      const way = rnnReference(operands, activation, weights, zeros(6))
      await checkRuns(t, file, [BATCH, INPUTS], (x) =>
        [0, 1].flatMap((batch) => way(batch, [x.slice(batch * INPUTS, (batch + 1) * INPUTS)]).flat()),
      )
    })
    for (const timeMajor of [false, true]) {
      const lead = timeMajor ? [TIMES, BATCH] : [BATCH, TIMES]
      const input: TensorSpec = { dtype: 'float32', shape: [...lead, INPUTS] }
      const order = timeMajor ? ', time first' : ''
      test(`UNIDIRECTIONAL_SEQUENCE_RNN ${title}${order}`, async (t) => {
        const operands = layer(6, weights, 2)
        const file = oneOperatorFile({
          type: 'UNIDIRECTIONAL_SEQUENCE_RNN',
          inputs: [input, ...operands],
          outputs: [{ dtype: 'float32', shape: [...lead, 6] }],
          options: { ...some, timeMajor },
        })
        const way = rnnReference(operands, activation, weights, zeros(6))
        await checkRuns(t, file, input.shape, (x) => outputsOf(x, timeMajor, [way]))
      })
      test(`BIDIRECTIONAL_SEQUENCE_RNN ${title}${order}`, async (t) => {
        const [forward, backward] = [layer(6, weights, 2), layer(4, weights, 9)]
        const file = oneOperatorFile({
          type: 'BIDIRECTIONAL_SEQUENCE_RNN',
          inputs: [input, ...forward, ...backward, null, null, null],
          outputs: [{ dtype: 'float32', shape: [...lead, 10] }],
          options: { ...some, timeMajor, mergeOutputs: true },
        })
        const ways = [
          rnnReference(forward, activation, weights, zeros(6)),
          rnnReference(backward, activation, weights, zeros(4)),
        ]
        await checkRuns(t, file, input.shape, (x) => outputsOf(x, timeMajor, ways))
      })
    }
  }
}

/** An int8 LSTM with layer normalisation; the same numbers on every machine. */
function integerFile(cifg: boolean, projected: boolean): Uint8Array {
  const outputs = projected ? 3 : CELLS
  const whole = (count: number, seed: number, most: number) =>
    Array.from({ length: count }, (_, i) => ((seed * 7919 + i * 104729) % (2 * most + 1)) - most)
  const matrix = (rows: number, cols: number, seed: number): TensorSpec => ({
    dtype: 'int8',
    shape: [rows, cols],
    scale: 1 / 200 + seed / 8192,
    data: whole(rows * cols, seed, 127),
  })
  const vector = (dtype: 'int16' | 'int32', seed: number, most: number): TensorSpec => ({
    dtype,
    shape: [CELLS],
    scale: 0.5 / 32768,
    data: whole(CELLS, seed, most),
  })
  const gate = (i: number, tensor: TensorSpec) => (i === 0 && cifg ? null : tensor)
  const codes = (shape: readonly number[]): TensorSpec => ({
    dtype: 'int8',
    shape,
    scale: 1 / 64,
    zeroPoint: -4,
  })
  const gates = [0, 1, 2, 3]
  return oneOperatorFile({
    type: 'UNIDIRECTIONAL_SEQUENCE_LSTM',
    inputs: [
      { dtype: 'int8', shape: [BATCH, TIMES, INPUTS], scale: 1 / 50, zeroPoint: 3 },
      ...gates.map((i) => gate(i, matrix(CELLS, INPUTS, 1 + i))),
      ...gates.map((i) => gate(i, matrix(CELLS, outputs, 5 + i))),
      ...[null, null, null],
      ...gates.map((i) => gate(i, vector('int32', 12 + i, 3_000_000))),
      projected ? matrix(outputs, CELLS, 16) : null,
      null,
      { ...codes([BATCH, outputs]), isVariable: true },
      { dtype: 'int16', shape: [BATCH, CELLS], scale: 2 ** -11, isVariable: true },
      ...gates.map((i) => gate(i, vector('int16', 20 + i, 32767))),
    ],
    outputs: [codes([BATCH, TIMES, outputs])],
    intermediates: [
      ...gates.map((i): TensorSpec => ({ dtype: 'int16', shape: [], scale: (1 + i / 8) / 1024 })),
      { dtype: 'int8', shape: [], scale: 1 / 120, zeroPoint: 5 },
    ],
    options: { fusedActivationFunction: 4, cellClip: projected ? 0.5 : 0, projClip: 0, timeMajor: false },
  })
}

const INTEGER_INPUTS = [0, 1].map((seed) =>
  Int8Array.from({ length: BATCH * TIMES * INPUTS }, (_, i) => ((seed * 31 + i * 57) % 255) - 127),
) as readonly TypedArray[]

/** Outputs of two runs by LiteRT 2.3.0's reference kernels. */
const INTEGER_OUTPUTS: readonly (readonly [cifg: boolean, projected: boolean, ...outputs: string[]])[] = [
  [
    false,
    false,
    '9 3 15 4 23 4 12 0 4 -5 3 -1 4 -3 -6 4 -15 3 -9 3 -11 6 11 8 5 -9 0 -3 7 15 13 6 -15 -3 -6 3 10 30 5 6 -1 -10',
    '-8 4 -19 3 -12 3 -16 -9 4 -19 3 -13 3 -18 -2 11 -5 4 -18 -1 -13 6 15 23 5 -7 -4 -9 2 17 35 4 7 -2 -13 5 20 30 2 21 0 2',
  ],
  [
    true,
    false,
    '9 4 13 4 19 4 16 0 3 -8 3 -7 4 3 -6 3 -19 3 -16 3 -5 6 10 8 5 -6 0 -6 7 14 12 6 -11 -2 -10 1 14 26 5 5 0 -16',
    '-9 2 -23 3 -19 3 -9 -10 2 -24 3 -20 2 -12 -2 9 -7 4 -20 -1 -13 4 17 20 5 -5 -3 -13 -2 22 28 3 -1 0 -15 3 19 29 2 11 0 3',
  ],
  [
    false,
    true,
    '-5 -7 -4 -3 0 -4 -1 4 -5 -3 -1 -7 -2 -1 -9 -6 -2 -7',
    '0 7 -6 0 7 -7 -1 4 -8 -4 -2 -9 -7 -2 -8 -7 -8 -8',
  ],
]
for (const [cifg, projected, ...outputs] of INTEGER_OUTPUTS) {
  test(`an int8 LSTM with layer normalisation, CIFG ${cifg}, projection ${projected}`, async (t) => {
    const model = await loadModel(integerFile(cifg, projected))
    for (const [i, expected] of outputs.entries()) {
      const [result] = await model.run([INTEGER_INPUTS[i] as TypedArray])
      t.is([...((result as Tensor).data as Int8Array)].join(' '), expected)
    }
    model.dispose()
  })
}
