// FULLY_CONNECTED of float32 inputs with int4 weights that have a scale for each block of a row. The reference kernels
// of TFLite return zeros for it; this is what the format says, computed as its optimised kernel does.

import { elementCount } from '../tensor/shape.js'
import { floatActivationRange, isClamp } from './activation.js'
import type { NodeContext, Operand, Step } from './contract.js'

/** @throws {LowbitError} `OPERATOR_UNSUPPORTED`, `DTYPE_UNSUPPORTED` for forms beside float32 x int4. */
export function blockwiseStep(node: NodeContext<unknown>, activation: number): Step {
  const [input, weights, output] = [node.input(0), node.input(1), node.output(0)]
  const { blockwise } = weights
  if (blockwise === undefined) throw node.fail('INTERNAL', 'weights without blocks')
  if (!isClamp(activation)) {
    throw node.fail('OPERATOR_UNSUPPORTED', `fused activation ${activation} is not supported`)
  }
  if (blockwise.zeroPoints) {
    throw node.fail(
      'OPERATOR_UNSUPPORTED',
      `zero points of the blocks of "${weights.name}" are not supported`,
      {
        tensor: weights.name,
      },
    )
  }
  const { low, high } = floatActivationRange(activation)
  return {
    kind: 'fully_connected_blockwise',
    inputs: [input, weights, node.inputs[2] ?? null, realScales(node, blockwise.scales)],
    outputs: [output],
    attributes: {
      block: blockwise.blockSize,
      lowReal: Float32Array.of(low),
      highReal: Float32Array.of(high),
    },
    macs: elementCount(output.shape) * (weights.shape[1] ?? 0),
  }
}

/** Scales as float32; files hold them as float16. */
function realScales(node: NodeContext<unknown>, scales: Operand): Operand {
  const { name, shape, dtype, data } = scales
  if (data === undefined || (dtype !== 'float16' && dtype !== 'float32')) {
    throw node.fail('OPERATOR_UNSUPPORTED', `scales "${name}" must be constant float16 or float32`, {
      tensor: name,
      actual: dtype,
    })
  }
  if (dtype === 'float32') return scales
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const wide = new Uint8Array(2 * data.byteLength)
  const out = new DataView(wide.buffer)
  for (let i = 0; i < data.byteLength / 2; i++)
    out.setFloat32(4 * i, halfToReal(view.getUint16(2 * i, true)), true)
  return { name, shape, dtype: 'float32', data: wide }
}

/** IEEE 754 binary16, exactly. */
function halfToReal(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25)
}
