// Products of matrices.

import type { NativeBackend } from './backend.js'
import { canFinish, product, withBias } from './fused.js'
import { type Attrs, denseOf, type Inputs, kernel, take } from './kernel.js'
import type { CoreModule } from './tfjs.js'

/** Rows stand next to each other. */
const PLAIN = { interleavedA: 0, interleavedB: 0, interleavedOut: 0 }

/** How many dimensions native steps take. */
const MOST_RANK = 6

function extents(inputs: Inputs, attrs: Attrs) {
  const [a, b] = [take(inputs, 'a'), take(inputs, 'b')]
  const [adjointA, adjointB] = [Number(attrs['transposeA'] ?? 0), Number(attrs['transposeB'] ?? 0)]
  const rows = a.shape.at(adjointA ? -1 : -2) as number
  const columns = b.shape.at(adjointB ? -2 : -1) as number
  return { a, b, attributes: { adjointA, adjointB, ...PLAIN }, rows, columns }
}

function matmul(inputs: Inputs, attrs: Attrs, backend: NativeBackend, core: CoreModule) {
  const { a, b, attributes, rows, columns } = extents(inputs, attrs)
  const leading = core.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
  const fused = withBias(backend, denseOf(backend, inputs, 'a', 'b'), attributes, inputs, attrs, columns)
  return product(backend, core, { kind: 'batch_matmul', ...fused, shape: [...leading, rows, columns] })
}

const areMatrices = ({ a, b }: Inputs) =>
  a !== undefined && b !== undefined && Math.max(a.shape.length, b.shape.length) <= MOST_RANK

export const MATMUL_KERNELS = [
  kernel('BatchMatMul', matmul, areMatrices),
  kernel(
    '_FusedMatMul',
    matmul,
    (inputs, attrs) => areMatrices(inputs) && canFinish(inputs, attrs, extents(inputs, attrs).columns),
  ),
]
