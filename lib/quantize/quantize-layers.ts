// The weights and biases of all layers, quantised one after the other.

import { setImmediate } from 'node:timers/promises'
import { LowbitError } from '../errors.js'
import type { WeightSettings } from '../recipe/recipe.js'
import type { Settings } from '../recipe/resolve.js'
import type { AbortSignalLike } from '../session/options.js'
import type { QuantizedRows } from './codes.js'
import { floatsOf } from './constants.js'
import type { Form } from './forms.js'
import {
  fitBias,
  halfTensors,
  hybridTensors,
  integerTensors,
  type Layer,
  type LayerTensors,
} from './layer-tensors.js'
import { possibleSettings, quantizeRows } from './layer-weights.js'
import type { Progress } from './options.js'
import type { FloatGraph, PlacedOperator } from './prepare.js'
import type { Affine, CodeType } from './rules.js'
import { rowLayout, toRows } from './weights/rows.js'

export interface QuantizedLayer {
  readonly settings: WeightSettings
  /** The weights as they were, as rows. */
  readonly values: Float32Array
  /** Undefined for float16. */
  readonly rows?: QuantizedRows
  readonly tensors: LayerTensors
  readonly notes: readonly string[]
}

export interface Layers {
  readonly graph: FloatGraph
  readonly forms: readonly Form[]
  readonly settings: readonly Settings[]
  readonly codes: (tensor: number, type: CodeType) => Affine
}

/** By place among the operators of the graph. */
export async function quantizeLayers(
  layers: Layers,
  signal: AbortSignalLike | undefined,
  during: (stage: Progress['stage'], total: number) => (done: number) => void,
): Promise<ReadonlyMap<number, QuantizedLayer>> {
  const { graph, forms } = layers
  const places = [...forms.keys()].filter((i) => layerOperands(forms[i] as Form) !== undefined)
  const onLayer = during('weights', places.length)
  const done = new Map<number, QuantizedLayer>()
  for (const i of places) {
    signal?.throwIfAborted()
    done.set(i, quantizeLayer(layers, graph.operators[i] as PlacedOperator, i))
    onLayer(done.size)
    // Lets timers and an abort have their turn.
    await setImmediate()
  }
  return done
}

function layerOperands(form: Form) {
  if (form.kind === 'float') return undefined
  return form.kind === 'integer' ? form.rule.layer : form.layer
}

function quantizeLayer(
  { graph, forms, settings, codes }: Layers,
  operator: PlacedOperator,
  i: number,
): QuantizedLayer {
  const form = forms[i] as Exclude<Form, { kind: 'float' }>
  const operands = layerOperands(form) as NonNullable<ReturnType<typeof layerOperands>>
  const { type, place, inputs } = operator
  const [weights, bias] = [
    graph.tensors[inputs[operands.weights] ?? -1],
    graph.tensors[inputs[operands.bias] ?? -1],
  ]
  if (weights === undefined) throw new LowbitError('INTERNAL', `${type} #${place} has no weights`)
  const layout = rowLayout(type, weights.shape)
  const values = toRows(floatsOf(weights), layout)
  const layer: Layer = {
    type,
    form,
    weights,
    layout,
    ...(bias && { bias: { record: bias, values: floatsOf(bias) } }),
  }
  const wanted = (settings[i] as Settings).weights
  if (wanted.type === 'float16')
    return { settings: wanted, values, tensors: halfTensors(layer, values), notes: [] }
  const { settings: possible, notes } = possibleSettings(
    wanted,
    type,
    form,
    layout.columns,
    `${type} #${place}`,
  )
  const rows = quantizeRows(values, layout, possible)
  if (form.kind !== 'integer')
    return { settings: possible, values, rows, tensors: hybridTensors(layer, rows), notes }
  const { scale } = codes(inputs[operands.input] as number, form.type)
  const fitting = form.type === 'int16' ? rows : fitBias(rows, layer.bias?.values, scale)
  return { settings: possible, values, rows: fitting, tensors: integerTensors(layer, fitting, scale), notes }
}
