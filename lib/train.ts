// The entry `lowbit/train`: registers the backend `lowbit` of TensorFlow.js. Needs the packages @tensorflow/tfjs-core,
// @tensorflow/tfjs-layers and @tensorflow/tfjs-backend-cpu.

import { registerBackend } from './train/backend/backend.js'
import { registerGradients } from './train/backend/gradients.js'
import { KERNELS } from './train/backend/kernels.js'

registerBackend('lowbit', KERNELS)
registerGradients()

export type { LearnedGrid, LearnedQuantization } from './train/contract.js'
export { loadLayersModel, saveLayersModel } from './train/write/model-json.js'
export { type ToTfliteOptions, toTflite } from './train/write/to-tflite.js'
