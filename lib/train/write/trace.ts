// Walks a layers model from its outputs back to its inputs and writes each call of a layer once, in the order in which
// they compute.

import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers'
import { LowbitError } from '../../errors.js'
import type { FloatGraph } from '../../quantize/prepare.js'
import { GraphWriter } from './graph-writer.js'
import { type Layer, LayerCall, unsupported, type WriteState } from './layer-call.js'
import { writeLayer } from './table.js'

export interface Traced {
  readonly graph: FloatGraph
  /** Layers whose output a tensor is: one, and those behind it that change nothing. */
  readonly layersOf: ReadonlyMap<number, readonly string[]>
  /** Names under which the grid of a weight tensor is looked for. */
  readonly weightNames: ReadonlyMap<number, readonly string[]>
}

/** A model, or a model that is a layer of another. */
type Container = Pick<LayersModel, 'inputs' | 'outputs'>

export function trace(model: LayersModel): Traced {
  return new Tracer().trace(model)
}

class Tracer {
  readonly #state: WriteState = {
    graph: new GraphWriter(),
    constants: new Map(),
    weightNames: new Map(),
  }
  readonly #layersOf = new Map<number, string[]>()

  trace(model: LayersModel): Traced {
    const { graph } = this.#state
    const inputs = model.inputs.map((input) => this.#input(input))
    const outputs: number[] = []
    for (const [i, output] of this.#run(model, inputs).entries()) {
      // An output of the file is computed by an operator, and is one output only.
      const isTaken = inputs.includes(output) || outputs.includes(output)
      outputs.push(isTaken ? this.#copy(output, model.outputNames[i] as string) : output)
    }
    return {
      graph: graph.graph(inputs, outputs),
      layersOf: this.#layersOf,
      weightNames: this.#state.weightNames,
    }
  }

  #input({ shape, dtype, sourceLayer }: SymbolicTensor): number {
    const [batch, ...extents] = shape
    if (batch !== null) this.#state.graph.fixBatch()
    if (extents.includes(null)) {
      const message = `input "${sourceLayer.name}" has the shape [${shape.map((n) => n ?? '?')}]; only its first dimension may be free`
      throw new LowbitError('SHAPE_MISMATCH', message, { tensor: sourceLayer.name, actual: shape })
    }
    if (dtype !== 'float32' && dtype !== 'int32') {
      const message = `input "${sourceLayer.name}" is ${dtype}; float32 or int32 expected`
      throw new LowbitError('DTYPE_UNSUPPORTED', message, { tensor: sourceLayer.name, actual: dtype })
    }
    const input = this.#state.graph.tensor(sourceLayer.name, [batch ?? 1, ...(extents as number[])], dtype)
    this.#layersOf.set(input, [sourceLayer.name])
    return input
  }

  /** The outputs of a model on tensors that are there. */
  #run(container: Container, inputs: readonly number[]): readonly number[] {
    const known = new Map(container.inputs.map(({ id }, i) => [id, inputs[i] as number]))
    return container.outputs.map((output) => this.#valueOf(output, known))
  }

  #valueOf(tensor: SymbolicTensor, known: Map<number, number>): number {
    const before = known.get(tensor.id)
    if (before !== undefined) return before
    const layer = tensor.sourceLayer
    const node = layer.inboundNodes[tensor.nodeIndex] as Layer['inboundNodes'][number]
    const inputs = node.inputTensors.map((input) => this.#valueOf(input, known))
    const outputs = this.#call(layer, inputs)
    for (const [i, { id }] of node.outputTensors.entries()) known.set(id, outputs[i] as number)
    return known.get(tensor.id) as number
  }

  #call(layer: Layer, inputs: readonly number[]): readonly number[] {
    if (isContainer(layer)) {
      const outputs = this.#run(layer, inputs)
      if (outputs.length === 1) this.#isOutputOf(outputs[0] as number, layer)
      return outputs
    }
    const output = writeLayer(new LayerCall(layer, inputs, this.#state))
    if (layer.inboundNodes[0]?.outputTensors.length !== 1) throw unsupported(layer, 'it has several outputs')
    if (!inputs.includes(output)) this.#state.graph.rename(output, layer.name)
    this.#isOutputOf(output, layer)
    return [output]
  }

  #isOutputOf(tensor: number, { name }: Layer): void {
    this.#layersOf.set(tensor, [...(this.#layersOf.get(tensor) ?? []), name])
  }

  #copy(tensor: number, name: string): number {
    const { graph } = this.#state
    const shape = graph.shape(tensor)
    const target = [-1, ...shape.slice(1)]
    const inputs = [tensor, graph.constant(`${name}/shape`, Int32Array.from(target), [target.length])]
    const dtype = graph.dtype(tensor)
    return graph.operator(name, { type: 'RESHAPE', inputs, shape, dtype, options: { newShape: target } })
  }
}

function isContainer(layer: Layer): layer is Layer & Container {
  return 'layers' in layer && 'outputs' in layer
}
