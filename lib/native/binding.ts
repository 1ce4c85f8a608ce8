// The typed surface of the addon: the only file that knows what native/binding/ exports.

/** Facts of the processor. */
export interface NativeCpu {
  /** Strongest level that the processor, the system and this build have. */
  readonly isa: string
  /** All levels available here, weakest first. */
  readonly isas: readonly string[]
  /** All level names of all processor families, available or not. */
  readonly known: readonly string[]
  /** Bytes of data cache that one core can use; 0 where unknown. */
  readonly caches: { readonly l1: number; readonly l2: number; readonly l3: number }
}

/** Numbers of program/format.h. */
export interface NativeFormat {
  readonly magic: number
  readonly version: number
  readonly maxRank: number
  readonly dtypes: Readonly<Record<string, number>>
  /** Kinds of attributes: `int32`, `float32`, `float64`, `bytes`. */
  readonly kinds: Readonly<Record<string, number>>
  /** Where tensors live: `arena`, `constant`, `state`. */
  readonly places: Readonly<Record<string, number>>
  readonly steps: Readonly<Record<string, number>>
}

export interface NativeProgramInfo {
  readonly arenaBytes: number
  /** Working memory of one run beside its arena. */
  readonly scratchBytes: number
  /** Weights as the kernels hold them, and other constants that the program keeps. */
  readonly packedBytes: number
  /** Those of `packedBytes` that an earlier program of the model had packed already. */
  readonly sharedBytes: number
  /** Kernel name of each step. */
  readonly kernels: readonly string[]
}

/** How an asynchronous run ended. */
export type RunEnd = 'done' | 'cancelled'

export interface NativeRun {
  readonly promise: Promise<RunEnd>
  /** Ends the run after its current step; no effect when it has ended. */
  cancel(): void
}

/** A view alone stands for a list of one, and is read faster. */
export type NativeViews = ArrayBufferView | readonly ArrayBufferView[]

/** Runs by way of memory that native code knows: it asks Node nothing about arrays, which takes longer than to copy small ones. */
export interface NativeExchange {
  /** All inputs, then all outputs, each from a multiple of 64 bytes on. */
  readonly buffer: ArrayBuffer
  run(): void
}

/**
 * Runs of programs with state that share it happen in the order of the calls, one after the other; a profile leaves the
 * state as it found it.
 *
 * Inputs are copied before a call returns; outputs are filled when the run ends. Views of ordinary
 * ArrayBuffers only.
 */
export interface NativeProgram {
  info(): NativeProgramInfo
  run(inputs: NativeViews, outputs: NativeViews): void
  /** Undefined where the system has no ArrayBuffers over memory of native code. */
  exchange(): NativeExchange | undefined
  runAsync(inputs: NativeViews, outputs: NativeViews): NativeRun
  /** Median microseconds of each step over `runs` runs, on another thread. Rejects with `DISPOSED` after `cancelAll`. */
  profile(inputs: NativeViews, runs: number): Promise<Float64Array>
  /** Gives the memory back once the runs in flight have ended. Twice is harmless; other calls afterwards throw `DISPOSED`. */
  dispose(): void
}

/** What the programs of one model share: packed weights, and the state. */
export interface NativeShared {
  /** Runs that are started later find the state as the first one did. */
  resetState(): void
  /** Keeps the state to which the runs until now lead, for `restoreState`. No run may be started in between but one's own. */
  saveState(): void
  restoreState(): void
}

export interface ProgramOptions {
  /** At most this many threads work on one run: 1 to 256. */
  readonly threads: number
  /** Level that caps the kernels, by name; all that the processor has when left out. */
  readonly isa?: string
  /** Most bytes that constants, packed weights and one run's memory may take together; 4 GiB when left out. */
  readonly memory?: number
  /**
   * Bytes of constants and packed weights up to which kernels may pack weights larger than need be, to be faster; 0 when
   * left out.
   */
  readonly packed?: number
  /** Most steps and passes of loops of one run; 2^24 when left out. */
  readonly steps?: number
  /** Of the same model: what was packed is taken where it serves, and variables of one number are one. */
  readonly shared?: NativeShared
  /** Numbers that name the constants in all programs that share, one each, 0 for none. */
  readonly identities?: Float64Array
}

/**
 * What `load.ts` gives. Failures are `LowbitError`s: `OPTION_INVALID` for arguments and buffers of the wrong kind
 * (detached or shared ones, too), `INPUT_COUNT`, `SHAPE_MISMATCH` (byte lengths), `DTYPE_MISMATCH` (not a typed array),
 * `DISPOSED`, `LIMIT_EXCEEDED`, and what the loaders of the steps say.
 */
export interface NativeBinding {
  /** Number of this interface; `load.ts` refuses a binary with another. */
  abi(): number
  cpu(isa?: string): NativeCpu
  /** Names of the kernels that this processor can run, capped at a level. */
  kernels(isa?: string): readonly string[]
  format(): NativeFormat
  createShared(): NativeShared
  /** `constants[i]` is block i of the program's constant tensors; only read during the call. */
  createProgram(program: Uint8Array, constants: readonly Uint8Array[], options: ProgramOptions): NativeProgram
  /** Cancels all asynchronous runs of this environment (main thread or worker thread), as it is about to end. */
  cancelAll(): void
}
