// The native kernels of the backend: how each kernel of TensorFlow.js becomes a step, by theme in files of their own.

import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { NativeKernel } from './backend.js'
import { CONV_KERNELS } from './conv.js'
import { ELEMENTWISE_KERNELS } from './elementwise.js'
import { LAYOUT_KERNELS } from './layout.js'
import { MATMUL_KERNELS } from './matmul.js'
import { NORM_KERNELS } from './norm.js'
import { update } from './optimisers.js'
import { POOL_KERNELS } from './pool.js'
import { REDUCE_KERNELS } from './reduce.js'

export const KERNELS: readonly NativeKernel<TensorInfo | TensorInfo[]>[] = [
  ...CONV_KERNELS,
  ...MATMUL_KERNELS,
  ...POOL_KERNELS,
  ...ELEMENTWISE_KERNELS,
  ...REDUCE_KERNELS,
  ...LAYOUT_KERNELS,
  ...NORM_KERNELS,
  update,
]
