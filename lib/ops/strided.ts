// The native step `strided`: a copy that picks elements at regular distances.

import type { Shape } from '../tensor/shape.js'
import type { Operand, Step } from './contract.js'

/** Elements from one index to the next, for each dimension of a row-major tensor. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let i = shape.length; i-- > 0; ) {
    strides[i] = stride
    stride *= shape[i] as number
  }
  return strides
}

/** output[i, j, …] = input[offset + i * strides[0] + j * strides[1] + …] over the extents `dims`. */
export function stridedStep(
  input: Operand,
  output: Operand,
  { dims, strides, offset }: { dims: Shape; strides: readonly number[]; offset: number },
): Step {
  return {
    kind: 'strided',
    inputs: [input],
    outputs: [output],
    attributes: {
      rank: dims.length,
      dims: Int32Array.from(dims),
      strides: Int32Array.from(strides),
      offset,
    },
  }
}
