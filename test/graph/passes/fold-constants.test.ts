import test from 'ava'
import { encode } from '#lib/format/tflite/encode.js'
import { build } from '#lib/graph/build.js'
import type { Graph } from '#lib/graph/graph.js'
import { foldConstants } from '#lib/graph/passes/fold-constants.js'
import { problemOf } from '#lib/graph/verify.js'
import { loadModel } from '#lib/index.js'
import { loadBinding } from '#lib/native/load.js'
import { OPS_BY_TYPE } from '#lib/ops/registry.js'
import { model, type SubgraphSpec } from '../../helpers/model-builder.js'
import { random } from '../../helpers/random.js'
import { randomInputs, runGraph } from '../../helpers/run-graph.js'

const SHAPE = [2, 3]
const CODES = [-128, -1, 0, 1, 100, 127]
const codes = { dtype: 'int8', shape: SHAPE, scale: 0.25, zeroPoint: -3 } as const
const real = { dtype: 'float32', shape: SHAPE } as const

/** Constant codes -> DEQUANTIZE -> RESHAPE; input + that. */
const spec: SubgraphSpec = {
  tensors: {
    x: { dtype: 'float32', shape: [3, 2] },
    c: { ...codes, data: CODES },
    d: real,
    s: { dtype: 'int32', shape: [2], data: Int32Array.of(3, 2) },
    r: { dtype: 'float32', shape: [3, 2] },
    y: { dtype: 'float32', shape: [3, 2] },
  },
  operators: [
    { type: 'DEQUANTIZE', inputs: ['c'], outputs: ['d'] },
    { type: 'RESHAPE', inputs: ['d', 's'], outputs: ['r'], options: { newShape: [3, 2] } },
    { type: 'ADD', inputs: ['x', 'r'], outputs: ['y'], options: { fusedActivationFunction: 0 } },
  ],
  inputs: ['x'],
  outputs: ['y'],
}
const graph = build(model([spec]), OPS_BY_TYPE)
const fold = foldConstants((constants: Graph) => runGraph(constants, []), 1000)

test('what depends on constants alone becomes a constant', (t) => {
  const after = fold(graph)
  t.is(problemOf(after), undefined)
  t.deepEqual(
    after.nodes.map(({ op }) => op),
    ['add'],
  )
  const folded = after.values.find(({ name }) => name === 'r')?.data ?? new Uint8Array(0)
  t.deepEqual(
    [...new Float32Array(folded.slice().buffer)],
    CODES.map((code) => 0.25 * (code + 3)),
  )
  t.is(
    after.values.find(({ name }) => name === 'd')?.data,
    undefined,
    'values that nothing reads are not kept',
  )
})

test('bits stay', (t) => {
  const after = fold(graph)
  for (let seed = 0; seed < 20; seed++) {
    const inputs = randomInputs(graph, random(seed))
    t.deepEqual(runGraph(after, inputs), runGraph(graph, inputs))
  }
})

test('outputs of the model can be folded', async (t) => {
  const bytes = encode(model([{ ...spec, outputs: ['y', 'r'] }]))
  const loaded = await loadModel(bytes)
  const outputs = loaded.runSync([new Float32Array(6)])
  t.deepEqual(outputs[0]?.data, outputs[1]?.data)
  t.is(loaded.memory.weightBytes, 6 + 8)
})

test('a graph that would need too much, or has nothing to fold, stays', (t) => {
  const small = foldConstants((constants) => runGraph(constants, []), 23)
  t.is(small(graph), graph)
  const after = fold(graph)
  t.is(fold(after), after)
})

test.serial('LOWBIT_ISA caps the kernels that fold, too', async (t) => {
  const binding = loadBinding()
  const { createProgram } = binding
  const levels: (string | undefined)[] = []
  binding.createProgram = (program, constants, options) => {
    levels.push(options.isa)
    return createProgram(program, constants, options)
  }
  const before = process.env['LOWBIT_ISA']
  process.env['LOWBIT_ISA'] = 'scalar'
  try {
    await loadModel(encode(model([spec])))
  } finally {
    binding.createProgram = createProgram
    if (before === undefined) delete process.env['LOWBIT_ISA']
    else process.env['LOWBIT_ISA'] = before
  }
  t.deepEqual(levels, ['scalar', 'scalar'])
})
