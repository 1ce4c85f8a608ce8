// Native steps one at a time, on arrays where they lie: a program of one step for each kind, attributes and shapes.

import type { NativeProgram } from '../../native/binding.js'
import { loadBinding } from '../../native/load.js'
import type { StepAttribute } from '../../ops/contract.js'
import type { PlannedTensor } from '../../plan/plan.js'
import { encode } from '../../program/encode.js'
import { elementCount, type Shape } from '../../tensor/shape.js'
import { settings } from './settings.js'

/** An array and how it is seen: float32, int32, or bool where it holds bytes. */
export interface Dense {
  readonly shape: Shape
  readonly data: Float32Array | Int32Array | Uint8Array
}

export type Attributes = Readonly<Record<string, StepAttribute>>

/** Programs that are kept, and bytes of memory of their own: those not used for longest go first. */
const MOST_PROGRAMS = 1024
const MOST_BYTES = 512 * 2 ** 20

interface Kept {
  readonly program: NativeProgram
  readonly bytes: number
}

const programs = new Map<string, Kept>()
let bytesKept = 0

/** Runs a step of `native/program/steps` on this thread and its helpers; the outputs are filled. */
export function runStep(
  kind: string,
  attributes: Attributes,
  inputs: readonly Dense[],
  outputs: readonly Dense[],
): void {
  let key = kind
  for (const { shape, data } of inputs) key += `|${letterOf(data)}${shape}`
  for (const { shape, data } of outputs) key += `>${letterOf(data)}${shape}`
  for (const name in attributes) key += `;${name}=${attributes[name]}`
  const kept = programs.get(key) ?? create(kind, attributes, inputs, outputs)
  programs.delete(key)
  programs.set(key, kept)
  kept.program.run(
    inputs.map(({ data }) => data),
    outputs.map(({ data }) => data),
  )
}

/** Frees all programs; they are made again when they are needed. */
export function dropPrograms(): void {
  while (programs.size > 0) dropOldest()
}

function dropOldest(): void {
  for (const [key, { program, bytes }] of programs) {
    program.dispose()
    programs.delete(key)
    bytesKept -= bytes
    return
  }
}

function letterOf(data: Dense['data']): string {
  return data instanceof Float32Array ? '' : data instanceof Int32Array ? 'i' : 'b'
}

function dtypeOf(data: Dense['data']): PlannedTensor['dtype'] {
  return data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'bool'
}

function create(
  kind: string,
  attributes: Attributes,
  inputs: readonly Dense[],
  outputs: readonly Dense[],
): Kept {
  const tensors = [...inputs, ...outputs].map(
    ({ shape, data }, port): PlannedTensor => ({
      name: `${kind} ${port}`,
      dtype: dtypeOf(data),
      shape,
      bytes: data.BYTES_PER_ELEMENT * elementCount(shape),
      place: { where: 'lent', port },
      life: [-1, 1],
    }),
  )
  const ports = { inputs: inputs.map((_, i) => i), outputs: outputs.map((_, i) => inputs.length + i) }
  const binding = loadBinding()
  const step = { kind, inputs: [], outputs: [], attributes }
  const { program: bytes, constants } = encode(
    {
      tensors,
      steps: [{ step, origin: kind, op: kind, ...ports }],
      ...ports,
      mainSteps: 1,
      moments: 1,
      variables: [],
      arenaBytes: 0,
    },
    binding.format(),
  )
  const { threads, isa } = settings()
  const program = binding.createProgram(bytes, constants, { threads, ...(isa !== undefined && { isa }) })
  const { arenaBytes, scratchBytes, packedBytes } = program.info()
  const kept = { program, bytes: arenaBytes + scratchBytes + packedBytes }
  while (programs.size > 0 && (programs.size >= MOST_PROGRAMS || bytesKept + kept.bytes > MOST_BYTES))
    dropOldest()
  bytesKept += kept.bytes
  return kept
}
