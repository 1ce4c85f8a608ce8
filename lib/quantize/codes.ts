// What a weight quantiser gives, whatever its method: codes, and how they become real numbers.

/**
 * A weight tensor seen as rows: one row an output channel, in the order of the scales. `values` is row-major,
 * rows x columns; the real value of element (r, c) is `scale[r] * (code - zeroPoint[r])`, with one scale for all rows
 * where `scale` has one entry, or one for each group of columns (row-major, rows x groups) where `groupSize` is set.
 */
export interface QuantizedRows {
  readonly codes: Int8Array
  readonly rows: number
  readonly columns: number
  readonly scale: Float32Array
  readonly zeroPoint: Int32Array
  readonly groupSize?: number
  /** Type in the file: `int8`, `int4` or `int2`. */
  readonly type: 'int8' | 'int4' | 'int2'
  /** Different codes a row may have: the sorted table of each row, where not all codes of the type are in use. */
  readonly tables?: readonly Int8Array[]
}
