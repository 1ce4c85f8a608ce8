// Bias and activation of fused kernels, and of those that TensorFlow.js takes apart while it records for gradients.

import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { NativeBackend } from './backend.js'
import { type Attrs, CLAMPS, FREE, type Inputs, REAL, sizeOf } from './kernel.js'
import type { LaterStep } from './later.js'
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
): { inputs: readonly Dense[]; attributes: Attributes } {
  const clamp = clampOf(attrs) as Float32Array
  if (bias === undefined && clamp === FREE) return { inputs: operands, attributes }
  const shape = [channels]
  const added = bias ? backend.dense(bias, shape) : { shape, data: new Float32Array(channels) }
  return { inputs: [...operands, added], attributes: { ...attributes, ...REAL(clamp) } }
}

/** Steps that add a bias and clamp by themselves. */
const PRODUCTS = ['conv_computed', 'batch_matmul']

/** The step, later where gradients are recorded: a bias and an activation may come next. */
export function product(backend: NativeBackend, core: CoreModule, step: LaterStep): TensorInfo {
  if (core.engine().state.gradientDepth > 0) return backend.runLater(step)
  return backend.run(step.kind, step.attributes, step.inputs, step.shape)
}

const waitingProduct = (backend: NativeBackend, x: TensorInfo): LaterStep | undefined => {
  const step = backend.waiting(x)
  return step && PRODUCTS.includes(step.kind) ? step : undefined
}

/** `x + bias` by the product itself, where `x` is one without a bias that nobody read; still later. */
export function addedLater(backend: NativeBackend, x: TensorInfo, bias: TensorInfo): TensorInfo | undefined {
  const step = waitingProduct(backend, x)
  if (step === undefined || 'lowReal' in step.attributes) return undefined
  const channels = step.shape.at(-1)
  if (bias.shape.length !== 1 || bias.shape[0] !== channels || x.shape.at(-1) !== channels) return undefined
  const attributes = { ...step.attributes, ...REAL(FREE) }
  return backend.runLater({ ...step, attributes, inputs: [...step.inputs, backend.dense(bias)] }, x.shape)
}

/** `x` clamped, by the product itself, where `x` is one that nobody read. */
export function clampedNow(
  backend: NativeBackend,
  x: TensorInfo,
  clamp: Float32Array,
): TensorInfo | undefined {
  const step = waitingProduct(backend, x)
  if (step === undefined) return undefined
  const { kind, attributes, inputs, shape } = step
  const bias = { shape: [shape.at(-1) as number], data: new Float32Array(shape.at(-1) as number) }
  const operands = 'lowReal' in attributes ? inputs : [...inputs, bias]
  return backend.run(kind, { ...attributes, ...REAL(clamp) }, operands, x.shape, shape)
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
