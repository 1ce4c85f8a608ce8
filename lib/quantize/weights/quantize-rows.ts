// Rows of weights to codes, as a recipe's settings say.

import { LowbitError } from '../../errors.js'
import type { WeightSettings } from '../../recipe/recipe.js'
import type { QuantizedRows } from '../codes.js'
import { covariance } from './gram.js'
import type { Grid } from './grid.js'
import type { LayerInputs } from './layer-inputs.js'
import { type ErrorNorm, errorNorm } from './norm.js'
import { piecewiseGrid } from './piecewise.js'
import { roundAdaptive, roundNearest } from './round.js'
import { RECTIFIED_SHIFT_WEIGHT, sortWeights } from './sorted.js'
import { uniformGrid } from './uniform.js'

export type RowSettings = Omit<WeightSettings, 'type'>

export interface RowInputs {
  readonly inputs: LayerInputs
  /** Whether the bias will take up the mean error, so that only what is left of it counts. */
  readonly isMeanCorrected: boolean
}

/**
 * @param values Rows x columns, row-major, finite.
 * @param statistics Of the layer's inputs. Without them `rounding: 'adaptive'` is the nearest, and of grids that are
 *   searched those are preferred whose errors sum to little.
 * @throws {LowbitError} `OPTION_INVALID` for a group size that is no divisor of the columns.
 */
export function quantizeRows(
  values: Float32Array,
  { rows, columns }: { rows: number; columns: number },
  settings: RowSettings,
  statistics?: RowInputs,
): QuantizedRows {
  const groupSize = groupSizeOf(settings, columns)
  const knowsInputs = settings.rounding === 'adaptive' && statistics !== undefined
  const shiftWeight = knowsInputs ? 0 : RECTIFIED_SHIFT_WEIGHT
  const grids = gridsOf(values, { rows, columns, groupSize, shiftWeight }, settings)
  const perRow = columns / groupSize
  const gridAt = (row: number, column: number) =>
    grids[grids.length === 1 ? 0 : row * perRow + Math.floor(column / groupSize)] as Grid
  const round = rounding(settings, statistics, rows)
  const codes = new Int8Array(values.length)
  for (let row = 0; row < rows; row++) {
    const from = row * columns
    const levelsAt = (column: number) => gridAt(row, column).levels
    const chosen = round(values.subarray(from, from + columns), row, levelsAt)
    chosen.forEach((index, column) => {
      codes[from + column] = gridAt(row, column).codes[index] as number
    })
  }
  return {
    codes,
    rows,
    columns,
    scale: Float32Array.from(grids, ({ scale }) => scale),
    zeroPoint: Int32Array.from(grids, ({ zeroPoint }) => zeroPoint),
    ...(settings.granularity === 'group' && { groupSize }),
    type: codeType(settings),
    ...(hasTables(settings) && { tables: grids.map((grid) => grid.codes) }),
  }
}

/** Real values of codes, row-major. */
export function rowValues({ codes, columns, scale, zeroPoint, groupSize }: QuantizedRows): Float32Array {
  const perScale = scale.length === 1 ? codes.length : (groupSize ?? columns)
  return Float32Array.from(codes, (code, i) => {
    const place = Math.floor(i / perScale)
    return (scale[place] as number) * (code - (zeroPoint[place] as number))
  })
}

function codeType({ bits, method }: RowSettings): QuantizedRows['type'] {
  if (method === 'piecewise' || bits > 4) return 'int8'
  return bits > 2 ? 'int4' : 'int2'
}

/** Whether a row has fewer codes than its type. */
function hasTables({ bits, method }: RowSettings): boolean {
  return method === 'piecewise' || ![2, 4, 8].includes(bits)
}

function groupSizeOf({ granularity, groupSize }: RowSettings, columns: number): number {
  if (granularity !== 'group') return Math.max(columns, 1)
  if (columns % groupSize === 0) return groupSize
  throw new LowbitError('OPTION_INVALID', `groups of ${groupSize} do not divide rows of ${columns} weights`, {
    expected: `a divisor of ${columns}`,
    actual: groupSize,
  })
}

/** One grid in all, or one for each group of columns of each row. */
function gridsOf(
  values: Float32Array,
  {
    rows,
    columns,
    groupSize,
    shiftWeight,
  }: { rows: number; columns: number; groupSize: number; shiftWeight: number },
  settings: RowSettings,
): Grid[] {
  const { bits, scheme, method, clip, breakpoint } = settings
  const gridOf = (part: Float32Array) => {
    const weights = sortWeights(part, shiftWeight)
    if (method === 'piecewise') return piecewiseGrid(weights, { bits, breakpoint, clip })
    return uniformGrid(weights, { bits, scheme, clip })
  }
  if (settings.granularity === 'tensor') return [gridOf(values)]
  if (columns === 0) return Array.from({ length: rows }, () => gridOf(values))
  return Array.from({ length: values.length / groupSize }, (_, i) =>
    gridOf(values.subarray(i * groupSize, (i + 1) * groupSize)),
  )
}

/** Index of a level for each weight of a row. */
type Round = (row: Float32Array, index: number, levelsAt: (column: number) => Float64Array) => Uint8Array

function rounding({ rounding }: RowSettings, statistics: RowInputs | undefined, rows: number): Round {
  if (rounding === 'nearest' || statistics === undefined)
    return (row, _, levelsAt) => roundNearest(row, levelsAt)
  const { inputs, isMeanCorrected } = statistics
  const norms = inputs.groups.map(() => undefined as readonly ErrorNorm[] | undefined)
  const normsOf = (group: number) => {
    norms[group] ??= (inputs.groups[group] ?? []).map((moments) =>
      errorNorm(isMeanCorrected ? covariance(moments) : moments.gram, moments.columns),
    )
    return norms[group]
  }
  const rowsPerGroup = Math.max(Math.ceil(rows / inputs.groups.length), 1)
  return (row, index, levelsAt) => {
    const chosen = new Uint8Array(row.length)
    let at = 0
    for (const norm of normsOf(Math.floor(index / rowsPerGroup))) {
      const from = at
      at += norm.columns
      chosen.set(
        roundAdaptive(row.subarray(from, at), (column) => levelsAt(from + column), norm),
        from,
      )
    }
    return chosen
  }
}
