// What makes `lowbit` a backend of TensorFlow.js: kernels, gradients and the steps of optimisers.

import { registerActivations } from './activations.js'
import { registerBackend } from './backend.js'
import { registerGradients } from './gradients.js'
import { KERNELS } from './kernels.js'
import { BACKEND } from './name.js'
import { registerOptimisers } from './optimisers.js'
import { type BackendOptions, changeSettings } from './settings.js'
import { dropPrograms } from './steps.js'
import { type CoreModule, requireTfjs } from './tfjs.js'

/** Once a process: TensorFlow.js has one list of backends. */
export function register(): void {
  if (requireTfjs<CoreModule>('core').findBackendFactory(BACKEND)) return
  registerBackend(BACKEND, KERNELS)
  registerGradients()
  registerOptimisers()
  registerActivations()
}

/**
 * Sets how the kernels of the backend run from now on; what is not given is as the environment says.
 *
 * @throws {LowbitError} `OPTION_INVALID` for an unknown key, or a value that is out of its range.
 */
export function configureBackend(options: BackendOptions): void {
  changeSettings(options)
  dropPrograms()
}
