// Bias and activation of fused kernels.

import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { NativeBackend } from './backend.js'
import { type Attrs, CLAMPS, FREE, type Inputs } from './kernel.js'
import type { CoreModule } from './tfjs.js'

export const canFinish = (inputs: Inputs, attrs: Attrs) =>
  inputs['preluActivationWeights'] === undefined && String(attrs['activation'] ?? 'linear') in CLAMPS

/** Bias and activation, in one pass over what was computed. */
export function finish(
  backend: NativeBackend,
  core: CoreModule,
  sums: TensorInfo,
  inputs: Inputs,
  attrs: Attrs,
): TensorInfo {
  const clamp = CLAMPS[String(attrs['activation'] ?? 'linear')] as Float32Array
  const { bias } = inputs
  if (bias === undefined && clamp === FREE) return sums
  const added =
    bias ??
    backend.run(
      'unary',
      { op: 0, parameter: FREE.subarray(0, 1) },
      [{ shape: [1], data: Float32Array.of(0) }],
      [1],
    )
  const shape = core.backend_util.assertAndGetBroadcastShape(sums.shape, added.shape)
  const output = backend.run('binary', { op: 0, clamp }, [backend.dense(sums), backend.dense(added)], shape)
  if (bias === undefined) backend.disposeData(added.dataId)
  backend.disposeData(sums.dataId)
  return output
}
