// The entry `lowbit/train`: registers the backend `lowbit` of TensorFlow.js. Needs the packages @tensorflow/tfjs-core,
// @tensorflow/tfjs-layers and @tensorflow/tfjs-backend-cpu.

import { register } from './train/backend/register.js'

export { type ErrorCode, LowbitError } from './errors.js'
export { configureBackend } from './train/backend/register.js'
export type { BackendOptions } from './train/backend/settings.js'
export type { LearnedGrid, LearnedQuantization, QuantizeAware } from './train/contract.js'
export { AUGMENTATIONS, type Augmentation } from './train/data/augment.js'
export { type Dataset, type Examples, holdOut } from './train/data/dataset.js'
export type { Example, ModuleData, ModuleExamples } from './train/data/module.js'
export { type DatasetSettings, openDataset } from './train/data/open.js'
export { fit } from './train/fit/fit.js'
export { evaluate, type Measure } from './train/fit/measure.js'
export type { EpochRecord, FitOptions, FitSettings, History, StepProgress } from './train/fit/options.js'
export { withSeed } from './train/fit/seeded.js'
export { createNetwork, NETWORK_NAMES, type NetworkName, withSoftmax } from './train/networks/networks.js'
export { fakeQuantize, learnedClip, learnedOffset, learnedStep } from './train/qat/fake-quantize.js'
export { type QuantizeAwareOptions, quantizeAware } from './train/qat/quantize-aware.js'
export { loadLayersModel, saveLayersModel } from './train/write/model-json.js'
export { type ToTfliteOptions, toTflite } from './train/write/to-tflite.js'

register()
