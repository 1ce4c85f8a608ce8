// The entry `lowbit/train`: registers the backend `lowbit` of TensorFlow.js. Needs the packages @tensorflow/tfjs-core,
// @tensorflow/tfjs-layers and @tensorflow/tfjs-backend-cpu.

import { register } from './train/backend/register.js'

export { type ErrorCode, LowbitError } from './errors.js'
export { configureBackend } from './train/backend/register.js'
export type { BackendOptions } from './train/backend/settings.js'

register()
