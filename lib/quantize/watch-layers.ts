// Statistics of layers' inputs, for the layers whose rounding or bias asks for them.

import type { Repairs } from '../recipe/recipe.js'
import type { Settings } from '../recipe/resolve.js'
import { type Form, layerOperands } from './forms.js'
import type { FloatGraph, PlacedOperator } from './prepare.js'
import { LayerInputSums, type LayerInputs } from './weights/layer-inputs.js'
import { layerGeometry } from './weights/patches.js'

/** Sees the values of a tensor in every run. */
export interface Watcher {
  readonly tensor: number
  add(values: Float32Array): void
}

export interface LayerWatcher extends Watcher {
  readonly sums: LayerInputSums
}

/** Places of a layer's output whose inputs are looked at in each run. */
const PLACES = 32

export interface WatchOptions {
  readonly graph: FloatGraph
  readonly forms: readonly Form[]
  readonly settings: readonly Settings[]
  readonly repairs: Required<Repairs>
  readonly seed: number
  /** Whether second moments are summed for adaptive rounding. Default true. */
  readonly products?: boolean
}

/** By place among the operators of the graph. Layers of the same place and seed look at the same places of each run. */
export function watchLayers({
  graph,
  forms,
  settings,
  repairs,
  seed,
  products = true,
}: WatchOptions): ReadonlyMap<number, LayerWatcher> {
  const watchers = new Map<number, LayerWatcher>()
  for (const [i, form] of forms.entries()) {
    const operands = layerOperands(form)
    const { weights } = settings[i] as Settings
    if (operands === undefined || weights.type !== 'integer') continue
    const isAdaptive = weights.rounding === 'adaptive'
    if (!isAdaptive && repairs.biasCorrection === 'none') continue
    const { type, options, inputs } = graph.operators[i] as PlacedOperator
    const tensor = inputs[operands.input] as number
    const [input, filter] = [graph.tensors[tensor], graph.tensors[inputs[operands.weights] ?? -1]]
    const geometry = layerGeometry(type, options, input?.shape ?? [], filter?.shape ?? [])
    if (geometry === undefined) continue
    const sums = new LayerInputSums(geometry, {
      places: PLACES,
      seed: seed + i,
      products: products && isAdaptive,
    })
    watchers.set(i, { tensor, sums, add: (values) => sums.add(values) })
  }
  return watchers
}

export function inputsOf(watchers: ReadonlyMap<number, LayerWatcher>): ReadonlyMap<number, LayerInputs> {
  return new Map([...watchers].map(([i, { sums }]) => [i, sums.result()]))
}
