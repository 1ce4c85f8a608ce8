// int8 weights made real while loading, for operators that take a few of them so.

import type { NodeContext, Operand } from './contract.js'

/** scale * code, as float32: else `OPERATOR_UNSUPPORTED` for weights that are computed. */
export function realWeights(node: NodeContext<unknown>, weights: Operand): Operand {
  const { name, shape, dtype, data } = weights
  if (dtype !== 'int8') {
    throw node.fail('DTYPE_UNSUPPORTED', `weights "${name}" are ${dtype}, int8 is needed`, {
      tensor: name,
      expected: 'int8',
      actual: dtype,
    })
  }
  if (data === undefined) {
    throw node.fail('OPERATOR_UNSUPPORTED', `weights "${name}" must be constant`, { tensor: name })
  }
  const { scale } = node.affine(weights)
  const codes = new Int8Array(data.buffer, data.byteOffset, data.byteLength)
  const bytes = new Uint8Array(4 * codes.length)
  const view = new DataView(bytes.buffer)
  for (const [i, code] of codes.entries()) view.setFloat32(4 * i, scale * code, true)
  return { name, shape, dtype: 'float32', data: bytes }
}
