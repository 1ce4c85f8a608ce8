// A loaded model as its users see it; `Session` is it.
/// <reference lib="esnext.disposable" preserve="true" />

import type { Metadata } from '../format/tflite/metadata.js'
import type { Tensor, TensorInfo } from '../tensor/tensor.js'
import type { TensorsWithKept } from './keep.js'
import type { AbortSignalLike, ProfileOptions, RunOptions } from './options.js'
import type { TensorData } from './tensor-data.js'

/** What a file says of itself beside its graph; what it does not say is absent. */
export interface ModelMetadata extends Metadata {
  /** Why the file's metadata cannot be read; nothing else is there then. The model itself is sound. */
  readonly warning?: string
}

/** A signature of a file: names for the inputs and outputs of one of its subgraphs. */
export interface SignatureInfo {
  readonly name: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/** Bytes that a model takes. */
export interface ModelMemory {
  /** Activations of one run in flight. */
  readonly arenaBytes: number
  /** Working memory of kernels, beside the arena of one run in flight. */
  readonly scratchBytes: number
  /** Constant tensors that the model uses, as the file stores them. */
  readonly weightBytes: number
  /** Weights as the kernels hold them, once a model. */
  readonly packedBytes: number
}

/** One native step of a model, and its time. */
export interface ProfileStep {
  /** Place in the order of execution. */
  readonly index: number
  /** Operator, as `conv2d`. */
  readonly op: string
  /** Name of the step's first output tensor. */
  readonly name: string
  readonly kernel: string
  readonly medianUs: number
  /** Multiply-accumulates by the unpadded definition; 0 where a step has none. */
  readonly macs: number
}

export interface SignatureRunOptions {
  /** Aborting ends the run after its current step; the promise rejects with `signal.reason`. */
  readonly signal?: AbortSignalLike | undefined
}

/** Inputs of a signature, by their names. */
export type NamedInputs = Readonly<Record<string, TensorData>>

/** Outputs of a signature, by their names. */
export type NamedOutputs = Record<string, Tensor>

/** A signature of a model, made by `model.signature(name)`. It lives as long as its model. */
export interface ModelSignature {
  readonly name: string
  /** Inputs by their names. `TensorInfo.name` is the tensor's name in the file. */
  readonly inputs: Readonly<Record<string, TensorInfo>>
  /** Outputs by their names. */
  readonly outputs: Readonly<Record<string, TensorInfo>>

  /**
   * Runs the signature on another thread.
   *
   * @param inputs A typed array for each input, by its name; copied before this returns.
   * @returns A tensor for each output, by its name.
   * @throws {LowbitError} (as rejection) `INPUT_COUNT` if an input is missing, `NAME_UNKNOWN` if one does not exist;
   *   else as `Model.run`.
   */
  run(inputs: NamedInputs, options?: SignatureRunOptions): Promise<NamedOutputs>

  /**
   * Runs the signature on this thread, which it blocks meanwhile.
   *
   * @throws {LowbitError} As `run` rejects.
   */
  runSync(inputs: NamedInputs, options?: SignatureRunOptions): NamedOutputs
}

/** A loaded model. It holds native memory until `dispose()`, or until it is garbage. */
export interface Model {
  readonly metadata: ModelMetadata
  /** Signatures of the file, in its order; plain runs are subgraph 0 whatever they say. */
  readonly signatures: readonly SignatureInfo[]
  /** Inputs of subgraph 0, in the file's order, with the shapes that runs take now. */
  readonly inputs: readonly TensorInfo[]
  /**
   * Outputs of subgraph 0, in the file's order. Where a run decides on a shape, `shapeSignature` has -1, `shape` is what
   * the file says, and the tensor that the run gives has the shape that came out.
   */
  readonly outputs: readonly TensorInfo[]
  /** What plain runs take. */
  readonly memory: ModelMemory

  /**
   * Runs the model on another thread. Several runs may be in flight at once; those of a model that keeps state from run
   * to run happen one after the other, in the order of the calls. One that is aborted midway leaves part of the state
   * changed.
   *
   * @param inputs One typed array for each of `inputs`, row-major; copied before this returns.
   * @returns One tensor for each of `outputs`, in their order; with `keep` also `kept`, by the names given there.
   * @throws {LowbitError} (as rejection) `INPUT_COUNT`, `DTYPE_MISMATCH`, `SHAPE_MISMATCH`, `NOT_FINITE` and
   *   `OPTION_INVALID` for what is given; `NAME_UNKNOWN` for `keep`; `CUSTOM_OP_FAILED`; `DISPOSED`. An abort rejects
   *   with `signal.reason`, even when the run has just ended.
   */
  run(
    inputs: readonly TensorData[],
    options: RunOptions & { readonly keep: readonly string[] },
  ): Promise<TensorsWithKept>
  run(inputs: readonly TensorData[], options?: RunOptions): Promise<Tensor[]>

  /**
   * Runs the model on this thread, which it blocks meanwhile: for scripts and worker threads.
   *
   * @throws {LowbitError} As `run` rejects; `OPTION_INVALID` while runs are in flight that it must follow and that go
   *   through JavaScript, where the model keeps state.
   */
  runSync(
    inputs: readonly TensorData[],
    options: RunOptions & { readonly keep: readonly string[] },
  ): TensorsWithKept
  runSync(inputs: readonly TensorData[], options?: RunOptions): Tensor[]

  /**
   * Gives the inputs other shapes, for runs that are started later; runs in flight keep theirs. The model is planned
   * anew, its weights are not packed anew. State stays, but that of variables which have another size now. When this
   * throws, the model is as it was.
   *
   * @param shapes One shape for each of `inputs`, of the same rank. Any extent may change, also one that the file does
   *   not leave free, as far as the operators take it.
   * @throws {LowbitError} `SHAPE_MISMATCH` for another count or rank, no extents, or shapes that an operator does not
   *   take; `LIMIT_EXCEEDED`; `OPERATOR_UNSUPPORTED`; `OPTION_INVALID`; `DISPOSED`.
   */
  resize(shapes: readonly (readonly number[])[]): void

  /**
   * A signature by its name, to run with named inputs. Its subgraph is planned when it is first asked for.
   *
   * @throws {LowbitError} `NAME_UNKNOWN` if the file has no such signature; what `loadModel` says of its subgraph.
   */
  signature(name: string): ModelSignature

  /**
   * Times each native step, on another thread: one within a loop over all its passes. A model's state is afterwards what it
   * was before.
   *
   * @param inputs As for `run`.
   * @returns Steps in order of execution, with the median over all runs in microseconds.
   */
  profile(inputs: readonly TensorData[], options?: ProfileOptions): Promise<ProfileStep[]>

  /**
   * Sets all that the model remembers from earlier runs (LSTM and SVDF states, variables) back to what it was after
   * loading, for plain runs and for all signatures, which share it. Runs that were started before still end as they would
   * have. No effect on models without state.
   *
   * @throws {LowbitError} `DISPOSED`.
   */
  resetState(): void

  /**
   * Gives the native memory back, once the runs in flight have ended. May be called twice; runs that are started later
   * fail with `DISPOSED`.
   */
  dispose(): void
  [Symbol.dispose](): void
  /** As `dispose`, and waits for the runs in flight. */
  [Symbol.asyncDispose](): Promise<void>
}
