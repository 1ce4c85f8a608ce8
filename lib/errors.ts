// The one error class of the package and its closed list of codes.

/** Stable codes; compare these, never the prose of a message. */
export const ERROR_CODES = [
  /** The bytes are not a valid `.tflite` file: an offset, length, index, enum, shape or size is wrong. */
  'FILE_INVALID',
  /** The bytes end before what they announce. */
  'FILE_TRUNCATED',
  /** An operator, or a form of it, that lowbit does not run. */
  'OPERATOR_UNSUPPORTED',
  /** A data type, or a combination of data types, that the operator does not run. */
  'DTYPE_UNSUPPORTED',
  /** Given data is of another type than the tensor's. */
  'DTYPE_MISMATCH',
  /** A shape or an element count differs from what is needed. */
  'SHAPE_MISMATCH',
  /** Another number of inputs or outputs than the model has. */
  'INPUT_COUNT',
  /** An option, argument or environment variable is unknown or out of its range. */
  'OPTION_INVALID',
  /** The model would need more memory or work than the limits allow. */
  'LIMIT_EXCEEDED',
  /** A number is NaN or infinite where it must be finite. */
  'NOT_FINITE',
  /** A tensor, signature or label name does not exist. */
  'NAME_UNKNOWN',
  /** The code of a custom operator threw (`cause`), or gave what does not fit. */
  'CUSTOM_OP_FAILED',
  /** The model was disposed. */
  'DISPOSED',
  /** No native binary for this platform could be loaded. */
  'NO_BINARY',
  /** An optional package is not installed. */
  'PEER_MISSING',
  /**
   * A data file (picture, labels, …) cannot be read as what it should be, or a run met values that an operator has no
   * result for: an index outside its table, a division by zero, the square root of a negative code.
   */
  'DATA_INVALID',
  /** A fault in lowbit itself. */
  'INTERNAL',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

/** Facts an error may carry, beside its message. */
export interface ErrorFacts {
  /** Operator, as `CONV_2D #12`. */
  readonly operator?: string
  /** Tensor, by name, or `#index` where it has none. */
  readonly tensor?: string
  /** What was expected and what came instead. */
  readonly expected?: unknown
  readonly actual?: unknown
  /** Byte offset in the file. */
  readonly offset?: number
  readonly cause?: unknown
}

export class LowbitError extends Error {
  override readonly name = 'LowbitError'
  readonly code: ErrorCode
  declare readonly operator?: string
  declare readonly tensor?: string
  declare readonly expected?: unknown
  declare readonly actual?: unknown
  declare readonly offset?: number

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    const { cause, ...rest } = facts
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    Object.assign(this, rest)
  }
}
