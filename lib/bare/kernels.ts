// The bare kernels: one native step each, made from the arguments, run once on this thread.

import type { NativeProgram } from '../native/binding.js'
import { loadBinding } from '../native/load.js'
import type { Plan, PlannedTensor } from '../plan/plan.js'
import { encode } from '../program/encode.js'
import { loadSettings } from '../session/options.js'
import { elementCount, type Shape } from '../tensor/shape.js'
import {
  type Conv2dOptions,
  convLayer,
  type DepthwiseConv2dOptions,
  depthwiseLayer,
  type GemmOptions,
  gemmLayer,
  type Layer,
} from './layers.js'

/** What the processor has and what lowbit uses of it. */
export interface Cpu {
  /** Level of the kernels that run: the strongest one here, or what `LOWBIT_ISA` caps it to. */
  readonly isa: string
  /** All levels of this machine and build, weakest first. */
  readonly isas: readonly string[]
  /** Bytes of data cache that one core can use; 0 where unknown. */
  readonly caches: { readonly l1: number; readonly l2: number; readonly l3: number }
  /** How many threads work on a run by default. */
  readonly threads: number
  /** Names of the kernels that level `isa` may use. */
  readonly kernels: readonly string[]
}

/** A tensor shape with its elements. */
export interface ShapedOutput {
  readonly data: Int8Array
  /** [batch, height, width, channels] */
  readonly shape: readonly number[]
}

const ARENA_ALIGNMENT = 64

const bytesOf = (array: Int8Array | Int32Array) =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

/** A plan of one step: input and output in the arena, weights and bias as constants. */
function planOf(layer: Layer): Plan {
  const { input, weights, bias, inputShape, outputShape } = layer
  const outputBytes = elementCount(outputShape)
  const outputAt = Math.ceil(input.byteLength / ARENA_ALIGNMENT) * ARENA_ALIGNMENT
  const inArena = (name: string, shape: Shape, offset: number, bytes: number): PlannedTensor => ({
    name,
    dtype: 'int8',
    shape,
    bytes,
    place: { where: 'arena', offset },
    life: [-1, 1],
  })
  const constant = (name: string, shape: Shape, array: Int8Array | Int32Array): PlannedTensor => ({
    name,
    dtype: array instanceof Int8Array ? 'int8' : 'int32',
    shape,
    bytes: array.byteLength,
    place: { where: 'constant', data: bytesOf(array) },
    life: [0, 0],
  })
  return {
    tensors: [
      inArena('input', inputShape, 0, input.byteLength),
      inArena('output', outputShape, outputAt, outputBytes),
      constant('weights', layer.weightsShape, weights),
      ...(bias ? [constant('bias', [bias.length], bias)] : []),
    ],
    steps: [
      {
        step: { kind: layer.kind, inputs: [], outputs: [], attributes: layer.attributes },
        origin: layer.kind,
        op: layer.kind,
        inputs: [0, 2, bias ? 3 : -1],
        outputs: [1],
      },
    ],
    inputs: [0],
    outputs: [1],
    mainSteps: 1,
    moments: 1,
    variables: [],
    arenaBytes: outputAt + Math.ceil(outputBytes / ARENA_ALIGNMENT) * ARENA_ALIGNMENT,
  }
}

const settingsHere = () => loadSettings({}, process.env, loadBinding().cpu())

/**
 * The layer as a loaded program: weights packed, kernel chosen. The caller disposes of it.
 *
 * @param given Threads and level instead of those of the environment; `packed` as in `ProgramOptions`.
 */
export function createLayerProgram(
  layer: Layer,
  given: { readonly threads?: number; readonly isa?: string; readonly packed?: number } = {},
): NativeProgram {
  const binding = loadBinding()
  const { threads, isa, packed = 0 } = { ...settingsHere(), ...given }
  const { program, constants } = encode(planOf(layer), binding.format())
  return binding.createProgram(program, constants, { threads, packed, ...(isa !== undefined && { isa }) })
}

function runLayer(layer: Layer): Int8Array {
  const out = layer.out ?? new Int8Array(elementCount(layer.outputShape))
  const program = createLayerProgram(layer)
  try {
    program.run([layer.input], [out])
  } finally {
    program.dispose()
  }
  return out
}

/**
 * Matrix product with int8 output: out[i, j] = clamp(round(multiplier[j] * (bias[j] + sum over p of
 * (a[i, p] - aZeroPoint) * b[j, p])) + outZeroPoint). It rounds twice, bit for bit as CONV_2D of TFLite's reference does, and
 * not once, as its FULLY_CONNECTED: see "Two roundings" in docs/numerics.md.
 *
 * Weights are packed at each call; a model that is loaded packs them once.
 *
 * @returns m x n codes, row-major: `out` if it is given.
 * @throws {LowbitError} `OPTION_INVALID` for values out of range and unknown keys, `DTYPE_MISMATCH` and
 *   `SHAPE_MISMATCH` for arrays of another class or length, `NOT_FINITE` for multipliers.
 */
export function gemm(options: GemmOptions): Int8Array {
  return runLayer(gemmLayer('gemm', options))
}

/** The same as `gemm`, by its name in networks; it rounds as `gemm`, too. */
export function fullyConnected(options: GemmOptions): Int8Array {
  return runLayer(gemmLayer('fully_connected', options))
}

/**
 * Convolution over NHWC codes with OHWI weights; sums become codes as in `gemm`. Padding adds nothing to a sum.
 *
 * @returns The codes (`out` if it is given) and their shape.
 * @throws {LowbitError} As `gemm`.
 */
export function conv2d(options: Conv2dOptions): ShapedOutput {
  const layer = convLayer('conv2d', options)
  return { data: runLayer(layer), shape: layer.outputShape }
}

/**
 * Depthwise convolution: output channel c * depthMultiplier + i reads input channel c alone. Else as `conv2d`.
 *
 * @returns The codes (`out` if it is given) and their shape.
 * @throws {LowbitError} As `gemm`.
 */
export function depthwiseConv2d(options: DepthwiseConv2dOptions): ShapedOutput {
  const layer = depthwiseLayer('depthwiseConv2d', options)
  return { data: runLayer(layer), shape: layer.outputShape }
}

/** @throws {LowbitError} `OPTION_INVALID` if `LOWBIT_ISA` or `LOWBIT_THREADS` is wrong; `NO_BINARY`. */
export function cpu(): Cpu {
  const binding = loadBinding()
  const { isa: cap, threads } = settingsHere()
  const { isa } = binding.cpu(cap)
  const { isas, caches } = binding.cpu()
  return { isa, isas, caches, threads, kernels: binding.kernels(cap) }
}
