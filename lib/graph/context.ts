// What an operator's definition is given about one node: its operands, and checks that name the node when they fail.

import { type ErrorCode, type ErrorFacts, LowbitError } from '../errors.js'
import { NeedsValue, type NodeContext, type Operand } from '../ops/contract.js'
import type { Node, Value } from './graph.js'

/**
 * The view of one node for `Op.infer` and `Op.lower`. Operands are the very objects in `values`, so that the steps
 * which an operator makes can be traced back to values by identity.
 */
export function contextOf(node: Node, values: readonly Value[]): NodeContext<unknown> {
  const operand = (index: number): Operand | null => (index < 0 ? null : (values[index] ?? null))
  const inputs = node.inputs.map(operand)
  const outputs = node.outputs.map(operand) as Operand[]
  const intermediates = (node.intermediates ?? []).map(operand)
  const fail = (code: ErrorCode, message: string, facts: ErrorFacts = {}): LowbitError =>
    new LowbitError(code, `${node.origin}: ${message}`, { operator: node.origin, ...facts })

  return {
    origin: node.origin,
    attributes: node.attributes,
    inputs,
    outputs,
    intermediates,
    called: (node.graphs ?? []).map((graph) => ({
      inputs: graph.inputs.map((index) => graph.values[index] as Operand),
      outputs: graph.outputs.map((index) => graph.values[index] as Operand),
    })),
    fail,
    input(i) {
      const found = inputs[i]
      if (!found) {
        throw fail('FILE_INVALID', `input ${i} is absent`, { expected: i + 1, actual: inputs.length })
      }
      return found
    },
    output(i) {
      const found = outputs[i]
      if (!found) {
        throw fail('FILE_INVALID', `output ${i} is absent`, { expected: i + 1, actual: outputs.length })
      }
      return found
    },
    affine({ name, quantization }) {
      const scale = quantization?.scale[0]
      if (quantization === undefined || scale === undefined) {
        throw fail('FILE_INVALID', `tensor "${name}" has no quantisation`, { tensor: name })
      }
      if (quantization.scale.length !== 1) {
        const actual = quantization.scale.length
        throw fail(
          'OPERATOR_UNSUPPORTED',
          `tensor "${name}" has ${actual} scales where one for the whole tensor is supported`,
          { tensor: name, expected: 1, actual },
        )
      }
      return { scale, zeroPoint: quantization.zeroPoint[0] ?? 0 }
    },
    constantInts(constant) {
      const { name, dtype, data } = constant
      if (data === undefined) {
        const message = `tensor "${name}" must be a constant: what it says of shapes is needed before a run; here it is computed in the run`
        throw new NeedsValue(fail('OPERATOR_UNSUPPORTED', message), constant)
      }
      const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
      if (dtype === 'int32') {
        return Int32Array.from({ length: data.byteLength / 4 }, (_, i) => view.getInt32(4 * i, true))
      }
      if (dtype === 'int64') {
        return Int32Array.from({ length: data.byteLength / 8 }, (_, i) => {
          const wide = view.getBigInt64(8 * i, true)
          if (wide !== BigInt.asIntN(32, wide)) {
            throw fail('OPERATOR_UNSUPPORTED', `tensor "${name}" holds ${wide}, which is no int32`, {
              tensor: name,
              actual: wide,
            })
          }
          return Number(wide)
        })
      }
      throw fail('DTYPE_UNSUPPORTED', `tensor "${name}" is ${dtype}, int32 or int64 is needed`, {
        tensor: name,
        expected: 'int32',
        actual: dtype,
      })
    },
  }
}
