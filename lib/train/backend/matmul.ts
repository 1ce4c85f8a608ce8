// Products of matrices.

import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { NativeBackend } from './backend.js'
import { canFinish, finish } from './fused.js'
import { type Attrs, type Inputs, kernel, take } from './kernel.js'
import type { CoreModule } from './tfjs.js'

function matmul(backend: NativeBackend, core: CoreModule, inputs: Inputs, attrs: Attrs): TensorInfo {
  const [a, b] = [take(inputs, 'a'), take(inputs, 'b')]
  const [adjointA, adjointB] = [Number(attrs['transposeA']), Number(attrs['transposeB'])]
  const rows = a.shape[a.shape.length - (adjointA ? 1 : 2)] as number
  const columns = b.shape[b.shape.length - (adjointB ? 2 : 1)] as number
  const leading = core.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
  const shape = [...leading, rows, columns]
  return backend.run(
    'batch_matmul',
    { adjointA, adjointB, interleavedA: 0, interleavedB: 0, interleavedOut: 0 },
    [backend.dense(a), backend.dense(b)],
    shape,
  )
}

const batchMatmul = kernel('BatchMatMul', (inputs, attrs, backend, core) =>
  matmul(backend, core, inputs, attrs),
)

const fusedMatmul = kernel(
  '_FusedMatMul',
  (inputs, attrs, backend, core) =>
    finish(backend, core, matmul(backend, core, inputs, attrs), inputs, attrs),
  (inputs, attrs) => canFinish(inputs, attrs),
)

export const MATMUL_KERNELS = [batchMatmul, fusedMatmul]
