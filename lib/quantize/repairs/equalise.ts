// Cross-layer equalisation: channels between two layers that are far apart in size become alike.
//
// Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019, section 4.1. What
// makes channel i of the first layer smaller by s makes the second layer's weights for it larger by s; a ReLU between
// them lets positive factors through, and so do pooling and padding with zeros. With s = sqrt(r1 / r2), r1 and r2 being
// the largest weights of the channel in the two layers, both become sqrt(r1 r2).
//
// A ReLU6 clips at 6 whatever the factor. So a channel behind one is only scaled where the samples never reached the
// clip, and never so far that they would.

import type { TensorRecord } from '../../model/model.js'
import { fusedActivation } from '../../ops/activation.js'
import { floatsOf } from '../constants.js'
import type { FloatGraph, PlacedOperator } from '../prepare.js'
import { rowLayout } from '../weights/rows.js'
import { layerOf, onlyReader, timesAlong } from './layers.js'

/** Two layers, of which the second alone reads the channels of the first. */
export interface LayerPair {
  /** Places among the operators. */
  readonly first: number
  readonly second: number
  /** The tensor behind a ReLU6, if there is one between them. */
  readonly clipped?: number
}

/** Operators that a positive factor of a channel goes through. */
const THROUGH = ['RELU', 'RELU6', 'MAX_POOL_2D', 'AVERAGE_POOL_2D', 'PAD']
/** Part of the 6 that scaled channels may reach on samples: others may be a little larger. */
const CLIP = 6 * 0.9
/** Passes over all pairs: the factors of one shift the ranges of the next. */
const PASSES = 20
/** A channel is left with at least this part of its size, and at most its inverse: factors of weights next to nothing mean nothing. */
const MOST_FACTOR = 2 ** 10

export function layerPairs(graph: FloatGraph): readonly LayerPair[] {
  return graph.operators.flatMap((_, first) => {
    const pair = pairFrom(graph, first)
    return pair === undefined ? [] : [pair]
  })
}

/**
 * @param peaks The largest value that samples had in each channel of a clipped tensor; undefined where nothing is known.
 * @returns The graph that computes the same with other weights.
 */
export function equalise(
  graph: FloatGraph,
  pairs: readonly LayerPair[],
  peaks: (tensor: number) => ArrayLike<number> | undefined,
): FloatGraph {
  let current = graph
  const reached = new Map(
    pairs.map((pair) => [pair, pair.clipped === undefined ? undefined : peaks(pair.clipped)]),
  )
  const usable = pairs.filter((pair) => pair.clipped === undefined || reached.get(pair) !== undefined)
  const totals = new Map<LayerPair, Float64Array>()
  for (let pass = 0; pass < PASSES; pass++) {
    let largest = 1
    for (const pair of usable) {
      const ranges = rangesOf(current, pair)
      const total = totals.get(pair) ?? new Float64Array(ranges.first.length).fill(1)
      const factors = ranges.first.map((r1, c) =>
        factorOf(r1, ranges.second[c] as number, total[c] as number, reached.get(pair)?.[c]),
      )
      totals.set(
        pair,
        total.map((value, c) => value * (factors[c] as number)),
      )
      for (const factor of factors) largest = Math.max(largest, factor, 1 / factor)
      current = scaled(current, pair, factors)
    }
    if (largest < 1.001) break
  }
  return current
}

/**
 * What a channel is divided by in the first layer.
 *
 * @param total What it has been divided by before.
 * @param peak Its largest value before all of that, where a ReLU6 clips it.
 */
function factorOf(r1: number, r2: number, total: number, peak: number | undefined): number {
  if (!(r1 > 0 && r2 > 0)) return 1
  if (peak !== undefined && peak >= CLIP) return 1
  const least = Math.max(1 / MOST_FACTOR, (peak ?? 0) / CLIP) / total
  return Math.min(Math.max(Math.sqrt(r1 / r2), least), MOST_FACTOR / total)
}

/** The largest magnitude of the weights of each channel, in both layers. */
function rangesOf(
  graph: FloatGraph,
  { first, second }: LayerPair,
): { first: Float64Array; second: Float64Array } {
  const [from, to] = [weightsOf(graph, first), weightsOf(graph, second)]
  return {
    first: magnitudes(from.tensor, from.outputAxis),
    second: magnitudes(to.tensor, to.inputAxis),
  }
}

function magnitudes(tensor: TensorRecord, axis: number): Float64Array {
  const inner = tensor.shape.slice(axis + 1).reduce((product, extent) => product * extent, 1)
  const largest = new Float64Array(tensor.shape[axis] ?? 0)
  for (const [i, value] of floatsOf(tensor).entries()) {
    const channel = Math.floor(i / inner) % largest.length
    largest[channel] = Math.max(largest[channel] as number, Math.abs(value))
  }
  return largest
}

function scaled(graph: FloatGraph, { first, second }: LayerPair, factors: Float64Array): FloatGraph {
  const [from, to] = [weightsOf(graph, first), weightsOf(graph, second)]
  const inverse = factors.map((factor) => 1 / factor)
  const tensors = [...graph.tensors]
  tensors[from.index] = timesAlong(from.tensor, from.outputAxis, inverse)
  tensors[to.index] = timesAlong(to.tensor, to.inputAxis, factors)
  const bias = graph.tensors[from.bias]
  if (bias !== undefined) tensors[from.bias] = timesAlong(bias, 0, inverse)
  return { ...graph, tensors }
}

function weightsOf(graph: FloatGraph, place: number) {
  const operator = graph.operators[place] as PlacedOperator
  const operands = layerOf(graph, operator)
  if (operands === undefined) throw new RangeError(`operator ${place} is no layer`)
  const index = operator.inputs[operands.weights] as number
  const tensor = graph.tensors[index] as TensorRecord
  const outputAxis = rowLayout(operator.type, tensor.shape).axis
  // A depthwise layer has one weight matrix a channel, its input's and its output's.
  const inputAxis = tensor.shape.length - 1
  return { index, tensor, bias: operator.inputs[operands.bias] ?? -1, outputAxis, inputAxis }
}

function pairFrom(graph: FloatGraph, first: number): LayerPair | undefined {
  const operator = graph.operators[first] as PlacedOperator
  if (layerOf(graph, operator) === undefined) return undefined
  let last = operator
  let clipped: number | undefined
  for (;;) {
    const output = last.outputs[0] as number
    const activation = activationOf(last)
    if (activation === 'relu6') clipped ??= output
    else if (activation !== 'none' && activation !== 'relu') return undefined
    const reader = onlyReader(graph, output)
    const next = graph.operators[reader ?? -1]
    if (reader === undefined || next === undefined) return undefined
    if (takesChannels(graph, next, output))
      return { first, second: reader, ...(clipped !== undefined && { clipped }) }
    if (!THROUGH.includes(next.type) || next.inputs[0] !== output) return undefined
    last = next
  }
}

function activationOf({ type, options }: PlacedOperator): string | undefined {
  if (type === 'RELU') return 'relu'
  if (type === 'RELU6') return 'relu6'
  return fusedActivation[Number(options['fusedActivationFunction'] ?? 0)]
}

/** Whether an operator is a layer whose weights have a place for each channel of this input. */
function takesChannels(graph: FloatGraph, operator: PlacedOperator, input: number): boolean {
  const operands = layerOf(graph, operator)
  if (operands === undefined || operator.inputs[operands.input] !== input) return false
  const channels = graph.tensors[input]?.shape.at(-1)
  const weights = graph.tensors[operator.inputs[operands.weights] as number]
  return weights?.shape.at(-1) === channels
}
