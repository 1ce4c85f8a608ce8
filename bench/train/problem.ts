// What every contender trains: the same weights and pictures, from one rule (bench/peers/drivers/inputs.ts and common.py).

import { numbers } from '#bench/peers/drivers/inputs.js'

/** Steps on the first batch alone, whose losses are compared. */
export const CHECKED_STEPS = 5

export interface Problem {
  readonly image: readonly [number, number, number]
  readonly classes: number
  readonly batch: number
  /** Different batches, taken in turn: one alone would soon be learned by heart. */
  readonly batches: number
  readonly learningRate: number
  /** Of Adam. */
  readonly epsilon: number
  /** As TensorFlow.js has them; `limit` is that of their first numbers, drawn evenly. */
  readonly weights: readonly { readonly shape: readonly number[]; readonly limit: number }[]
}

const BIAS = 0.05
const glorot = (ins: number, outs: number) => Math.sqrt(6 / (ins + outs))

/** Conv 32, pool, conv 64, pool, dense 64, dense 10: the network `classic`. */
export const PROBLEM: Problem = {
  image: [32, 32, 3],
  classes: 10,
  batch: 32,
  batches: 32,
  learningRate: 1e-3,
  epsilon: 1e-7,
  weights: [
    { shape: [3, 3, 3, 32], limit: glorot(9 * 3, 9 * 32) },
    { shape: [32], limit: BIAS },
    { shape: [3, 3, 32, 64], limit: glorot(9 * 32, 9 * 64) },
    { shape: [64], limit: BIAS },
    { shape: [2304, 64], limit: glorot(2304, 64) },
    { shape: [64], limit: BIAS },
    { shape: [64, 10], limit: glorot(64, 10) },
    { shape: [10], limit: BIAS },
  ],
}

const sizeOf = (shape: readonly number[]) => shape.reduce((count, extent) => count * extent, 1)

export function weightsOf({ weights }: Problem): Float32Array[] {
  return weights.map(({ shape, limit }, i) =>
    (numbers(i + 1, sizeOf(shape), 'float32') as Float32Array).map((x) => x * limit),
  )
}

export interface Batch {
  readonly inputs: Float32Array
  readonly labels: Int32Array
}

export function batchesOf({ image, classes, batch, batches }: Problem): Batch[] {
  const size = batch * sizeOf(image)
  const inputs = numbers(101, batches * size, 'float32') as Float32Array
  const labels = Int32Array.from(numbers(102, batches * batch, 'uint8') as Uint8Array, (x) => x % classes)
  return Array.from({ length: batches }, (_, i) => ({
    inputs: inputs.subarray(i * size, (i + 1) * size),
    labels: labels.subarray(i * batch, (i + 1) * batch),
  }))
}

/** The batch of a step, counted from 0. */
export const batchAt = (step: number, batches: number) => (step < CHECKED_STEPS ? 0 : step % batches)
