// The weights and biases of all layers, quantised one after the other.

import { setImmediate } from 'node:timers/promises'
import { LowbitError } from '../errors.js'
import type { TensorRecord } from '../model/model.js'
import type { WeightSettings } from '../recipe/recipe.js'
import type { Settings } from '../recipe/resolve.js'
import type { AbortSignalLike } from '../session/options.js'
import type { QuantizedRows } from './codes.js'
import { floatsOf } from './constants.js'
import { type Form, layerOperands } from './forms.js'
import {
  fitBias,
  halfTensors,
  hybridTensors,
  integerTensors,
  type Layer,
  type LayerTensors,
} from './layer-tensors.js'
import { possibleSettings, storedType } from './layer-weights.js'
import type { Progress } from './options.js'
import type { FloatGraph, PlacedOperator } from './prepare.js'
import { meanError } from './repairs/bias-correction.js'
import type { Affine, CodeType, LayerOperands } from './rules.js'
import type { LayerInputs } from './weights/layer-inputs.js'
import { quantizeRows, rowValues } from './weights/quantize-rows.js'
import { rowLayout, toRows } from './weights/rows.js'

export interface QuantizedLayer {
  /** As it was; `tensors` may have another bias. */
  readonly layer: Layer
  readonly settings: WeightSettings
  /** Of the codes that it multiplies; undefined where activations stay float32. */
  readonly inputScale?: number
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
  /** Statistics of the inputs of layers, as far as they were asked for. */
  readonly inputs: ReadonlyMap<number, LayerInputs>
  /** Whether biases take up mean errors. */
  readonly correctsBias: boolean
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

function quantizeLayer(
  { graph, forms, settings, codes, inputs: statistics, correctsBias }: Layers,
  operator: PlacedOperator,
  i: number,
): QuantizedLayer {
  const form = forms[i] as Exclude<Form, { kind: 'float' }>
  const operands = layerOperands(form) as NonNullable<ReturnType<typeof layerOperands>>
  const { type, place, inputs } = operator
  const { layer, values } = floatLayer(graph, operator, form, operands)
  const { layout } = layer
  const wanted = (settings[i] as Settings).weights
  if (wanted.type === 'float16') {
    return { layer, settings: wanted, values, tensors: halfTensors(layer, values), notes: [] }
  }
  const label = `${type} #${place}`
  const possible = possibleSettings(wanted, type, form, layout.columns, label)
  const seen = statistics.get(i)
  const isMeanCorrected = correctsBias && layer.bias !== undefined
  const found = quantizeRows(values, layout, possible.settings, seen && { inputs: seen, isMeanCorrected })
  const rows = { ...found, type: storedType(possible.settings, type, form) }
  const notes = [...possible.notes]
  if (seen === undefined && possible.settings.rounding === 'adaptive') {
    notes.push(`${label}: weights round to the nearest, since nothing is known of its inputs`)
  }
  const quantized = {
    layer,
    settings: possible.settings,
    values,
    rows,
    notes,
    ...(form.kind === 'integer' && { inputScale: codes(inputs[operands.input] as number, form.type).scale }),
  }
  if (!isMeanCorrected || seen === undefined) return withTensors(quantized)
  const error = meanError({ values, inputs: seen }, { values: rowValues(rows), inputs: seen }, layout.rows)
  return withTensors(quantized, error)
}

/** A layer as it is, and its weights as rows. */
export function floatLayer(
  { tensors }: FloatGraph,
  { type, place, inputs }: PlacedOperator,
  form: Layer['form'],
  operands: LayerOperands,
): { readonly layer: Layer; readonly values: Float32Array } {
  const [weights, bias] = [tensors[inputs[operands.weights] ?? -1], tensors[inputs[operands.bias] ?? -1]]
  if (weights === undefined) throw new LowbitError('INTERNAL', `${type} #${place} has no weights`)
  const layout = rowLayout(type, weights.shape)
  const layer: Layer = {
    type,
    form,
    weights,
    layout,
    ...(bias
      ? { bias: { record: bias, values: floatsOf(bias) } }
      : form.kind === 'integer' && { bias: noBias(weights, layout.rows) }),
  }
  return { layer, values: toRows(floatsOf(weights), layout) }
}

/** Convolutions of codes have a bias, the reference kernels say. */
function noBias(weights: TensorRecord, rows: number): NonNullable<Layer['bias']> {
  const shape = [rows]
  const record = { ...weights, name: `${weights.name}_bias`, shape, shapeSignature: shape }
  return { record, values: new Float32Array(rows) }
}

/**
 * The quantised layer with its tensors.
 *
 * @param error Mean error of each row, which the bias is to take up.
 */
export function withTensors<T extends Pick<QuantizedLayer, 'layer' | 'inputScale'>>(
  quantized: T & { readonly rows: QuantizedRows },
  error?: Float64Array,
): T & { readonly tensors: LayerTensors } {
  const { rows, inputScale } = quantized
  const layer = error === undefined ? quantized.layer : withBiasError(quantized.layer, error)
  if (inputScale === undefined) return { ...quantized, tensors: hybridTensors(layer, rows) }
  const isWide = layer.form.kind === 'integer' && layer.form.type === 'int16'
  const fitting = isWide ? rows : fitBias(rows, layer.bias?.values, inputScale)
  return { ...quantized, rows: fitting, tensors: integerTensors(layer, fitting, inputScale) }
}

function withBiasError(layer: Layer, error: Float64Array): Layer {
  const { bias } = layer
  if (bias === undefined) return layer
  return { ...layer, bias: { ...bias, values: bias.values.map((value, i) => value + (error[i] as number)) } }
}
