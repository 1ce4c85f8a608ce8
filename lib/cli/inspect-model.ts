// Everything there is to say of a model file, as the plain object that `lowbit inspect --json` prints.

import { LowbitError } from '../errors.js'
import { decode } from '../format/tflite/decode.js'
import { type Metadata, readMetadata } from '../format/tflite/metadata.js'
import { REPLACED } from '../graph/expand.js'
import type { ModelFile, Quantization, Subgraph } from '../model/model.js'
import type { NativeBinding } from '../native/binding.js'
import { OPS_BY_TYPE } from '../ops/registry.js'
import type { Plan } from '../plan/plan.js'
import { encode } from '../program/encode.js'
import { packedBudget } from '../session/compile.js'
import { prepare } from '../session/load.js'
import type { LoadSettings } from '../session/options.js'
import type { Dtype } from '../tensor/dtype.js'
import type { Shape } from '../tensor/shape.js'

export interface InspectedTensor {
  readonly index: number
  readonly name: string
  readonly shape: Shape
  readonly shapeSignature: Shape
  readonly dtype: Dtype
  readonly quantization: {
    readonly scale: number[]
    readonly zeroPoint: number[]
    readonly axis: number
  } | null
  /** Bytes of a constant's data in the file; null for computed tensors. */
  readonly constantBytes: number | null
}

export interface InspectedOperator {
  readonly index: number
  readonly type: string
  readonly version: number
  /** Indices of tensors; -1 for an absent operand. */
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly supported: boolean
  /** One for each native step; none where the operator costs nothing (a view, or fused into another). */
  readonly kernels: readonly string[]
  readonly macs: number
}

export interface InspectedPlace {
  readonly name: string
  readonly offset: number
  readonly bytes: number
  readonly life: readonly [number, number]
}

/** How the model runs here. */
export interface InspectedRun {
  readonly isa: string
  readonly threads: number
  readonly steps: number
  /** Whether these are all steps; else a run decides on the others. */
  readonly isComplete: boolean
  readonly macs: number
  readonly memory: {
    readonly arenaBytes: number
    readonly scratchBytes: number
    readonly weightBytes: number
    readonly packedBytes: number
  }
  readonly arena: readonly InspectedPlace[]
}

export interface Inspection {
  readonly model: string
  readonly fileBytes: number
  readonly schemaVersion: number
  readonly description: string
  readonly metadata: Metadata & { readonly warning?: string }
  readonly signatures: ModelFile['signatures']
  /** Of the main subgraph, as are operators and tensors. */
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly operators: readonly InspectedOperator[]
  readonly tensors: readonly InspectedTensor[]
  /** Names of the further subgraphs, with their operators. */
  readonly subgraphs: readonly { readonly name: string; readonly operators: readonly string[] }[]
  /** null where lowbit does not run the model; `error` says why, `unsupported` lists the operators. */
  readonly run: InspectedRun | null
  readonly unsupported: readonly string[]
  readonly error?: { readonly code: string; readonly message: string }
}

/** The plan of a model that runs, with what native code made of it. */
interface Runnable {
  readonly plan: Plan
  readonly kernels: readonly string[]
  readonly run: InspectedRun
}

/** @throws {LowbitError} What `decode` throws: a file that cannot be read has nothing to show. */
export function inspectModel(
  bytes: Uint8Array,
  name: string,
  settings: LoadSettings,
  binding: NativeBinding,
): Inspection {
  const file = decode(bytes)
  const main = file.subgraphs[0] as Subgraph
  let runnable: Runnable | undefined
  let error: Inspection['error']
  try {
    runnable = tryRunning(bytes, settings, binding)
  } catch (cause) {
    if (!(cause instanceof LowbitError)) throw cause
    error = { code: cause.code, message: cause.message }
  }
  const operators = inspectOperators(main, runnable)
  return {
    model: name,
    fileBytes: file.fileBytes,
    schemaVersion: file.version,
    description: file.description,
    metadata: metadataOf(file, bytes),
    signatures: file.signatures,
    inputs: main.inputs,
    outputs: main.outputs,
    operators,
    tensors: inspectTensors(main),
    subgraphs: file.subgraphs.slice(1).map((subgraph) => ({
      name: subgraph.name,
      operators: subgraph.operators.map(({ type }) => type),
    })),
    run: runnable?.run ?? null,
    unsupported: [...new Set(operators.filter((op) => !op.supported).map((op) => op.type))],
    ...(error && { error }),
  }
}

function tryRunning(bytes: Uint8Array, settings: LoadSettings, binding: NativeBinding): Runnable {
  const { threads, isa, memory, limits } = settings
  const { plan, weightBytes, isComplete } = prepare(bytes, limits, isa)
  const { program, constants } = encode(plan, binding.format())
  const native = binding.createProgram(program, constants, {
    threads,
    packed: packedBudget(memory, weightBytes, plan),
    ...(isa !== undefined && { isa }),
  })
  try {
    const { arenaBytes, scratchBytes, packedBytes, kernels } = native.info()
    const run: InspectedRun = {
      isa: binding.cpu(isa).isa,
      threads,
      steps: plan.steps.length,
      isComplete,
      macs: plan.steps.reduce((sum, { step }) => sum + (step.macs ?? 0), 0),
      memory: { arenaBytes, scratchBytes, weightBytes, packedBytes },
      arena: plan.tensors.flatMap(({ name, bytes, life, place }) =>
        place.where === 'arena' ? [{ name, offset: place.offset, bytes, life }] : [],
      ),
    }
    return { plan, kernels, run }
  } finally {
    native.dispose()
  }
}

function inspectOperators({ operators }: Subgraph, runnable: Runnable | undefined): InspectedOperator[] {
  return operators.map(({ type, version, inputs, outputs }, index) => {
    const origin = `${type} #${index}`
    const steps = runnable?.plan.steps.flatMap((step, i) => (step.origin === origin ? [i] : [])) ?? []
    return {
      index,
      type,
      version,
      inputs,
      outputs,
      supported: OPS_BY_TYPE.has(type) || REPLACED.includes(type),
      kernels: steps.map((i) => runnable?.kernels[i] ?? ''),
      macs: steps.reduce((sum, i) => sum + (runnable?.plan.steps[i]?.step.macs ?? 0), 0),
    }
  })
}

const plainQuantization = ({ scale, zeroPoint, axis }: Quantization) => ({
  scale: [...scale],
  zeroPoint: [...zeroPoint],
  axis,
})

function inspectTensors({ tensors }: Subgraph): InspectedTensor[] {
  return tensors.map(({ name, shape, shapeSignature, dtype, quantization, data }, index) => ({
    index,
    name,
    shape,
    shapeSignature,
    dtype,
    quantization: quantization ? plainQuantization(quantization) : null,
    constantBytes: data?.byteLength ?? null,
  }))
}

function metadataOf(file: ModelFile, bytes: Uint8Array): Inspection['metadata'] {
  try {
    return readMetadata(file, bytes)
  } catch (error) {
    if (!(error instanceof LowbitError)) throw error
    return { warning: error.message }
  }
}
