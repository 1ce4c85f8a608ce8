// Leaves out the tensors that nothing reads any more.

import type { ModelFile, TensorRecord } from '../model/model.js'

/** The file without the unused tensors of its first subgraph, and where the others went. */
export function compact(file: ModelFile): {
  readonly file: ModelFile
  readonly tensors: ReadonlyMap<number, number>
} {
  const [main, ...others] = file.subgraphs
  if (main === undefined) return { file, tensors: new Map() }
  const used = new Set([...main.inputs, ...main.outputs])
  for (const { inputs, outputs, intermediates } of main.operators) {
    for (const index of [...inputs, ...outputs, ...intermediates]) used.add(index)
  }
  for (const index of [...used]) {
    const { scales = -1, zeroPoints = -1 } = main.tensors[index]?.blockwise ?? {}
    used.add(scales).add(zeroPoints)
  }
  used.delete(-1)
  const places = new Map([...used].sort((a, b) => a - b).map((index, place) => [index, place]))
  const place = (index: number) => places.get(index) ?? -1
  const moved = (tensor: TensorRecord): TensorRecord => {
    if (tensor.blockwise === undefined) return tensor
    const { scales, zeroPoints, blockSize } = tensor.blockwise
    return { ...tensor, blockwise: { scales: place(scales), zeroPoints: place(zeroPoints), blockSize } }
  }
  const graph = {
    ...main,
    tensors: [...places.keys()].map((index) => moved(main.tensors[index] as TensorRecord)),
    inputs: main.inputs.map(place),
    outputs: main.outputs.map(place),
    operators: main.operators.map((operator) => ({
      ...operator,
      inputs: operator.inputs.map(place),
      outputs: operator.outputs.map(place),
      intermediates: operator.intermediates.map(place),
    })),
  }
  const signatures = file.signatures.map((signature) => {
    if (signature.subgraph !== 0) return signature
    const ports = (list: typeof signature.inputs) =>
      list.map(({ name, tensor }) => ({ name, tensor: place(tensor) }))
    return { ...signature, inputs: ports(signature.inputs), outputs: ports(signature.outputs) }
  })
  return { file: { ...file, subgraphs: [graph, ...others], signatures }, tensors: places }
}
