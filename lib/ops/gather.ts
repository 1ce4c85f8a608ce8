// GATHER, GATHER_ND and EMBEDDING_LOOKUP: slices of a table by indices, which may be computed at run time.

import type { Dtype } from '../tensor/dtype.js'
import { unpackCodes } from '../tensor/packed.js'
import { elementCount } from '../tensor/shape.js'
import { binaryStep } from './binary.js'
import { castStep } from './cast.js'
import {
  axisOf,
  codesOf,
  expectDtype,
  expectInputs,
  expectRank,
  expectSameDtype,
  extentOf,
  MOVABLE,
} from './checks.js'
import { constantOperand } from './constant.js'
import { defineOp, type Inferred, type NodeContext, type Operand, type Step } from './contract.js'

const INDICES: readonly Dtype[] = ['int16', 'int32', 'int64']

/** The table as batches x outer x dims x inner elements, `count` indices a batch. */
interface Geometry {
  readonly batches: number
  readonly outer: number
  readonly dims: readonly number[]
  readonly inner: number
  readonly count: number
}

export function gatherStep(table: Operand, indices: Operand, output: Operand, geometry: Geometry): Step {
  const { batches, outer, dims, inner, count } = geometry
  const attributes = { batches, outer, inner, count, rank: dims.length, dims: Int32Array.from(dims) }
  return { kind: 'gather', inputs: [table, indices], outputs: [output], attributes }
}

/** Constant indices lie inside `dims`, whose extents they name in turn: else `SHAPE_MISMATCH`. Others are checked in a run. */
function expectIndices(node: NodeContext<unknown>, indices: Operand, dims: readonly number[]): void {
  if (indices.data === undefined || indices.dtype === 'int16' || dims.length === 0) return
  for (const [i, index] of node.constantInts(indices).entries()) {
    const extent = dims[i % dims.length] as number
    if (index >= 0 && index < extent) continue
    throw node.fail('SHAPE_MISMATCH', `index ${index} of ${extent} slices`, {
      expected: extent,
      actual: index,
    })
  }
}

/** A result with as many dimensions as native code takes: else `OPERATOR_UNSUPPORTED`. */
function result(node: NodeContext<unknown>, shape: readonly number[], dtype: Dtype): readonly Inferred[] {
  if (shape.length > 8) throw node.fail('OPERATOR_UNSUPPORTED', `a result of rank ${shape.length}`)
  return [{ shape, dtype }]
}

interface GatherAttributes {
  readonly axis: number
  /** Leading dimensions that table and indices share; negative ones count from the end of the indices' shape. */
  readonly batchDims: number
}

function placeOf(node: NodeContext<GatherAttributes>): { readonly axis: number; readonly batchDims: number } {
  const [table, indices] = [node.input(0), node.input(1)]
  const axis = axisOf(node, node.attributes.axis, table.shape.length)
  const given = node.attributes.batchDims
  const batchDims = given < 0 ? given + indices.shape.length : given
  const shared = table.shape.slice(0, Math.max(0, batchDims))
  if (
    !(batchDims >= 0 && batchDims <= axis && batchDims <= indices.shape.length) ||
    shared.some((extent, i) => extent !== indices.shape[i])
  ) {
    throw node.fail('SHAPE_MISMATCH', `table and indices do not share ${given} batch dimensions`, {
      expected: table.shape,
      actual: indices.shape,
    })
  }
  return { axis, batchDims }
}

export const gather = defineOp<GatherAttributes>({
  name: 'gather',
  tflite: {
    type: 'GATHER',
    read: (options) => ({ axis: Number(options['axis'] ?? 0), batchDims: Number(options['batchDims'] ?? 0) }),
  },
  infer(node) {
    expectInputs(node, 2)
    const [table, indices] = [node.input(0), node.input(1)]
    expectDtype(node, table, MOVABLE)
    expectDtype(node, indices, INDICES)
    expectRank(node, table, 1, 8)
    const { axis, batchDims } = placeOf(node)
    expectIndices(node, indices, [table.shape[axis] as number])
    const shape = [
      ...table.shape.slice(0, axis),
      ...indices.shape.slice(batchDims),
      ...table.shape.slice(axis + 1),
    ]
    return result(node, shape, table.dtype)
  },
  lower(node) {
    const [table, indices, output] = [node.input(0), node.input(1), node.output(0)]
    expectSameDtype(node, table, output)
    const { axis, batchDims } = placeOf(node)
    const { shape } = table
    const geometry = {
      batches: extentOf(shape, 0, batchDims),
      outer: extentOf(shape, batchDims, axis),
      dims: [shape[axis] as number],
      inner: extentOf(shape, axis + 1, shape.length),
      count: extentOf(indices.shape, batchDims, indices.shape.length),
    }
    return { steps: [gatherStep(table, indices, output, geometry)] }
  },
})

export const gatherNd = defineOp<Record<string, never>>({
  name: 'gather_nd',
  tflite: { type: 'GATHER_ND', read: () => ({}) },
  infer(node) {
    expectInputs(node, 2)
    const [table, indices] = [node.input(0), node.input(1)]
    expectDtype(node, table, MOVABLE)
    expectDtype(node, indices, INDICES)
    expectRank(node, table, 1, 8)
    expectRank(node, indices, 1, 8)
    const depth = indices.shape.at(-1) as number
    if (depth > table.shape.length) {
      throw node.fail(
        'SHAPE_MISMATCH',
        `an index has ${depth} numbers, the table ${table.shape.length} dimensions`,
        {
          expected: table.shape.length,
          actual: depth,
        },
      )
    }
    expectIndices(node, indices, table.shape.slice(0, depth))
    return result(node, [...indices.shape.slice(0, -1), ...table.shape.slice(depth)], table.dtype)
  },
  lower(node) {
    const [table, indices, output] = [node.input(0), node.input(1), node.output(0)]
    expectSameDtype(node, table, output)
    const depth = indices.shape.at(-1) as number
    const geometry = {
      batches: 1,
      outer: 1,
      dims: table.shape.slice(0, depth),
      inner: extentOf(table.shape, depth, table.shape.length),
      count: extentOf(indices.shape, 0, indices.shape.length - 1),
    }
    return { steps: [gatherStep(table, indices, output, geometry)] }
  },
})

/** Codes whose rows become float32, and rows that are moved as they are. */
const CODES: readonly Dtype[] = ['int2', 'int4', 'int8', 'uint8']

export const embeddingLookup = defineOp<Record<string, never>>({
  name: 'embedding_lookup',
  tflite: { type: 'EMBEDDING_LOOKUP', read: () => ({}) },
  infer(node) {
    expectInputs(node, 2)
    const [indices, table, output] = [node.input(0), node.input(1), node.output(0)]
    expectDtype(node, indices, ['int32'])
    expectRank(node, indices, 1)
    expectRank(node, table, 2, 8)
    expectIndices(node, indices, [table.shape[0] as number])
    const decodes = output.dtype === 'float32' && CODES.includes(table.dtype)
    if (!decodes) expectDtype(node, table, MOVABLE)
    return [
      {
        shape: [indices.shape[0] as number, ...table.shape.slice(1)],
        dtype: decodes ? 'float32' : table.dtype,
      },
    ]
  },
  lower(node) {
    const [indices, table, output] = [node.input(0), node.input(1), node.output(0)]
    const [rows = 0, ...rest] = table.shape
    const count = indices.shape[0] as number
    const geometry = { batches: 1, outer: 1, dims: [rows], inner: elementCount(rest), count }
    if (table.dtype === output.dtype) return { steps: [gatherStep(table, indices, output, geometry)] }

    // Rows of codes, the scale of each, and their product in float32, as the reference multiplies.
    const temporary = (name: string, dtype: Dtype, shape: readonly number[]): Operand => ({
      name: `${output.name}/${name}`,
      dtype,
      shape,
    })
    const bytes = unpacked(node, table)
    const [codes, numbers] = [
      temporary('codes', bytes.dtype, output.shape),
      temporary('numbers', 'float32', output.shape),
    ]
    const column = rest.map(() => 1)
    const scales = scalesOf(node, table, rows)
    const steps = [gatherStep(bytes, indices, codes, geometry), castStep(codes, numbers)]
    let factor = constantOperand(`${table.name}/scales`, 'float32', [scales.length, ...column], scales)
    if (scales.length > 1) {
      const chosen = temporary('scales', 'float32', [count, ...column])
      steps.push(gatherStep(factor, indices, chosen, { ...geometry, inner: 1 }))
      factor = chosen
    }
    return { steps: [...steps, { ...binaryStep('mul', numbers, factor, output), inPlace: 0 }] }
  },
})

/** The table with one byte a code. */
function unpacked(node: NodeContext<unknown>, table: Operand): Operand {
  if (table.dtype !== 'int4' && table.dtype !== 'int2') return table
  if (table.data === undefined) {
    throw node.fail('OPERATOR_UNSUPPORTED', `tensor "${table.name}" of ${table.dtype} must be a constant`)
  }
  const codes = new Int8Array(elementCount(table.shape))
  unpackCodes(table.data, table.dtype === 'int4' ? 4 : 2, codes)
  return constantOperand(table.name, 'int8', table.shape, codes)
}

/** One scale, or one a row. @see TFLite, kernels/embedding_lookup.cc: Prepare. Zero points must be 0. */
function scalesOf(node: NodeContext<unknown>, table: Operand, rows: number): Float32Array {
  const { name, quantization } = table
  if (quantization?.zeroPoint.some((zero) => zero !== 0)) {
    throw node.fail('OPERATOR_UNSUPPORTED', `tensor "${name}" has a zero point, only 0 runs`, {
      tensor: name,
    })
  }
  if (quantization === undefined || quantization.scale.length === 1) {
    return Float32Array.of(codesOf(node, table).scale)
  }
  const { scale, axis } = quantization
  if (scale.length !== rows || axis !== 0) {
    throw node.fail('FILE_INVALID', `tensor "${name}" has ${scale.length} scales for ${rows} rows`, {
      tensor: name,
      expected: rows,
      actual: scale.length,
    })
  }
  if (!scale.every(Number.isFinite)) {
    throw node.fail('NOT_FINITE', `tensor "${name}" has a scale that is not finite`, { tensor: name })
  }
  return Float32Array.from(scale)
}
