// Bias and activation of fused kernels.

import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { NativeBackend } from './backend.js'
import { type Attrs, CLAMPS, FREE, type Inputs, REAL, sizeOf } from './kernel.js'
import type { Attributes, Dense } from './steps.js'
import type { CoreModule } from './tfjs.js'

const clampOf = (attrs: Attrs) => CLAMPS[String(attrs['activation'] ?? 'linear')]

/** Whether the activation is a clamp, and the bias, if there is one, has an entry a channel. */
export function canFinish({ bias, preluActivationWeights }: Inputs, attrs: Attrs, channels: number): boolean {
  if (preluActivationWeights !== undefined || clampOf(attrs) === undefined) return false
  return bias === undefined || (bias.shape.at(-1) === channels && sizeOf(bias.shape) === channels)
}

/** Operands and attributes of a step that adds a bias and clamps by itself. */
export function withBias(
  backend: NativeBackend,
  operands: readonly Dense[],
  attributes: Attributes,
  { bias }: Inputs,
  attrs: Attrs,
  channels: number,
): { operands: readonly Dense[]; attributes: Attributes } {
  const clamp = clampOf(attrs) as Float32Array
  if (bias === undefined && clamp === FREE) return { operands, attributes }
  const shape = [channels]
  const added = bias ? backend.dense(bias, shape) : { shape, data: new Float32Array(channels) }
  return { operands: [...operands, added], attributes: { ...attributes, ...REAL(clamp) } }
}

/** Bias and activation, in one pass over what was computed. */
export function finish(
  backend: NativeBackend,
  core: CoreModule,
  sums: TensorInfo,
  { bias }: Inputs,
  attrs: Attrs,
): TensorInfo {
  const clamp = clampOf(attrs) as Float32Array
  if (bias === undefined && clamp === FREE) return sums
  const added = bias ? backend.dense(bias) : { shape: [1], data: new Float32Array(1) }
  const shape = core.backend_util.assertAndGetBroadcastShape(sums.shape, [...added.shape])
  const output = backend.run('binary', { op: 0, clamp }, [backend.dense(sums), added], shape)
  backend.disposeData(sums.dataId)
  return output
}
