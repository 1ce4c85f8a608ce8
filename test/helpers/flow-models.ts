// Models with control flow, and with shapes that a run decides. Tests know what each must give; fuzzers take them as seeds.

import type { ModelFile } from '#lib/model/model.js'
import { model, type OperatorSpec, type SubgraphSpec, type TensorSpec } from './model-builder.js'

export const int: TensorSpec = { dtype: 'int32', shape: [] }
export const bool: TensorSpec = { dtype: 'bool', shape: [] }
export const resource: TensorSpec = { dtype: 'resource', shape: [] }
export const real = (...shape: readonly number[]): TensorSpec => ({ dtype: 'float32', shape })
export const ints = (...shape: readonly number[]): TensorSpec => ({ dtype: 'int32', shape })
/** Of a shape that the file does not know. */
export const open = (spec: TensorSpec): TensorSpec => ({ ...spec, shapeSignature: spec.shape.map(() => -1) })
export const fixed = (spec: TensorSpec, ...data: readonly number[]): TensorSpec => ({ ...spec, data })

export const op = (
  type: string,
  inputs: readonly (string | null)[],
  outputs: readonly string[],
  options: OperatorSpec['options'] = {},
): OperatorSpec => ({ type, inputs, outputs, options })
export const loop = (ask: number, body: number, inputs: readonly string[], outputs: readonly string[]) =>
  op('WHILE', inputs, outputs, { condSubgraphIndex: ask, bodySubgraphIndex: body })
export const branch = (yes: number, no: number, inputs: readonly string[], outputs: readonly string[]) =>
  op('IF', inputs, outputs, { thenSubgraphIndex: yes, elseSubgraphIndex: no })
export const handle = (output: string, sharedName: string) =>
  op('VAR_HANDLE', [], [output], { container: '', sharedName })

/** i, n, sum -> whether i < n. */
const isBelow = (...rest: readonly (readonly [string, TensorSpec])[]): SubgraphSpec => ({
  tensors: { i: int, n: int, ...Object.fromEntries(rest), c: bool },
  operators: [op('LESS', ['i', 'n'], ['c'])],
  inputs: ['i', 'n', ...rest.map(([name]) => name)],
  outputs: ['c'],
})

/** n -> 0 + 1 + … + (n - 1), and n. */
export const sumTo: ModelFile = model([
  {
    tensors: { n: int, zero: fixed(int, 0), i2: int, n2: int, sum: int },
    operators: [loop(1, 2, ['zero', 'n', 'zero'], ['i2', 'n2', 'sum'])],
    inputs: ['n'],
    outputs: ['sum', 'n2'],
  },
  isBelow(['s', int]),
  {
    tensors: { i: int, n: int, s: int, one: fixed(int, 1), i2: int, s2: int },
    operators: [op('ADD', ['i', 's'], ['s2']), op('ADD', ['i', 'one'], ['i2'])],
    inputs: ['i', 'n', 's'],
    outputs: ['i2', 'n', 's2'],
  },
])

/** n -> the n-th and n+1-st number of Fibonacci: what is carried changes places. */
export const fibonacci: ModelFile = model([
  {
    tensors: { n: int, zero: fixed(int, 0), one: fixed(int, 1), i2: int, n2: int, a: int, b: int },
    operators: [loop(1, 2, ['zero', 'n', 'zero', 'one'], ['i2', 'n2', 'a', 'b'])],
    inputs: ['n'],
    outputs: ['a', 'b'],
  },
  isBelow(['a', int], ['b', int]),
  {
    tensors: { i: int, n: int, a: int, b: int, one: fixed(int, 1), i2: int, c: int },
    operators: [op('ADD', ['a', 'b'], ['c']), op('ADD', ['i', 'one'], ['i2'])],
    inputs: ['i', 'n', 'a', 'b'],
    outputs: ['i2', 'n', 'b', 'c'],
  },
])

/** n -> how many steps of Collatz's rule lead to 1: an IF in a WHILE. */
export const collatz: ModelFile = model([
  {
    tensors: { n: int, zero: fixed(int, 0), m: int, steps: int },
    operators: [loop(1, 2, ['n', 'zero'], ['m', 'steps'])],
    inputs: ['n'],
    outputs: ['steps'],
  },
  {
    tensors: { n: int, k: int, one: fixed(int, 1), c: bool },
    operators: [op('NOT_EQUAL', ['n', 'one'], ['c'])],
    inputs: ['n', 'k'],
    outputs: ['c'],
  },
  {
    tensors: {
      ...{ n: int, k: int, one: fixed(int, 1), two: fixed(int, 2), zero: fixed(int, 0) },
      ...{ rest: int, even: bool, m: int, k2: int },
    },
    operators: [
      op('FLOOR_MOD', ['n', 'two'], ['rest']),
      op('EQUAL', ['rest', 'zero'], ['even']),
      branch(3, 4, ['even', 'n'], ['m']),
      op('ADD', ['k', 'one'], ['k2']),
    ],
    inputs: ['n', 'k'],
    outputs: ['m', 'k2'],
  },
  {
    tensors: { n: int, two: fixed(int, 2), m: int },
    operators: [op('FLOOR_DIV', ['n', 'two'], ['m'])],
    inputs: ['n'],
    outputs: ['m'],
  },
  {
    tensors: { n: int, three: fixed(int, 3), one: fixed(int, 1), t: int, m: int },
    operators: [op('MUL', ['n', 'three'], ['t']), op('ADD', ['t', 'one'], ['m'])],
    inputs: ['n'],
    outputs: ['m'],
  },
])

/** c, x -> 2 x or the constant [7, 8, 9]. */
export const choice: ModelFile = model([
  {
    tensors: { c: bool, x: real(3), y: real(3) },
    operators: [branch(1, 2, ['c', 'x'], ['y'])],
    inputs: ['c', 'x'],
    outputs: ['y'],
  },
  {
    tensors: { x: real(3), y: real(3) },
    operators: [op('ADD', ['x', 'x'], ['y'])],
    inputs: ['x'],
    outputs: ['y'],
  },
  {
    tensors: { x: real(3), k: fixed(real(3), 7, 8, 9) },
    operators: [],
    inputs: ['x'],
    outputs: ['k'],
  },
])

/** c, x -> x + x, or x and x in a row: branches of other shapes; then -1 times that. */
export const shapedChoice: ModelFile = model([
  {
    tensors: { c: bool, x: real(3), y: open(real(1)), z: open(real(1)) },
    operators: [branch(1, 2, ['c', 'x'], ['y']), op('NEG', ['y'], ['z'])],
    inputs: ['c', 'x'],
    outputs: ['z', 'x'],
  },
  {
    tensors: { x: real(3), y: real(3) },
    operators: [op('ADD', ['x', 'x'], ['y'])],
    inputs: ['x'],
    outputs: ['y'],
  },
  {
    tensors: { x: real(3), y: real(6) },
    operators: [op('CONCATENATION', ['x', 'x'], ['y'], { axis: 0 })],
    inputs: ['x'],
    outputs: ['y'],
  },
])

/** n -> 0, 1, …, n - 1, one more in each pass. */
export const growing: ModelFile = model([
  {
    tensors: { n: int, zero: fixed(int, 0), none: fixed(ints(0)), i2: int, n2: int, list: open(ints(1)) },
    operators: [loop(1, 2, ['zero', 'n', 'none'], ['i2', 'n2', 'list'])],
    inputs: ['n'],
    outputs: ['list'],
  },
  isBelow(['l', open(ints(0))]),
  {
    tensors: {
      ...{ i: int, n: int, l: open(ints(0)), one: fixed(int, 1), shape: fixed(ints(1), 1) },
      ...{ i2: int, row: ints(1), l2: open(ints(1)) },
    },
    operators: [
      op('RESHAPE', ['i', 'shape'], ['row'], { newShape: [1] }),
      op('CONCATENATION', ['l', 'row'], ['l2'], { axis: 0 }),
      op('ADD', ['i', 'one'], ['i2']),
    ],
    inputs: ['i', 'n', 'l'],
    outputs: ['i2', 'n', 'l2'],
  },
])

/** x -> those above 0, twice, and where they are. */
export const positives: ModelFile = model([
  {
    tensors: {
      ...{ x: open(real(6)), zero: fixed(real(), 0), m: { dtype: 'bool', shape: [6] } },
      ...{
        at: { dtype: 'int64', shape: [1, 1], shapeSignature: [-1, 1] },
        y: open(real(1)),
        z: open(real(1)),
      },
    },
    operators: [
      op('GREATER', ['x', 'zero'], ['m']),
      op('WHERE', ['m'], ['at']),
      op('GATHER_ND', ['x', 'at'], ['y']),
      op('ADD', ['y', 'y'], ['z']),
    ],
    inputs: ['x'],
    outputs: ['z', 'at'],
  },
])

/** list -> its different elements, and which each is. */
export const different = (dtype: 'int32' | 'float32', places: 'int32' | 'int64'): ModelFile =>
  model([
    {
      tensors: {
        x: open({ dtype, shape: [7] }),
        y: open({ dtype, shape: [1] }),
        at: { dtype: places, shape: [7] },
      },
      operators: [op('UNIQUE', ['x'], ['y', 'at'], { idxOutType: places === 'int32' ? 2 : 4 })],
      inputs: ['x'],
      outputs: ['y', 'at'],
    },
  ])

/** boxes, scores, how many -> NON_MAX_SUPPRESSION_V4, or V5 with this sigma. */
export const boxes = (count: number, overlap: number, least: number, sigma?: number): ModelFile =>
  model([
    {
      tensors: {
        ...{ boxes: real(count, 4), scores: real(count), most: int },
        ...{ overlap: fixed(real(), overlap), least: fixed(real(), least), sigma: fixed(real(), sigma ?? 0) },
        ...{ picked: open(ints(1)), kept: open(real(1)), found: int },
      },
      operators: [
        sigma === undefined
          ? op('NON_MAX_SUPPRESSION_V4', ['boxes', 'scores', 'most', 'overlap', 'least'], ['picked', 'found'])
          : op(
              'NON_MAX_SUPPRESSION_V5',
              ['boxes', 'scores', 'most', 'overlap', 'least', 'sigma'],
              ['picked', 'kept', 'found'],
            ),
      ],
      inputs: ['boxes', 'scores', 'most'],
      outputs: sigma === undefined ? ['picked', 'found'] : ['picked', 'kept', 'found'],
    },
  ])

/** x and integers of this shape -> the operator with the integers as the operand that decides its shape. */
export const shaped = (
  type: string,
  x: TensorSpec,
  sizes: readonly TensorSpec[],
  result: TensorSpec,
  options: OperatorSpec['options'] = {},
  order: (x: string, sizes: readonly string[]) => readonly (string | null)[] = (input, rest) => [
    input,
    ...rest,
  ],
): ModelFile => {
  const names = sizes.map((_, i) => `size${i}`)
  return model([
    {
      tensors: {
        x,
        ...Object.fromEntries(names.map((name, i) => [name, sizes[i] as TensorSpec])),
        y: open(result),
      },
      operators: [op(type, order('x', names), ['y'], options)],
      inputs: ['x', ...names.filter((_, i) => sizes[i]?.data === undefined)],
      outputs: ['y'],
    },
  ])
}

/** n -> the variable "total" after n times + 2: state that a loop changes. */
export const counting: ModelFile = model([
  {
    tensors: { h: resource, n: int, zero: fixed(int, 0), i2: int, n2: int, total: int },
    operators: [
      handle('h', 'total'),
      loop(1, 2, ['zero', 'n'], ['i2', 'n2']),
      op('READ_VARIABLE', ['h'], ['total']),
    ],
    inputs: ['n'],
    outputs: ['total'],
  },
  isBelow(),
  {
    tensors: {
      h: resource,
      i: int,
      n: int,
      one: fixed(int, 1),
      two: fixed(int, 2),
      i2: int,
      old: int,
      new: int,
    },
    operators: [
      handle('h', 'total'),
      op('READ_VARIABLE', ['h'], ['old']),
      op('ADD', ['old', 'two'], ['new']),
      op('ASSIGN_VARIABLE', ['h', 'new'], []),
      op('ADD', ['i', 'one'], ['i2']),
    ],
    inputs: ['i', 'n'],
    outputs: ['i2', 'n'],
  },
])

/** The same, the handle being carried through the loop. */
export const countingByHandle: ModelFile = model([
  {
    tensors: { h: resource, h2: resource, n: int, zero: fixed(int, 0), i2: int, n2: int, total: int },
    operators: [
      handle('h', 'total'),
      loop(1, 2, ['zero', 'h', 'n'], ['i2', 'h2', 'n2']),
      op('READ_VARIABLE', ['h2'], ['total']),
    ],
    inputs: ['n'],
    outputs: ['total'],
  },
  {
    tensors: { i: int, h: resource, n: int, c: bool },
    operators: [op('LESS', ['i', 'n'], ['c'])],
    inputs: ['i', 'h', 'n'],
    outputs: ['c'],
  },
  {
    tensors: {
      h: resource,
      i: int,
      n: int,
      one: fixed(int, 1),
      two: fixed(int, 2),
      i2: int,
      old: int,
      new: int,
    },
    operators: [
      op('READ_VARIABLE', ['h'], ['old']),
      op('ADD', ['old', 'two'], ['new']),
      op('ASSIGN_VARIABLE', ['h', 'new'], []),
      op('ADD', ['i', 'one'], ['i2']),
    ],
    inputs: ['i', 'h', 'n'],
    outputs: ['i2', 'h', 'n'],
  },
])

/** Signature "add": x -> nothing but total += x; signature "total": -> total. Both begin with total = 100. */
export const twoSignatures: ModelFile = model(
  [
    {
      tensors: { h: resource, x: int, old: int, new: int },
      operators: [
        op('CALL_ONCE', [], [], { initSubgraphIndex: 2 }),
        handle('h', 'total'),
        op('READ_VARIABLE', ['h'], ['old']),
        op('ADD', ['old', 'x'], ['new']),
        op('ASSIGN_VARIABLE', ['h', 'new'], []),
      ],
      inputs: ['x'],
      outputs: ['new'],
    },
    {
      tensors: { h: resource, total: int },
      operators: [
        op('CALL_ONCE', [], [], { initSubgraphIndex: 2 }),
        handle('h', 'total'),
        op('READ_VARIABLE', ['h'], ['total']),
      ],
      inputs: [],
      outputs: ['total'],
    },
    {
      tensors: { h: resource, k: fixed(int, 100) },
      operators: [handle('h', 'total'), op('ASSIGN_VARIABLE', ['h', 'k'], [])],
      inputs: [],
      outputs: [],
    },
  ],
  {
    signatures: [
      {
        name: 'add',
        subgraph: 0,
        inputs: [{ name: 'x', tensor: 1 }],
        outputs: [{ name: 'new', tensor: 3 }],
      },
      { name: 'total', subgraph: 1, inputs: [], outputs: [{ name: 'total', tensor: 1 }] },
    ],
  },
)

/** x -> itself, after a loop that never ends; with `type` in its body. */
export const endless = (type?: string): ModelFile =>
  model([
    {
      tensors: { x: real(2), y: real(2) },
      operators: [loop(1, 2, ['x'], ['y'])],
      inputs: ['x'],
      outputs: ['y'],
    },
    { tensors: { x: real(2), yes: fixed(bool, 1) }, operators: [], inputs: ['x'], outputs: ['yes'] },
    type === undefined
      ? { tensors: { x: real(2) }, operators: [], inputs: ['x'], outputs: ['x'] }
      : {
          tensors: { x: real(2), y: real(2) },
          operators: [op(type, type === 'ADD' ? ['x', 'x'] : ['x'], ['y'])],
          inputs: ['x'],
          outputs: ['y'],
        },
  ])

/** For fuzzers: one of each. */
export const FLOW_MODELS: Readonly<Record<string, ModelFile>> = {
  sumTo,
  fibonacci,
  collatz,
  choice,
  shapedChoice,
  growing,
  positives,
  different: different('int32', 'int64'),
  boxes: boxes(5, 0.5, 0.1),
  softBoxes: boxes(5, 0.5, 0.1, 0.5),
  reshape: shaped('RESHAPE', real(6), [ints(2)], real(1, 1)),
  counting,
  countingByHandle,
  twoSignatures,
  endless: endless('ADD'),
}
