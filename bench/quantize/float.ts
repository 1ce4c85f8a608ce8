// Float forms for the peers: weights that are integers already become real, and each file gets a signature, since
// ai-edge-quantizer calibrates by its names.

import { decode } from '#lib/format/tflite/decode.js'
import { encode } from '#lib/format/tflite/encode.js'
import type { ModelFile, Signature, Subgraph, TensorRecord } from '#lib/model/model.js'
import { dequantizeChannels } from '#lib/numerics/affine.js'

function toReal(tensor: TensorRecord): TensorRecord {
  const { dtype, data, quantization, shape, ...rest } = tensor
  if (dtype !== 'int8' || data === undefined || quantization === undefined) return tensor
  const codes = Int8Array.from(data)
  const inner = shape.slice(quantization.axis + 1).reduce((a, b) => a * b, 1)
  const values = dequantizeChannels(codes, { ...quantization, inner })
  return { ...rest, shape, dtype: 'float32', data: new Uint8Array(values.buffer) }
}

function signatureOf({ inputs, outputs }: Subgraph): Signature {
  const ports = (tensors: readonly number[], name: string) =>
    tensors.map((tensor, i) => ({ name: `${name}_${i}`, tensor }))
  return {
    name: 'serving_default',
    subgraph: 0,
    inputs: ports(inputs, 'input'),
    outputs: ports(outputs, 'output'),
  }
}

export function floatForm(bytes: Uint8Array): Uint8Array {
  const file: ModelFile = decode(bytes)
  const subgraphs = file.subgraphs.map((graph) => ({ ...graph, tensors: graph.tensors.map(toReal) }))
  const signatures = file.signatures.length > 0 ? file.signatures : [signatureOf(subgraphs[0] as Subgraph)]
  return encode({ ...file, subgraphs, signatures })
}
