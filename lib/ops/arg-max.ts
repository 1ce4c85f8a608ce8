// ARG_MAX and ARG_MIN: index of the extreme element along a dimension, the first of equals.

import { axisOf, constants, expectDtype, expectInputs, expectRank } from './checks.js'
import { defineOp, type NodeContext } from './contract.js'

function axisOfNode(node: NodeContext<unknown>): number {
  const [axis] = constants(node, node.input(1), 1)
  return axisOf(node, axis, node.input(0).shape.length)
}

function argOp(name: 'arg_max' | 'arg_min') {
  return defineOp<Record<string, never>>({
    name,
    // The type of the indices is that of the output tensor; the option repeats it.
    tflite: { type: name.toUpperCase(), read: () => ({}) },
    infer(node) {
      expectInputs(node, 2)
      const [input, output] = [node.input(0), node.output(0)]
      expectDtype(node, input, ['int8', 'uint8', 'int16', 'int32', 'int64', 'float32', 'bool'])
      expectDtype(node, output, ['int32', 'int64'])
      expectRank(node, input, 1, 8)
      const axis = axisOfNode(node)
      if (input.shape[axis] === 0) throw node.fail('SHAPE_MISMATCH', 'no element to choose')
      return [{ shape: input.shape.filter((_, i) => i !== axis), dtype: output.dtype }]
    },
    lower(node) {
      const [input, output] = [node.input(0), node.output(0)]
      return {
        steps: [
          {
            kind: 'arg_max',
            inputs: [input],
            outputs: [output],
            attributes: { axis: axisOfNode(node), smallest: name === 'arg_min' ? 1 : 0 },
          },
        ],
      }
    },
  })
}

export const argMax = argOp('arg_max')
export const argMin = argOp('arg_min')
