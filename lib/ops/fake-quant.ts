// FAKE_QUANT: float32 numbers rounded to the steps of a quantisation, as training left them in a graph.

import { expectDtype, expectInputs } from './checks.js'
import { defineOp } from './contract.js'

interface FakeQuantAttributes {
  readonly min: number
  readonly max: number
  readonly bits: number
}

export const fakeQuant = defineOp<FakeQuantAttributes>({
  name: 'fake_quant',
  tflite: {
    type: 'FAKE_QUANT',
    // The reference does not look at narrow_range.
    read: (options) => ({
      min: Number(options['min'] ?? 0),
      max: Number(options['max'] ?? 0),
      bits: Number(options['numBits'] ?? 0),
    }),
  },
  infer(node) {
    expectInputs(node, 1)
    expectDtype(node, node.input(0), ['float32'])
    const { min, max, bits } = node.attributes
    if (!(min < max && Number.isFinite(max - min)) || !(bits >= 2 && bits <= 16)) {
      throw node.fail('FILE_INVALID', `a quantisation of ${bits} bits from ${min} to ${max}`, {
        actual: [min, max, bits],
      })
    }
    return [{ shape: node.input(0).shape, dtype: 'float32' }]
  },
  /** Zero gets a step of its own. @see LiteRT, kernels/internal/quantization_util.cc: NudgeQuantizationRange. */
  lower(node) {
    const f = Math.fround
    const { min, max, bits } = node.attributes
    const highest = 2 ** bits - 1
    const scale = f(f(max - min) / highest)
    const zero = Math.round(Math.min(highest, Math.max(0, f(-f(min / scale)))))
    const attributes = {
      low: Float32Array.of(-zero * scale),
      high: Float32Array.of((highest - zero) * scale),
      scale: Float32Array.of(scale),
    }
    return { steps: [{ kind: 'fake_quant', inputs: [node.input(0)], outputs: [node.output(0)], attributes }] }
  },
})
