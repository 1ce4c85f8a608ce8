// The public face of `lowbit`: load a model and run it.

export { ERROR_CODES, type ErrorCode, type ErrorFacts, LowbitError } from './errors.js'
export type { CustomOp, CustomOperand, CustomTensor } from './session/custom-ops.js'
export type { TensorsWithKept } from './session/keep.js'
export { loadModel } from './session/load.js'
export type {
  Model,
  ModelMemory,
  ModelMetadata,
  ModelSignature,
  NamedInputs,
  NamedOutputs,
  ProfileStep as Step,
  SignatureInfo,
  SignatureRunOptions,
} from './session/model.js'
export type {
  AbortSignalLike,
  LoadLimits,
  LoadOptions,
  ProfileOptions,
  RunOptions,
} from './session/options.js'
export type { TensorData } from './session/tensor-data.js'
export type { Dtype, TypedArray } from './tensor/dtype.js'
export type { Tensor, TensorInfo, TensorQuantization } from './tensor/tensor.js'
