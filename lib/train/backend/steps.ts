// Native steps one at a time, on arrays where they lie: a program of one step for each kind, attributes and shapes.

import type { NativeProgram } from '../../native/binding.js'
import { loadBinding } from '../../native/load.js'
import type { StepAttribute } from '../../ops/contract.js'
import type { PlannedTensor } from '../../plan/plan.js'
import { encode } from '../../program/encode.js'
import { loadSettings } from '../../session/options.js'
import { elementCount, type Shape } from '../../tensor/shape.js'

/** A float32 array and how it is seen. */
export interface Dense {
  readonly shape: Shape
  readonly data: Float32Array
}

export type Attributes = Readonly<Record<string, StepAttribute>>

/** Programs that are kept; those not used for longest go first. */
const MOST_PROGRAMS = 1024

const programs = new Map<string, NativeProgram>()

/** Runs a step of `native/program/steps` on this thread and its helpers; `output` is filled. */
export function runStep(kind: string, attributes: Attributes, inputs: readonly Dense[], output: Dense): void {
  const shapes = [...inputs.map(({ shape }) => shape), output.shape]
  const key = `${kind}|${shapes.join('|')}|${keyOf(attributes)}`
  let program = programs.get(key)
  if (program === undefined) {
    program = create(kind, attributes, shapes)
    if (programs.size >= MOST_PROGRAMS) dropOldest()
  } else {
    programs.delete(key)
  }
  programs.set(key, program)
  program.run(
    inputs.map(({ data }) => data),
    [output.data],
  )
}

function keyOf(attributes: Attributes): string {
  let key = ''
  for (const name in attributes) key += `${name}=${attributes[name]};`
  return key
}

function dropOldest(): void {
  for (const [key, program] of programs) {
    program.dispose()
    programs.delete(key)
    return
  }
}

function create(kind: string, attributes: Attributes, shapes: readonly Shape[]): NativeProgram {
  const tensors = shapes.map(
    (shape, port): PlannedTensor => ({
      name: `${kind} ${port}`,
      dtype: 'float32',
      shape,
      bytes: 4 * elementCount(shape),
      place: { where: 'lent', port },
      life: [-1, 1],
    }),
  )
  const output = shapes.length - 1
  const inputs = tensors.slice(0, output).map((_, i) => i)
  const binding = loadBinding()
  const { threads, isa } = loadSettings({}, process.env, binding.cpu())
  const step = { kind, inputs: [], outputs: [], attributes }
  const { program, constants } = encode(
    {
      tensors,
      steps: [{ step, origin: kind, op: kind, inputs, outputs: [output] }],
      inputs,
      outputs: [output],
      mainSteps: 1,
      moments: 1,
      variables: [],
      arenaBytes: 0,
    },
    binding.format(),
  )
  return binding.createProgram(program, constants, { threads, ...(isa !== undefined && { isa }) })
}
