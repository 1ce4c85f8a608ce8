// A weight tensor as rows, one an output channel, whatever the operator's layout; and back.

import type { Shape } from '../../tensor/shape.js'

export interface RowLayout {
  readonly rows: number
  readonly columns: number
  /** Dimension of the stored layout that the rows run along, where scales belong. */
  readonly axis: number
}

/**
 * @param type Of the operator, as the file spells it. Convolutions are OHWI, transposed ones too, depthwise ones 1HWC,
 *   3D ones DHWIO; all else has its outputs first.
 */
export function rowLayout(type: string, shape: Shape): RowLayout {
  const channelsLast = type === 'DEPTHWISE_CONV_2D' || type === 'CONV_3D'
  const axis = channelsLast ? shape.length - 1 : 0
  const rows = shape[axis] ?? 1
  const count = shape.reduce((product, extent) => product * extent, 1)
  return { rows, columns: rows === 0 ? 0 : count / rows, axis }
}

/** Moves the layout's dimension to the front. */
export function toRows(values: Float32Array, { rows, columns, axis }: RowLayout): Float32Array {
  if (axis === 0) return values
  const result = new Float32Array(values.length)
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) result[r * columns + c] = values[c * rows + r] as number
  }
  return result
}

/** The reverse of `toRows`, for codes or values. */
export function fromRows<T extends Float32Array | Int8Array>(
  values: T,
  { rows, columns, axis }: RowLayout,
): T {
  if (axis === 0) return values
  const result = values.slice() as T
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) result[c * rows + r] = values[r * columns + c] as number
  }
  return result
}
