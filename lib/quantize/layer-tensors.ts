// Quantised weights and biases as tensors of a file.

import type { OperatorRecord, TensorRecord } from '../model/model.js'
import { toHalf } from '../numerics/half.js'
import { packCodes } from '../tensor/packed.js'
import type { QuantizedRows } from './codes.js'
import { bytesOf } from './constants.js'
import type { Form } from './forms.js'
import { fromRows, type RowLayout } from './weights/rows.js'

export interface LayerTensors {
  readonly weights: TensorRecord
  /** Scales of the weights where blocks of a row have their own. */
  readonly blocks?: { readonly scales: TensorRecord; readonly size: number }
  readonly bias?: TensorRecord
  /** Version that these weights need: of the operator, or of DEQUANTIZE where that widens them. */
  readonly version: number
  /** Beside the operator's own. */
  readonly options?: OperatorRecord['options']
}

/** A layer as it was, for which tensors are made. */
export interface Layer {
  readonly type: string
  readonly form: Exclude<Form, { kind: 'float' }>
  readonly weights: TensorRecord
  readonly layout: RowLayout
  readonly bias?: { readonly record: TensorRecord; readonly values: Float32Array }
}

/** Versions of hybrid operators: with a scale, with a scale for each channel, with int4. */
const DYNAMIC_VERSIONS: Readonly<Record<string, readonly [number, number, number]>> = {
  CONV_2D: [2, 5, 7],
  DEPTHWISE_CONV_2D: [6, 6, 7],
  FULLY_CONNECTED: [9, 12, 10],
}
/** Versions of integer operators with int4 weights. */
const INT4_VERSIONS: Readonly<Record<string, number>> = {
  CONV_2D: 7,
  FULLY_CONNECTED: 10,
}
const BLOCKWISE_VERSION = 13

/** Tensors of a layer whose activations are codes; `rows` may have been changed by `fitBias`. */
export function integerTensors(layer: Layer, rows: QuantizedRows, inputScale: number): LayerTensors {
  const { type, form, bias } = layer
  const isUnsigned = form.kind === 'integer' && form.type === 'uint8'
  const version =
    rows.type === 'int4' ? (INT4_VERSIONS[type] ?? 1) : rows.scale.length > 1 ? channelVersion(type) : 1
  const isWide = form.kind === 'integer' && form.type === 'int16'
  return {
    weights: isUnsigned ? unsigned(weightTensor(layer, rows), rows) : weightTensor(layer, rows),
    ...(bias && { bias: biasTensor(bias, rows, inputScale, isWide) }),
    version,
  }
}

const channelVersion = (type: string) => (type === 'FULLY_CONNECTED' ? 12 : 1)

/** Tensors of a layer with float32 activations; so is its bias. */
export function hybridTensors(layer: Layer, rows: QuantizedRows): LayerTensors {
  return { ...hybridWeights(layer, rows), ...(layer.bias && { bias: realBias(layer.bias) }) }
}

function realBias({ record, values }: NonNullable<Layer['bias']>): TensorRecord {
  return { ...record, data: bytesOf(values) }
}

function hybridWeights(layer: Layer, rows: QuantizedRows): LayerTensors {
  const weights = weightTensor(layer, layer.type === 'DEPTHWISE_CONV_2D' ? withRowScales(rows) : rows)
  const { groupSize, scale } = rows
  if (layer.form.kind === 'stored') {
    return { weights, version: rows.type === 'int4' ? 6 : scale.length > 1 ? 5 : 2 }
  }
  if (groupSize !== undefined) {
    const { quantization: _, ...rest } = weights
    return {
      weights: rest,
      blocks: { scales: blockScales(layer, rows), size: groupSize },
      version: BLOCKWISE_VERSION,
    }
  }
  const [one, channels, narrow] = DYNAMIC_VERSIONS[layer.type] ?? [1, 1, 1]
  const version = rows.type === 'int4' ? narrow : scale.length > 1 ? channels : one
  const isAsymmetric = layer.type === 'FULLY_CONNECTED' && rows.type === 'int8'
  return { weights, version, ...(isAsymmetric && { options: { asymmetricQuantizeInputs: true } }) }
}

/** Weights in binary16, widened by DEQUANTIZE; `values` are their rows. */
export function halfTensors({ weights, layout }: Layer, values: Float32Array): LayerTensors {
  const halves = Uint16Array.from(fromRows(values, layout), toHalf)
  return {
    weights: { ...weights, name: `${weights.name}_float16`, dtype: 'float16', data: bytesOf(halves) },
    version: 3,
  }
}

function weightTensor({ weights, layout }: Layer, rows: QuantizedRows): TensorRecord {
  const codes = fromRows(rows.codes, layout)
  const bits = rows.type === 'int4' ? 4 : rows.type === 'int2' ? 2 : undefined
  const { scale, zeroPoint } = rows
  return {
    ...weights,
    name: `${weights.name}_${rows.type}`,
    dtype: rows.type,
    data: bits === undefined ? bytesOf(codes) : packCodes(codes, bits),
    quantization: { scale, zeroPoint, axis: scale.length > 1 ? layout.axis : 0 },
  }
}

/** A scale for each row, all alike if there is one: the hybrid depthwise kernel takes them so. */
function withRowScales(rows: QuantizedRows): QuantizedRows {
  if (rows.scale.length !== 1) return rows
  const scale = new Float32Array(rows.rows).fill(rows.scale[0] as number)
  return { ...rows, scale, zeroPoint: new Int32Array(rows.rows).fill(rows.zeroPoint[0] as number) }
}

/** The same weights as uint8: codes and zero point are 128 more. */
function unsigned(tensor: TensorRecord, { zeroPoint, scale }: QuantizedRows): TensorRecord {
  const data = Uint8Array.from(tensor.data as Uint8Array, (byte) => byte ^ 0x80)
  const quantization = { scale, zeroPoint: zeroPoint.map((zero) => zero + 128), axis: 0 }
  return { ...tensor, name: tensor.name.replace(/int8$/, 'uint8'), dtype: 'uint8', data, quantization }
}

function blockScales({ weights, layout }: Layer, { scale, groupSize = 1 }: QuantizedRows): TensorRecord {
  return {
    name: `${weights.name}_scales`,
    shape: [layout.rows, layout.columns / groupSize],
    shapeSignature: [layout.rows, layout.columns / groupSize],
    dtype: 'float16',
    data: bytesOf(Uint16Array.from(scale, toHalf)),
    isVariable: false,
    isSparse: false,
  }
}

/** int32 codes of a bias, int64 beside int16 activations: its scale is that of the accumulator. */
function biasTensor(
  { record, values }: NonNullable<Layer['bias']>,
  rows: QuantizedRows,
  inputScale: number,
  isWide: boolean,
): TensorRecord {
  const scale = rows.scale.map((one) => inputScale * one)
  const steps = Array.from(values, (value, i) =>
    roundHalfAway(value / (inputScale * (rows.scale[rows.scale.length === 1 ? 0 : i] as number))),
  )
  return {
    ...record,
    name: `${record.name}_${isWide ? 'int64' : 'int32'}`,
    dtype: isWide ? 'int64' : 'int32',
    data: bytesOf(isWide ? BigInt64Array.from(steps, (step) => BigInt(step)) : Int32Array.from(steps)),
    quantization: { scale, zeroPoint: new Int32Array(scale.length), axis: 0 },
  }
}

/** Largest code of an int32 bias: half of the accumulator is left for the products. */
const MOST_BIAS = 2 ** 30

/**
 * Rows with steps so large that the bias fits its codes. It matters for channels whose weights are next to nothing.
 *
 * @param bias One number a row.
 */
export function fitBias(
  rows: QuantizedRows,
  bias: Float32Array | undefined,
  inputScale: number,
): QuantizedRows {
  const magnitudes = Float32Array.from(bias ?? [], Math.abs)
  const needed = Float32Array.from(rows.scale, (scale, r) => {
    const most = rows.scale.length === 1 ? Math.max(0, ...magnitudes) : (magnitudes[r] ?? 0)
    return Math.max(scale, most / (inputScale * MOST_BIAS)) || 1
  })
  if (needed.every((scale, i) => scale === rows.scale[i])) return rows
  const perScale = rows.codes.length / needed.length
  const codes = rows.codes.map((code, i) => {
    const s = Math.floor(i / perScale)
    const [before, after] = [rows.scale[s] as number, needed[s] as number]
    return before === after ? code : roundHalfAway((code * before) / after)
  })
  return { ...rows, codes, scale: needed }
}

function roundHalfAway(x: number): number {
  return Math.sign(x) * Math.round(Math.abs(x))
}
