// Layers that take Winograd convolutions: the whole step on odd shapes, against scalar's direct convolution; when layers
// take them, and how much memory they may take for it.

import test from 'ava'
import { createLayerProgram } from '#lib/bare/kernels.js'
import { convLayer, type Layer } from '#lib/bare/layers.js'
import { decode } from '#lib/format/tflite/decode.js'
import { encode } from '#lib/format/tflite/encode.js'
import { loadModel } from '#lib/index.js'
import { loadBinding } from '#lib/native/load.js'
import { randomIntegers } from '#lib/numerics/random.js'
import { compile, sourceOf } from '#lib/session/compile.js'
import type { MemoryPolicy } from '#lib/session/options.js'
import { model } from '../helpers/model-builder.js'

const ISAS = loadBinding()
  .cpu()
  .isas.filter((isa) => isa !== 'scalar')
const ALL = Number.MAX_SAFE_INTEGER

interface Shape {
  readonly batch: number
  readonly h: number
  readonly w: number
  readonly c: number
  readonly n: number
}

const codes = (seed: number, count: number, low: number) =>
  Int8Array.from(randomIntegers(seed, count, low, 127))

interface Values {
  readonly padding?: 'same' | 'valid'
  readonly zeroPoint?: number
  /** The weights, all alike; random ones when left out. */
  readonly weight?: number
}

function layerOf(
  { batch, h, w, c, n }: Shape,
  { padding = 'same', zeroPoint = 3, weight }: Values = {},
): Layer {
  const filter = codes(2, n * 9 * c, -127)
  return convLayer('conv2d', {
    input: codes(1, batch * h * w * c, -128),
    inputShape: [batch, h, w, c],
    filter: weight === undefined ? filter : filter.fill(weight),
    filterShape: [n, 3, 3, c],
    stride: 1,
    padding,
    inputZeroPoint: zeroPoint,
    bias: Int32Array.from(randomIntegers(3, n, -10_000, 10_000)),
    multiplier: Float64Array.from({ length: n }, (_, i) => (60 + i) / (74 * 74 * Math.sqrt(9 * c) * 3)),
    outZeroPoint: -7,
  })
}

function run(layer: Layer, isa: string, threads = 1): { kernel: string; out: Int8Array } {
  const out = new Int8Array(layer.outputShape.reduce((a, b) => a * b, 1))
  const program = createLayerProgram(layer, { isa, threads, packed: isa === 'scalar' ? 0 : ALL })
  program.run([layer.input], [out])
  const kernel = program.info().kernels[0] ?? ''
  program.dispose()
  return { kernel, out }
}

const SHAPES: readonly Shape[] = [
  { batch: 1, h: 4, w: 34, c: 64, n: 64 },
  { batch: 7, h: 4, w: 4, c: 32, n: 64 },
  { batch: 1, h: 14, w: 15, c: 65, n: 63 },
  { batch: 5, h: 7, w: 7, c: 64, n: 127 },
  { batch: 3, h: 23, w: 31, c: 48, n: 49 },
  { batch: 2, h: 10, w: 66, c: 130, n: 64 },
  { batch: 1, h: 4, w: 401, c: 64, n: 63 },
]

for (const isa of ISAS) {
  test(`${isa}: shapes and paddings, on any number of threads`, (t) => {
    for (const shape of SHAPES) {
      for (const padding of ['same', 'valid'] as const) {
        if (padding === 'valid' && Math.min(shape.h, shape.w) < 3) continue
        const layer = layerOf(shape, { padding, zeroPoint: padding === 'same' ? -128 : 127 })
        const title = `${isa} ${JSON.stringify(shape)} ${padding}`
        const { kernel, out } = run(layer, isa)
        if (padding === 'same') t.regex(kernel, /^winograd\./, title)
        t.deepEqual(out, run(layer, 'scalar').out, title)
        for (const threads of [2, 3])
          t.deepEqual(run(layer, isa, threads).out, out, `${title}, ${threads} threads`)
      }
    }
    t.log(`ISA ${isa} ran`)
  })

  test(`${isa}: weights beyond the condition take another kernel`, (t) => {
    const shape = { batch: 1, h: 12, w: 12, n: 64 }
    const fits = layerOf({ ...shape, c: 229 }, { weight: 127 })
    t.regex(run(fits, isa).kernel, /^winograd\.s8s8\.f4\./)
    for (const weight of [127, -127]) {
      const beyond = layerOf({ ...shape, c: 230 }, { weight })
      const { kernel, out } = run(beyond, isa)
      t.notRegex(kernel, /^winograd\.s8s8\.f4\./)
      t.deepEqual(out, run(beyond, 'scalar').out)
    }
  })
}

/** 3x3 convolutions of [image size, channels] each, side by side. */
function layersFile(
  layers: readonly (readonly [number, number])[],
  dtype: 'int8' | 'uint8' = 'int8',
): Uint8Array {
  const isUnsigned = dtype === 'uint8'
  const zeroPoint = isUnsigned ? 120 : -8
  const tensors = layers.flatMap(([size, c], i) => [
    [`x${i}`, { dtype, shape: [1, size, size, c], scale: 0.05, zeroPoint }],
    [
      `w${i}`,
      {
        dtype,
        shape: [c, 3, 3, c],
        data: [...codes(i, c * 9 * c, -127)].map((code) => (isUnsigned ? code + 128 : code)),
        scale: 0.002,
        zeroPoint: isUnsigned ? 131 : 0,
      },
    ],
    [
      `b${i}`,
      { dtype: 'int32', shape: [c], data: Int32Array.from(randomIntegers(i, c, -500, 500)), scale: 0.0001 },
    ],
    [`y${i}`, { dtype, shape: [1, size, size, c], scale: 0.05, zeroPoint }],
  ])
  const operators = layers.map((_, i) => ({
    type: 'CONV_2D',
    inputs: [`x${i}`, `w${i}`, `b${i}`],
    outputs: [`y${i}`],
    options: { padding: 0, strideW: 1, strideH: 1, fusedActivationFunction: 0 },
  }))
  const ends = (letter: string) => layers.map((_, i) => `${letter}${i}`)
  return encode(
    model([{ tensors: Object.fromEntries(tensors), operators, inputs: ends('x'), outputs: ends('y') }]),
  )
}

async function kernelsOf(file: Uint8Array, memory: MemoryPolicy) {
  const loaded = await loadModel(file, { memory, threads: 1 })
  const inputs = loaded.inputs.map(({ shape }) => new Int8Array(shape.reduce((a, b) => a * b, 1)))
  const kernels = (await loaded.profile(inputs, { runs: 1 })).map(({ kernel }) => kernel)
  const { packedBytes, weightBytes } = loaded.memory
  loaded.dispose()
  const tiles = kernels.map((kernel) => Number(/^winograd\.s8s8\.f(\d)/.exec(kernel)?.[1] ?? 0))
  return { packedBytes, weightBytes, tiles }
}

const hasWinograd = ISAS.length > 0 && process.env['LOWBIT_ISA'] !== 'scalar'

if (hasWinograd) {
  test('memory says how many layers take larger weights', async (t) => {
    // Alike in weights; the largest image gains most.
    const file = layersFile([
      [12, 64],
      [40, 64],
      [6, 64],
      [16, 64],
    ])
    const small = await kernelsOf(file, 'small')
    t.deepEqual(small.tiles, [0, 0, 0, 0])
    const fast = await kernelsOf(file, 'fast')
    t.deepEqual(fast.tiles, [4, 4, 4, 4])
    t.true(fast.packedBytes > 4 * fast.weightBytes)
    const balanced = await kernelsOf(file, 'balanced')
    t.true(balanced.packedBytes <= 4 * balanced.weightBytes)
    t.is(balanced.tiles[1], 4)
    t.notDeepEqual(balanced.tiles, fast.tiles)
  })

  test('a limit of memory leaves layers their smaller weights', async (t) => {
    const file = layersFile([[16, 128]])
    const small = await loadModel(file, { memory: 'small', threads: 1 })
    const { arenaBytes, scratchBytes, packedBytes } = small.memory
    small.dispose()
    const limits = { memory: arenaBytes + scratchBytes + packedBytes }
    const tight = await loadModel(file, { memory: 'fast', threads: 1, limits })
    t.deepEqual(tight.memory.packedBytes, packedBytes)
    tight.dispose()
  })
}

test('uint8 layers equal scalar', (t) => {
  const file = layersFile([[13, 48]], 'uint8')
  const outputs = ['scalar', ...ISAS].map((isa) => {
    const settings = {
      threads: 2,
      isa,
      memory: 'fast' as const,
      limits: { memory: 2 ** 31, steps: 9, passes: 9 },
    }
    const { program } = compile(sourceOf(decode(file), settings), { subgraph: 0 })
    const kernel = program.info().kernels[0] ?? ''
    t.is(kernel.startsWith('winograd.'), isa !== 'scalar', kernel)
    const output = new Uint8Array(13 * 13 * 48)
    program.run([Uint8Array.from(randomIntegers(9, output.length, 0, 255))], [output])
    program.dispose()
    return output
  })
  for (const [i, output] of outputs.entries()) t.deepEqual(output, outputs[0], ISAS[i - 1])
})
