// A sound model for tests of the decoder: the raw flatbuffer, any field of which a test may replace, and a richer
// model made by the encoder.

import { encode } from '#lib/format/tflite/encode.js'
import {
  BUFFER,
  METADATA,
  MODEL,
  OPERATOR,
  OPERATOR_CODE,
  QUANTIZATION,
  SIGNATURE,
  SUBGRAPH,
  TENSOR,
  TENSOR_MAP,
} from '#lib/format/tflite/schema.js'
import {
  bytes,
  type Flat,
  f32s,
  i8,
  i32,
  i32s,
  i64s,
  table,
  tables,
  text,
  write,
} from '../../helpers/flat.js'
import { model } from '../../helpers/model-builder.js'

export type Fields = Readonly<Record<number, Flat | undefined>>

/** Fields to replace in the parts of the raw model. */
export interface Changes {
  readonly model?: Fields
  readonly subgraph?: Fields
  /** Tensors: the input, the weights, the bias, the output. */
  readonly input?: Fields
  readonly weights?: Fields
  readonly weightScales?: Fields
  readonly bias?: Fields
  readonly output?: Fields
  readonly outputScales?: Fields
  readonly operator?: Fields
  readonly operatorCode?: Fields
  readonly options?: Fields
  readonly weightBuffer?: Fields
  readonly signature?: Fields
  readonly signatureInput?: Fields
  readonly metadata?: Fields
}

/** The same model, its operator of another code and without options, unless they are given. */
export const coded = (code: number, operator: Fields = {}): Changes => ({
  operatorCode: {
    [OPERATOR_CODE.deprecatedBuiltinCode]: i8(Math.min(code, 127)),
    [OPERATOR_CODE.builtinCode]: i32(code),
  },
  operator: { [OPERATOR.builtinOptionsType]: undefined, [OPERATOR.builtinOptions]: undefined, ...operator },
})

/** CONV_2D, its options in slot order: padding, strides, activation. */
const CONV_OPTIONS = { 0: i8(1), 1: i32(1), 2: i32(1), 3: i8(3) }

/** The parts of a model of one CONV_2D: int8 [1, 4, 4, 2] by three filters of 1x1, per-channel scales. */
export function rawParts(changes: Changes = {}): { root: Flat; tensor: Flat; operator: Flat } {
  const scales = (count: number, extra: Fields = {}) =>
    table({
      [QUANTIZATION.scale]: f32s(...Array.from({ length: count }, (_, i) => 0.5 + i)),
      [QUANTIZATION.zeroPoint]: i64s(...Array.from({ length: count }, () => 0)),
      ...extra,
    })
  const tensor = (name: string, shape: readonly number[], type: number, buffer: number, extra: Fields) =>
    table({
      [TENSOR.shape]: i32s(...shape),
      [TENSOR.type]: i8(type),
      [TENSOR.buffer]: i32(buffer),
      [TENSOR.name]: text(name),
      ...extra,
    })
  const input = tensor('image', [1, 4, 4, 2], 9, 0, { [TENSOR.quantization]: scales(1), ...changes.input })
  const weights = tensor('weights', [3, 1, 1, 2], 9, 1, {
    [TENSOR.quantization]: scales(3, changes.weightScales),
    ...changes.weights,
  })
  const bias = tensor('bias', [3], 2, 2, { [TENSOR.quantization]: scales(3), ...changes.bias })
  const output = tensor('result', [1, 4, 4, 3], 9, 0, {
    [TENSOR.quantization]: scales(1, changes.outputScales),
    ...changes.output,
  })
  const operator = table({
    [OPERATOR.opcodeIndex]: i32(0),
    [OPERATOR.inputs]: i32s(0, 1, 2),
    [OPERATOR.outputs]: i32s(3),
    [OPERATOR.builtinOptionsType]: i8(1),
    [OPERATOR.builtinOptions]: table({ ...CONV_OPTIONS, ...changes.options }),
    ...changes.operator,
  })
  const code = { [OPERATOR_CODE.deprecatedBuiltinCode]: i8(3), [OPERATOR_CODE.builtinCode]: i32(3) }
  const entry = (name: string, index: number, extra: Fields = {}) =>
    table({ [TENSOR_MAP.name]: text(name), [TENSOR_MAP.tensorIndex]: i32(index), ...extra })
  const signature = table({
    [SIGNATURE.inputs]: tables(entry('x', 0, changes.signatureInput)),
    [SIGNATURE.outputs]: tables(entry('y', 3)),
    [SIGNATURE.signatureKey]: text('serve'),
    ...changes.signature,
  })
  const subgraph = table({
    [SUBGRAPH.tensors]: tables(input, weights, bias, output),
    [SUBGRAPH.inputs]: i32s(0),
    [SUBGRAPH.outputs]: i32s(3),
    [SUBGRAPH.operators]: tables(operator),
    [SUBGRAPH.name]: text('main'),
    ...changes.subgraph,
  })
  const root = table({
    [MODEL.version]: i32(3),
    [MODEL.operatorCodes]: tables(table({ ...code, ...changes.operatorCode })),
    [MODEL.subgraphs]: tables(subgraph),
    [MODEL.buffers]: tables(
      table({}),
      table({ [BUFFER.data]: bytes(1, 2, 3, 4, 5, 6), ...changes.weightBuffer }),
      table({ [BUFFER.data]: bytes(...Array.from({ length: 12 }, (_, i) => i)) }),
      table({ [BUFFER.data]: text('1.5.0') }),
    ),
    [MODEL.metadata]: tables(
      table({ [METADATA.name]: text('min_runtime_version'), [METADATA.buffer]: i32(3), ...changes.metadata }),
    ),
    [MODEL.signatureDefs]: tables(signature),
    ...changes.model,
  })
  return { root, tensor: input, operator }
}

export function rawFile(changes: Changes = {}): Uint8Array {
  return write(rawParts(changes).root, 'TFL3')
}

const VALUES = Array.from({ length: 6000 }, (_, i) => (i % 255) - 127)

/** A model with most of what files hold: two subgraphs, a loop, packed and text constants, blocks, a custom operator. */
export const RICH = model(
  [
    {
      name: 'main',
      tensors: {
        x: { dtype: 'int8', shape: [1, 6], shapeSignature: [-1, 6], scale: 0.25, zeroPoint: -3 },
        weights: { dtype: 'int4', shape: [3, 6], data: VALUES.slice(0, 18), scale: [1, 2, 3], axis: 0 },
        sum: { dtype: 'int8', shape: [1, 3], scale: 0.5, zeroPoint: 4 },
        big: { dtype: 'int8', shape: [6000], data: VALUES, scale: 1 },
        counter: { dtype: 'int32', shape: [] },
        counted: { dtype: 'int32', shape: [] },
        names: { dtype: 'string', shape: [2], data: ['Äpfel', ''] },
        blocks: {
          dtype: 'int4',
          shape: [2, 32],
          data: VALUES.slice(0, 64),
          blockwise: { scales: 8, zeroPoints: -1, blockSize: 32 },
        },
        blockScales: { dtype: 'float16', shape: [2], data: [0x3c00, 0x4000] },
        state: { dtype: 'float32', shape: [1, 2], isVariable: true },
        nothing: { dtype: 'int32', shape: [0], data: [] },
        odd: { dtype: 'float32', shape: [1, 2] },
      },
      operators: [
        {
          type: 'FULLY_CONNECTED',
          version: 4,
          inputs: ['x', 'weights', null],
          outputs: ['sum'],
          options: {
            fusedActivationFunction: 1,
            weightsFormat: 0,
            keepNumDims: true,
            asymmetricQuantizeInputs: false,
            quantizedBiasType: 0,
            quantSpec: new Uint8Array(0),
          },
        },
        {
          type: 'WHILE',
          inputs: ['counter'],
          outputs: ['counted'],
          options: { condSubgraphIndex: 1, bodySubgraphIndex: 2 },
        },
        {
          type: 'our:operator',
          inputs: ['names', 'state', 'nothing', 'big'],
          outputs: ['odd'],
          customOptions: Uint8Array.of(1, 2, 3),
        },
      ],
      inputs: ['x', 'counter'],
      outputs: ['sum', 'counted', 'odd'],
    },
    {
      name: 'cond',
      tensors: {
        n: { dtype: 'int32', shape: [] },
        end: { dtype: 'int32', shape: [], data: [9] },
        more: { dtype: 'bool', shape: [] },
      },
      operators: [{ type: 'LESS', inputs: ['n', 'end'], outputs: ['more'] }],
      inputs: ['n'],
      outputs: ['more'],
    },
    {
      name: 'body',
      tensors: { n: { dtype: 'int32', shape: [] }, next: { dtype: 'int32', shape: [] } },
      operators: [
        {
          type: 'ADD',
          inputs: ['n', 'n'],
          outputs: ['next'],
          options: { fusedActivationFunction: 0, potScaleInt16: true },
        },
      ],
      inputs: ['n'],
      outputs: ['next'],
    },
  ],
  {
    description: 'everything',
    signatures: [
      {
        name: 'one',
        subgraph: 0,
        inputs: [
          { name: 'x', tensor: 0 },
          { name: 'n', tensor: 4 },
        ],
        outputs: [{ name: 'y', tensor: 2 }],
      },
      { name: 'two', subgraph: 2, inputs: [], outputs: [{ name: 'n', tensor: 1 }] },
    ],
    metadata: [{ name: 'note', data: Uint8Array.of(7, 8, 9) }],
  },
)

export const RICH_FILE = encode(RICH)
