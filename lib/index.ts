// The public face of `lowbit`: load a model and run it.

export { ERROR_CODES, type ErrorCode, type ErrorFacts, LowbitError } from './errors.js'
export { loadModel } from './session/load.js'
export type { LoadOptions, ProfileOptions, RunOptions } from './session/options.js'
export type {
  ModelMemory,
  ModelMetadata,
  ProfileStep as Step,
  Session as Model,
} from './session/session.js'
export type { TensorData } from './session/tensor-data.js'
export type { Dtype, TypedArray } from './tensor/dtype.js'
export type { Tensor, TensorInfo, TensorQuantization } from './tensor/tensor.js'
