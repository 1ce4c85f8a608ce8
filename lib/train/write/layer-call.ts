// One call of a layer while a model is written: what it is given, and the operators that it becomes.

import type { layers } from '@tensorflow/tfjs-layers'
import { LowbitError } from '../../errors.js'
import type { OptionValue } from '../../model/model.js'
import type { Shape } from '../../tensor/shape.js'
import type { GraphWriter, RealDtype } from './graph-writer.js'

export type Layer = layers.Layer

/** Writes the operators of a layer and returns the tensor that it gives. */
export type LayerWriter = (call: LayerCall) => number

/** A weight of a layer: a tensor in the layout of TensorFlow.js. */
export interface Weight {
  readonly values: Float32Array
  readonly shape: Shape
}

/** What calls of all layers share. */
export interface WriteState {
  readonly graph: GraphWriter
  /** Constants made of weights, for layers that are called again. */
  readonly constants: Map<Layer, Map<string, number>>
  /** Names under which the grid of a weight tensor is looked for. */
  readonly weightNames: Map<number, readonly string[]>
}

interface AddOptions {
  readonly options?: Readonly<Record<string, OptionValue>>
  readonly version?: number
  readonly dtype?: RealDtype
  /** Of the output, behind the layer's name. Default: the operator's. */
  readonly name?: string
}

export class LayerCall {
  readonly layer: Layer
  readonly inputs: readonly number[]
  readonly config: Readonly<Record<string, unknown>>
  readonly state: WriteState
  /** What tensors are called after. */
  readonly name: string

  constructor(layer: Layer, inputs: readonly number[], state: WriteState, name = layer.name) {
    this.layer = layer
    this.inputs = inputs
    this.state = state
    this.name = name
    this.config = layer.getConfig()
  }

  /** The only input. */
  get input(): number {
    return this.inputs[0] as number
  }

  /** Of the only input. */
  get inputShape(): Shape {
    return this.shape(this.input)
  }

  /** What the layer gives, with the batch of its inputs. */
  get outputShape(): Shape {
    const shapes = this.inputs.map((input) => [...this.shape(input)])
    return this.layer.computeOutputShape(shapes.length === 1 ? (shapes[0] as number[]) : shapes) as number[]
  }

  shape(tensor: number): Shape {
    return this.state.graph.shape(tensor)
  }

  number(key: string): number {
    return Number(this.config[key])
  }

  text(key: string): string {
    return String(this.config[key] ?? '')
  }

  /** A setting that is a list of numbers. */
  numbers(key: string): readonly number[] {
    return this.config[key] as readonly number[]
  }

  add(type: string, inputs: readonly number[], shape: Shape, { name, ...rest }: AddOptions = {}): number {
    const label = `${this.name}/${name ?? type.toLowerCase()}`
    return this.state.graph.operator(label, { type, inputs, shape, ...rest })
  }

  /** An operator with one input that keeps its shape. */
  map(type: string, input: number, options: AddOptions['options'] = {}): number {
    return this.add(type, [input], this.shape(input), { options })
  }

  constant(name: string, values: Float32Array, shape: Shape = [values.length]): number {
    return this.state.graph.constant(`${this.name}/${name}`, values, shape)
  }

  scalar(name: string, value: number): number {
    return this.constant(name, Float32Array.of(value), [])
  }

  ints(name: string, values: readonly number[], shape: Shape = [values.length]): number {
    return this.state.graph.constant(`${this.name}/${name}`, Int32Array.from(values), shape)
  }

  /** The layer's weights, trainable ones first. */
  weights(): readonly Weight[] {
    return this.layer.getWeights().map((tensor) => ({
      values: Float32Array.from(tensor.dataSync()),
      shape: [...tensor.shape],
    }))
  }

  /**
   * A constant made of weights: calls of the same layer share it.
   *
   * @param isOnly Whether the layer has no other weights that have a grid, so that its name means these.
   */
  weight(name: string, make: () => Weight, isOnly = true): number {
    const { constants, weightNames, graph } = this.state
    const known = constants.get(this.layer) ?? new Map<string, number>()
    constants.set(this.layer, known)
    const before = known.get(name)
    if (before !== undefined) return before
    const { values, shape } = make()
    const constant = graph.constant(`${this.name}/${name}`, values, shape)
    known.set(name, constant)
    weightNames.set(constant, [`${this.name}/${name}`, ...(isOnly ? [this.name, this.layer.name] : [])])
    return constant
  }

  /** The same numbers in another shape; the first dimension may stay free. */
  reshape(input: number, shape: Shape): number {
    const target = [-1, ...shape.slice(1)]
    const options = { newShape: target }
    return this.add('RESHAPE', [input, this.ints('shape', target)], shape, { options })
  }

  /** @throws {LowbitError} `OPERATOR_UNSUPPORTED`. */
  refuse(why: string): never {
    throw unsupported(this.layer, why)
  }

  /** @throws {LowbitError} `OPERATOR_UNSUPPORTED` for channels first. */
  needChannelsLast(): void {
    if (this.config['dataFormat'] === 'channelsFirst') {
      this.refuse('channels come first; only channelsLast is written')
    }
  }
}

export function unsupported(layer: Layer, why: string): LowbitError {
  const operator = `${layer.getClassName()} "${layer.name}"`
  return new LowbitError('OPERATOR_UNSUPPORTED', `layer ${operator} cannot be written: ${why}`, { operator })
}
