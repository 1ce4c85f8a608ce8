// The TFLite schema, version 3, as tables of our own: slots of each table, enums, builtin operators. The option
// tables are in schema-options.ts.

import type { Dtype } from '../../tensor/dtype.js'

export const FILE_IDENTIFIER = 'TFL3'
export const SCHEMA_VERSION = 3

/** Numbers the fields of a table in the order of the schema. */
export function slots<const Names extends readonly string[]>(
  ...names: Names
): Readonly<Record<Names[number], number>> {
  return Object.fromEntries(names.map((name, slot) => [name, slot])) as Record<Names[number], number>
}

export const MODEL = slots(
  'version',
  'operatorCodes',
  'subgraphs',
  'description',
  'buffers',
  'metadataBuffer',
  'metadata',
  'signatureDefs',
)
export const OPERATOR_CODE = slots('deprecatedBuiltinCode', 'customCode', 'version', 'builtinCode')
export const SUBGRAPH = slots('tensors', 'inputs', 'outputs', 'operators', 'name')
export const TENSOR = slots(
  'shape',
  'type',
  'buffer',
  'name',
  'quantization',
  'isVariable',
  'sparsity',
  'shapeSignature',
  'hasRank',
  'variantTensors',
  'externalBuffer',
)
export const QUANTIZATION = slots(
  'min',
  'max',
  'scale',
  'zeroPoint',
  'detailsType',
  'details',
  'quantizedDimension',
)
export const BLOCKWISE = slots('scales', 'zeroPoints', 'blockSize', 'blockShape')
export const OPERATOR = slots(
  'opcodeIndex',
  'inputs',
  'outputs',
  'builtinOptionsType',
  'builtinOptions',
  'customOptions',
  'customOptionsFormat',
  'mutatingVariableInputs',
  'intermediates',
  'largeCustomOptionsOffset',
  'largeCustomOptionsSize',
  'builtinOptions2Type',
  'builtinOptions2',
)
export const BUFFER = slots('data', 'offset', 'size')
export const METADATA = slots('name', 'buffer')
export const TENSOR_MAP = slots('name', 'tensorIndex')
export const SIGNATURE = slots('inputs', 'outputs', 'signatureKey', 'deprecatedTag', 'subgraphIndex')

/** Union `QuantizationDetails`, by code. */
export const QUANTIZATION_DETAILS = ['none', 'custom', 'blockwise', 'multi-axis'] as const

/** `TensorType`, by code; undefined where lowbit has no such data type (4-bit unsigned, 8-bit floats). */
export const TENSOR_TYPES: readonly (Dtype | undefined)[] = [
  'float32',
  'float16',
  'int32',
  'uint8',
  'int64',
  'string',
  'bool',
  'int16',
  'complex64',
  'int8',
  'float64',
  'complex128',
  'uint64',
  'resource',
  'variant',
  'uint32',
  'uint16',
  'int4',
  'bfloat16',
  'int2',
  undefined,
  undefined,
  undefined,
]

/** Enums of the option tables, by value. */
export const ENUMS = {
  TensorType: TENSOR_TYPES,
  Padding: ['SAME', 'VALID'],
  Activation: ['NONE', 'RELU', 'RELU_N1_TO_1', 'RELU6', 'TANH', 'SIGN_BIT'],
  WeightsFormat: ['DEFAULT', 'SHUFFLED4x16INT8'],
  LstmKernel: ['FULL', 'BASIC'],
  LshProjection: ['UNKNOWN', 'SPARSE', 'DENSE'],
  Combiner: ['SUM', 'MEAN', 'SQRTN'],
  MirrorPad: ['REFLECT', 'SYMMETRIC'],
  ReduceWindow: ['UNSUPPORTED', 'ADD', 'MUL', 'MINIMUM', 'MAXIMUM', 'ALL', 'ANY'],
  Comparison: ['EQ', 'NE', 'GE', 'GT', 'LE', 'LT'],
  ComparisonType: ['NOTYPE', 'FLOAT', 'FLOAT_TOTAL_ORDER', 'SIGNED', 'UNSIGNED'],
  Rng: ['DEFAULT', 'PHILOX', 'THREEFRY'],
  CustomFormat: ['FLEXBUFFERS'],
} as const

/** `BuiltinOperator` by code, each with its option table after a colon where it has one. */
const OPERATOR_TEXT = `
  ADD:Add AVERAGE_POOL_2D:Pool2D CONCATENATION:Concatenation CONV_2D:Conv2D
  DEPTHWISE_CONV_2D:DepthwiseConv2D DEPTH_TO_SPACE:DepthToSpace DEQUANTIZE:Dequantize EMBEDDING_LOOKUP
  FLOOR FULLY_CONNECTED:FullyConnected HASHTABLE_LOOKUP L2_NORMALIZATION:L2Norm L2_POOL_2D:Pool2D
  LOCAL_RESPONSE_NORMALIZATION:LocalResponseNormalization LOGISTIC LSH_PROJECTION:LSHProjection LSTM:LSTM
  MAX_POOL_2D:Pool2D MUL:Mul RELU RELU_N1_TO_1 RELU6 RESHAPE:Reshape RESIZE_BILINEAR:ResizeBilinear
  RNN:RNN SOFTMAX:Softmax SPACE_TO_DEPTH:SpaceToDepth SVDF:SVDF TANH CONCAT_EMBEDDINGS:ConcatEmbeddings
  SKIP_GRAM:SkipGram CALL:Call CUSTOM EMBEDDING_LOOKUP_SPARSE:EmbeddingLookupSparse PAD:Pad
  UNIDIRECTIONAL_SEQUENCE_RNN:SequenceRNN GATHER:Gather BATCH_TO_SPACE_ND:BatchToSpaceND
  SPACE_TO_BATCH_ND:SpaceToBatchND TRANSPOSE:Transpose MEAN:Reducer SUB:Sub DIV:Div SQUEEZE:Squeeze
  UNIDIRECTIONAL_SEQUENCE_LSTM:UnidirectionalSequenceLSTM STRIDED_SLICE:StridedSlice
  BIDIRECTIONAL_SEQUENCE_RNN:BidirectionalSequenceRNN EXP:Exp TOPK_V2:TopKV2 SPLIT:Split
  LOG_SOFTMAX:LogSoftmax DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM:BidirectionalSequenceLSTM CAST:Cast PRELU
  MAXIMUM:MaximumMinimum ARG_MAX:ArgMax MINIMUM:MaximumMinimum LESS:Less NEG:Neg PADV2:PadV2
  GREATER:Greater GREATER_EQUAL:GreaterEqual LESS_EQUAL:LessEqual SELECT:Select SLICE:Slice SIN
  TRANSPOSE_CONV:TransposeConv SPARSE_TO_DENSE:SparseToDense TILE:Tile EXPAND_DIMS:ExpandDims EQUAL:Equal
  NOT_EQUAL:NotEqual LOG SUM:Reducer SQRT RSQRT SHAPE:Shape POW:Pow ARG_MIN:ArgMin FAKE_QUANT:FakeQuant
  REDUCE_PROD:Reducer REDUCE_MAX:Reducer PACK:Pack LOGICAL_OR:LogicalOr ONE_HOT:OneHot
  LOGICAL_AND:LogicalAnd LOGICAL_NOT:LogicalNot UNPACK:Unpack REDUCE_MIN:Reducer FLOOR_DIV:FloorDiv
  REDUCE_ANY:Reducer SQUARE:Square ZEROS_LIKE:ZerosLike FILL:Fill FLOOR_MOD:FloorMod RANGE:Range
  RESIZE_NEAREST_NEIGHBOR:ResizeNearestNeighbor LEAKY_RELU:LeakyRelu SQUARED_DIFFERENCE:SquaredDifference
  MIRROR_PAD:MirrorPad ABS:Abs SPLIT_V:SplitV UNIQUE:Unique CEIL REVERSE_V2:ReverseV2 ADD_N:AddN
  GATHER_ND:GatherNd COS:Cos WHERE:Where RANK:Rank ELU REVERSE_SEQUENCE:ReverseSequence
  MATRIX_DIAG:MatrixDiag QUANTIZE:Quantize MATRIX_SET_DIAG:MatrixSetDiag ROUND HARD_SWISH:HardSwish IF:If
  WHILE:While NON_MAX_SUPPRESSION_V4:NonMaxSuppressionV4 NON_MAX_SUPPRESSION_V5:NonMaxSuppressionV5
  SCATTER_ND:ScatterNd SELECT_V2:SelectV2 DENSIFY:Densify SEGMENT_SUM:SegmentSum BATCH_MATMUL:BatchMatMul
  PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM:Cumsum CALL_ONCE:CallOnce BROADCAST_TO:BroadcastTo RFFT2D:Rfft2d
  CONV_3D:Conv3D IMAG REAL COMPLEX_ABS HASHTABLE:Hashtable HASHTABLE_FIND:HashtableFind
  HASHTABLE_IMPORT:HashtableImport HASHTABLE_SIZE:HashtableSize REDUCE_ALL:Reducer
  CONV_3D_TRANSPOSE:Conv3D VAR_HANDLE:VarHandle READ_VARIABLE:ReadVariable ASSIGN_VARIABLE:AssignVariable
  BROADCAST_ARGS RANDOM_STANDARD_NORMAL:Random BUCKETIZE:Bucketize RANDOM_UNIFORM:Random
  MULTINOMIAL:Random GELU:Gelu DYNAMIC_UPDATE_SLICE:DynamicUpdateSlice RELU_0_TO_1
  UNSORTED_SEGMENT_PROD:UnsortedSegmentProd UNSORTED_SEGMENT_MAX:UnsortedSegmentMax
  UNSORTED_SEGMENT_SUM:UnsortedSegmentSum ATAN2:ATan2 UNSORTED_SEGMENT_MIN:UnsortedSegmentMin SIGN:Sign
  BITCAST:Bitcast BITWISE_XOR:BitwiseXor RIGHT_SHIFT:RightShift STABLEHLO_LOGISTIC STABLEHLO_ADD
  STABLEHLO_DIVIDE STABLEHLO_MULTIPLY STABLEHLO_MAXIMUM STABLEHLO_RESHAPE STABLEHLO_CLAMP
  STABLEHLO_CONCATENATE:StablehloConcatenate STABLEHLO_BROADCAST_IN_DIM:StablehloBroadcastInDim
  STABLEHLO_CONVOLUTION:StablehloConvolution STABLEHLO_SLICE:StablehloSlice
  STABLEHLO_CUSTOM_CALL:StablehloCustomCall STABLEHLO_REDUCE:StablehloReduce STABLEHLO_ABS STABLEHLO_AND
  STABLEHLO_COSINE STABLEHLO_EXPONENTIAL STABLEHLO_FLOOR STABLEHLO_LOG STABLEHLO_MINIMUM STABLEHLO_NEGATE
  STABLEHLO_OR STABLEHLO_POWER STABLEHLO_REMAINDER STABLEHLO_RSQRT STABLEHLO_SELECT STABLEHLO_SUBTRACT
  STABLEHLO_TANH STABLEHLO_SCATTER:StablehloScatter STABLEHLO_COMPARE:StablehloCompare STABLEHLO_CONVERT
  STABLEHLO_DYNAMIC_SLICE:StablehloDynamicSlice STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_PAD:StablehloPad
  STABLEHLO_IOTA:StablehloIota STABLEHLO_DOT_GENERAL:StablehloDotGeneral
  STABLEHLO_REDUCE_WINDOW:StablehloReduceWindow STABLEHLO_SORT:StablehloSort
  STABLEHLO_WHILE:StablehloWhile STABLEHLO_GATHER:StablehloGather STABLEHLO_TRANSPOSE:StablehloTranspose
  DILATE:Dilate STABLEHLO_RNG_BIT_GENERATOR:StablehloRngBitGenerator REDUCE_WINDOW:ReduceWindow
  STABLEHLO_COMPOSITE:StableHLOComposite STABLEHLO_SHIFT_LEFT:StablehloShiftLeft STABLEHLO_CBRT
  STABLEHLO_CASE:StablehloCase
`

export interface BuiltinOperator {
  readonly code: number
  readonly name: string
  /** Name of its option table, without the ending `Options`. */
  readonly options?: string
}

export const BUILTIN_OPERATORS: readonly BuiltinOperator[] = OPERATOR_TEXT.trim()
  .split(/\s+/)
  .map((text, code) => {
    const [name = '', options] = text.split(':')
    return options === undefined ? { code, name } : { code, name, options }
  })

/** Code of operators known by a name of their own. */
export const CUSTOM_CODE = 32

const CODES = new Map(BUILTIN_OPERATORS.map((operator) => [operator.name, operator.code]))

/** Code of a builtin operator's name; undefined for a name that the schema lacks. */
export function operatorCode(name: string): number | undefined {
  return CODES.get(name)
}
