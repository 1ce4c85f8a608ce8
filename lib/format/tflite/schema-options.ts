// The option tables of the TFLite schema, version 3: which fields each has, in slot order, and their types.
// One description serves reading and writing. Names are the schema's in lowerCamelCase, the tables' without
// their ending `Options`; the order of the tables is their code in the union, counted from 1.

import { ENUMS } from './schema.js'

/**
 * How a field is stored. `enum` is one byte and `enum32` four, both checked against their list; `i64` must be a safe
 * integer and `bigint` may be any; `subgraph` is the index of a subgraph; `gone` is a slot no longer used.
 */
export type FieldKind =
  | 'bool'
  | 'i32'
  | 'i64'
  | 'bigint'
  | 'f32'
  | 'enum'
  | 'enum32'
  | 'subgraph'
  | 'string'
  | '[bool]'
  | '[u8]'
  | '[i32]'
  | '[i64]'
  | '[f32]'
  | '[subgraph]'
  | 'gone'

export interface Field {
  readonly name: string
  readonly slot: number
  readonly kind: FieldKind
  /** Value of an absent scalar. */
  readonly fallback: number | boolean
  /** Number of values of an enum. */
  readonly values: number
}

export interface OptionTable {
  readonly name: string
  /** Which of the two unions of `Operator` holds it: `builtin_options` or `builtin_options_2`. */
  readonly union: 1 | 2
  /** Its code in that union. */
  readonly code: number
  readonly fields: readonly Field[]
}

type EnumName = keyof typeof ENUMS
/** A kind, with the enum's name where it is one, and the default where that is not zero. */
type FieldText =
  | FieldKind
  | `enum:${EnumName}`
  | `enum32:${EnumName}`
  | `i32=${number}`
  | 'bool=true'
  | `enum:${EnumName}=${number}`
type TableTexts = Readonly<Record<string, Readonly<Record<string, FieldText>>>>

/** Union `BuiltinOptions`. */
const FIRST: TableTexts = {
  Conv2D: {
    padding: 'enum:Padding',
    strideW: 'i32',
    strideH: 'i32',
    fusedActivationFunction: 'enum:Activation',
    dilationWFactor: 'i32=1',
    dilationHFactor: 'i32=1',
    quantizedBiasType: 'enum:TensorType',
  },
  DepthwiseConv2D: {
    padding: 'enum:Padding',
    strideW: 'i32',
    strideH: 'i32',
    depthMultiplier: 'i32',
    fusedActivationFunction: 'enum:Activation',
    dilationWFactor: 'i32=1',
    dilationHFactor: 'i32=1',
  },
  ConcatEmbeddings: { numChannels: 'i32', numColumnsPerChannel: '[i32]', embeddingDimPerChannel: '[i32]' },
  LSHProjection: { type: 'enum:LshProjection' },
  Pool2D: {
    padding: 'enum:Padding',
    strideW: 'i32',
    strideH: 'i32',
    filterWidth: 'i32',
    filterHeight: 'i32',
    fusedActivationFunction: 'enum:Activation',
  },
  SVDF: { rank: 'i32', fusedActivationFunction: 'enum:Activation', asymmetricQuantizeInputs: 'bool' },
  RNN: { fusedActivationFunction: 'enum:Activation', asymmetricQuantizeInputs: 'bool' },
  FullyConnected: {
    fusedActivationFunction: 'enum:Activation',
    weightsFormat: 'enum:WeightsFormat',
    keepNumDims: 'bool',
    asymmetricQuantizeInputs: 'bool',
    quantizedBiasType: 'enum:TensorType',
    quantSpec: '[u8]',
  },
  Softmax: { beta: 'f32' },
  Concatenation: { axis: 'i32', fusedActivationFunction: 'enum:Activation' },
  Add: { fusedActivationFunction: 'enum:Activation', potScaleInt16: 'bool=true' },
  L2Norm: { fusedActivationFunction: 'enum:Activation' },
  LocalResponseNormalization: { radius: 'i32', bias: 'f32', alpha: 'f32', beta: 'f32' },
  LSTM: {
    fusedActivationFunction: 'enum:Activation',
    cellClip: 'f32',
    projClip: 'f32',
    kernelType: 'enum:LstmKernel',
    asymmetricQuantizeInputs: 'bool',
  },
  ResizeBilinear: { newHeight: 'gone', newWidth: 'gone', alignCorners: 'bool', halfPixelCenters: 'bool' },
  Call: { subgraph: 'subgraph' },
  Reshape: { newShape: '[i32]' },
  SkipGram: { ngramSize: 'i32', maxSkipSize: 'i32', includeAllNgrams: 'bool' },
  SpaceToDepth: { blockSize: 'i32' },
  EmbeddingLookupSparse: { combiner: 'enum:Combiner' },
  Mul: { fusedActivationFunction: 'enum:Activation' },
  Pad: {},
  Gather: { axis: 'i32', batchDims: 'i32' },
  BatchToSpaceND: {},
  SpaceToBatchND: {},
  Transpose: {},
  Reducer: { keepDims: 'bool' },
  Sub: { fusedActivationFunction: 'enum:Activation', potScaleInt16: 'bool=true' },
  Div: { fusedActivationFunction: 'enum:Activation' },
  Squeeze: { squeezeDims: '[i32]' },
  SequenceRNN: {
    timeMajor: 'bool',
    fusedActivationFunction: 'enum:Activation',
    asymmetricQuantizeInputs: 'bool',
  },
  StridedSlice: {
    beginMask: 'i32',
    endMask: 'i32',
    ellipsisMask: 'i32',
    newAxisMask: 'i32',
    shrinkAxisMask: 'i32',
    offset: 'bool',
  },
  Exp: {},
  TopKV2: {},
  Split: { numSplits: 'i32' },
  LogSoftmax: {},
  Cast: { inDataType: 'enum:TensorType', outDataType: 'enum:TensorType' },
  Dequantize: {},
  MaximumMinimum: {},
  ArgMax: { outputType: 'enum:TensorType' },
  Less: {},
  Neg: {},
  PadV2: {},
  Greater: {},
  GreaterEqual: {},
  LessEqual: {},
  Select: {},
  Slice: {},
  TransposeConv: {
    padding: 'enum:Padding',
    strideW: 'i32',
    strideH: 'i32',
    fusedActivationFunction: 'enum:Activation',
    quantizedBiasType: 'enum:TensorType',
  },
  SparseToDense: { validateIndices: 'bool' },
  Tile: {},
  ExpandDims: {},
  Equal: {},
  NotEqual: {},
  Shape: { outType: 'enum:TensorType' },
  Pow: {},
  ArgMin: { outputType: 'enum:TensorType' },
  FakeQuant: { min: 'f32', max: 'f32', numBits: 'i32', narrowRange: 'bool' },
  Pack: { valuesCount: 'i32', axis: 'i32' },
  LogicalOr: {},
  OneHot: { axis: 'i32' },
  LogicalAnd: {},
  LogicalNot: {},
  Unpack: { num: 'i32', axis: 'i32' },
  FloorDiv: {},
  Square: {},
  ZerosLike: {},
  Fill: {},
  BidirectionalSequenceLSTM: {
    fusedActivationFunction: 'enum:Activation',
    cellClip: 'f32',
    projClip: 'f32',
    mergeOutputs: 'bool',
    timeMajor: 'bool=true',
    asymmetricQuantizeInputs: 'bool',
  },
  BidirectionalSequenceRNN: {
    timeMajor: 'bool',
    fusedActivationFunction: 'enum:Activation',
    mergeOutputs: 'bool',
    asymmetricQuantizeInputs: 'bool',
  },
  UnidirectionalSequenceLSTM: {
    fusedActivationFunction: 'enum:Activation',
    cellClip: 'f32',
    projClip: 'f32',
    timeMajor: 'bool',
    asymmetricQuantizeInputs: 'bool',
    diagonalRecurrentTensors: 'bool',
  },
  FloorMod: {},
  Range: {},
  ResizeNearestNeighbor: { alignCorners: 'bool', halfPixelCenters: 'bool' },
  LeakyRelu: { alpha: 'f32' },
  SquaredDifference: {},
  MirrorPad: { mode: 'enum:MirrorPad' },
  Abs: {},
  SplitV: { numSplits: 'i32' },
  Unique: { idxOutType: 'enum:TensorType=2' },
  ReverseV2: {},
  AddN: {},
  GatherNd: {},
  Cos: {},
  Where: {},
  Rank: {},
  ReverseSequence: { seqDim: 'i32', batchDim: 'i32' },
  MatrixDiag: {},
  Quantize: {},
  MatrixSetDiag: {},
  HardSwish: {},
  If: { thenSubgraphIndex: 'subgraph', elseSubgraphIndex: 'subgraph' },
  While: { condSubgraphIndex: 'subgraph', bodySubgraphIndex: 'subgraph' },
  DepthToSpace: { blockSize: 'i32' },
  NonMaxSuppressionV4: {},
  NonMaxSuppressionV5: {},
  ScatterNd: {},
  SelectV2: {},
  Densify: {},
  SegmentSum: {},
  BatchMatMul: { adjX: 'bool', adjY: 'bool', asymmetricQuantizeInputs: 'bool' },
  Cumsum: { exclusive: 'bool', reverse: 'bool' },
  CallOnce: { initSubgraphIndex: 'subgraph' },
  BroadcastTo: {},
  Rfft2d: {},
  Conv3D: {
    padding: 'enum:Padding',
    strideD: 'i32',
    strideW: 'i32',
    strideH: 'i32',
    fusedActivationFunction: 'enum:Activation',
    dilationDFactor: 'i32=1',
    dilationWFactor: 'i32=1',
    dilationHFactor: 'i32=1',
  },
  Hashtable: { tableId: 'i32', keyDtype: 'enum:TensorType', valueDtype: 'enum:TensorType' },
  HashtableFind: {},
  HashtableImport: {},
  HashtableSize: {},
  VarHandle: { container: 'string', sharedName: 'string' },
  ReadVariable: {},
  AssignVariable: {},
  Random: { seed: 'bigint', seed2: 'bigint' },
  Bucketize: { boundaries: '[f32]' },
  Gelu: { approximate: 'bool' },
  DynamicUpdateSlice: {},
  UnsortedSegmentProd: {},
  UnsortedSegmentMax: {},
  UnsortedSegmentMin: {},
  UnsortedSegmentSum: {},
  ATan2: {},
  Sign: {},
  Bitcast: {},
  BitwiseXor: {},
  RightShift: {},
}

/** Union `BuiltinOptions2`. */
const SECOND: TableTexts = {
  StablehloConcatenate: { dimension: 'i64' },
  StablehloBroadcastInDim: { broadcastDimensions: '[i64]' },
  StablehloSlice: { startIndices: '[i64]', limitIndices: '[i64]', strides: '[i64]' },
  StablehloConvolution: {
    windowStrides: '[i64]',
    padding: '[i64]',
    lhsDilation: '[i64]',
    rhsDilation: '[i64]',
    windowReversal: '[bool]',
    inputBatchDimension: 'i64',
    inputFeatureDimension: 'i64',
    inputSpatialDimensions: '[i64]',
    kernelInputFeatureDimension: 'i64',
    kernelOutputFeatureDimension: 'i64',
    kernelSpatialDimensions: '[i64]',
    outputBatchDimension: 'i64',
    outputFeatureDimension: 'i64',
    outputSpatialDimensions: '[i64]',
    featureGroupCount: 'i64',
    batchGroupCount: 'i64',
    precisionConfig: '[i32]',
  },
  StablehloCustomCall: {
    callTargetName: 'string',
    hasSideEffect: 'bool',
    backendConfig: 'string',
    apiVersion: 'i32',
    calledComputations: '[subgraph]',
    customAttributes: '[u8]',
  },
  StablehloReduce: { dimensions: '[i64]', bodySubgraphIndex: 'subgraph' },
  StablehloScatter: {
    indicesAreSorted: 'bool',
    updateWindowDims: '[i64]',
    insertedWindowDims: '[i64]',
    scatterDimsToOperandDims: '[i64]',
    indexVectorDim: 'i64',
    uniqueIndices: 'bool',
    updateComputationSubgraphIndex: 'subgraph',
  },
  StablehloCompare: { comparisonDirection: 'enum32:Comparison', compareType: 'enum32:ComparisonType' },
  StablehloDynamicSlice: { sliceSizes: '[i64]' },
  StablehloPad: { edgePaddingLow: '[i64]', edgePaddingHigh: '[i64]', interiorPadding: '[i64]' },
  StablehloIota: { iotaDimension: 'i64' },
  StablehloDotGeneral: {
    lhsBatchingDimensions: '[i64]',
    rhsBatchingDimensions: '[i64]',
    lhsContractingDimensions: '[i64]',
    rhsContractingDimensions: '[i64]',
    precisionConfig: '[i32]',
  },
  StablehloReduceWindow: {
    windowDimensions: '[i64]',
    windowStrides: '[i64]',
    baseDilations: '[i64]',
    windowDilations: '[i64]',
    padding: '[i64]',
    bodySubgraphIndex: 'subgraph',
  },
  StablehloSort: { dimension: 'i64', isStable: 'bool', comparatorSubgraphIndex: 'subgraph' },
  StablehloWhile: { condSubgraphIndex: 'subgraph', bodySubgraphIndex: 'subgraph' },
  StablehloGather: {
    offsetDims: '[i64]',
    collapsedSliceDims: '[i64]',
    startIndexMap: '[i64]',
    indexVectorDim: 'i64',
    sliceSizes: '[i64]',
    indicesAreSorted: 'bool',
  },
  StablehloTranspose: { permutation: '[i64]' },
  Dilate: {},
  StablehloRngBitGenerator: { algorithm: 'enum:Rng' },
  ReduceWindow: { reduceFunction: 'enum32:ReduceWindow' },
  StableHLOComposite: {
    name: 'string',
    decompositionSubgraphIndex: 'subgraph',
    compositeAttributes: '[u8]',
    compositeAttributesFormat: 'enum:CustomFormat',
    version: 'i32',
  },
  StablehloShiftLeft: {},
  StablehloCase: { branchSubgraphIndices: '[subgraph]' },
}

function parseField(name: string, text: string, slot: number): Field {
  const [type = '', preset] = text.split('=')
  const [kind, list] = type.split(':')
  return {
    name,
    slot,
    kind: kind as FieldKind,
    fallback: kind === 'bool' ? preset === 'true' : Number(preset ?? 0),
    values: list === undefined ? 0 : ENUMS[list as EnumName].length,
  }
}

function parseTables(texts: TableTexts, union: 1 | 2): readonly OptionTable[] {
  return Object.entries(texts).map(([name, fields], index) => ({
    name,
    union,
    code: index + 1,
    fields: Object.entries(fields).map(([field, text], slot) => parseField(field, text, slot)),
  }))
}

const TABLES: readonly OptionTable[] = [...parseTables(FIRST, 1), ...parseTables(SECOND, 2)]
const BY_NAME = new Map(TABLES.map((table) => [table.name, table]))

/** The table called `${name}Options` in the schema. */
export function optionTable(name: string): OptionTable | undefined {
  return BY_NAME.get(name)
}

/** The table with this code in this union. */
export function optionTableOf(union: 1 | 2, code: number): OptionTable | undefined {
  return TABLES.find((table) => table.union === union && table.code === code)
}
