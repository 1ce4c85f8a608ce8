// The entry `lowbit/train`: registers the backend `lowbit` of TensorFlow.js. Needs the packages @tensorflow/tfjs-core,
// @tensorflow/tfjs-layers and @tensorflow/tfjs-backend-cpu.

import { register } from './train/backend/register.js'

export { type ErrorCode, LowbitError } from './errors.js'
export { configureBackend } from './train/backend/register.js'
export type { BackendOptions } from './train/backend/settings.js'

register()

export type { LearnedGrid, LearnedQuantization, QuantizeAware } from './train/contract.js'
export { fakeQuantize, learnedClip, learnedOffset, learnedStep } from './train/qat/fake-quantize.js'
export { type QuantizeAwareOptions, quantizeAware } from './train/qat/quantize-aware.js'
registerBackend('lowbit', KERNELS)
registerGradients()

export type { LearnedGrid, LearnedQuantization } from './train/contract.js'
export { loadLayersModel, saveLayersModel } from './train/write/model-json.js'
export { type ToTfliteOptions, toTflite } from './train/write/to-tflite.js'
