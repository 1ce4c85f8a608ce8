// Empirical bias correction: what the inputs of each layer are in the quantised model itself.

import { encode } from '../format/tflite/encode.js'
import { loadBinding } from '../native/load.js'
import { openModel } from '../session/load.js'
import { loadSettings } from '../session/options.js'
import type { Work } from './build.js'
import { eachRun } from './collect.js'
import { type QuantizedLayer, withTensors } from './quantize-layers.js'
import { meanError } from './repairs/bias-correction.js'
import { type WatchOptions, watchLayers } from './watch-layers.js'
import type { LayerInputs } from './weights/layer-inputs.js'
import { rowValues } from './weights/quantize-rows.js'
import type { Written } from './write.js'

export interface Correction extends Work {
  readonly watching: WatchOptions
  /** Of the float model. */
  readonly inputs: ReadonlyMap<number, LayerInputs>
  readonly layers: ReadonlyMap<number, QuantizedLayer>
  readonly write: (layers: ReadonlyMap<number, QuantizedLayer>) => Written
}

export async function correctBiases(correction: Correction): Promise<ReadonlyMap<number, QuantizedLayer>> {
  const { samples, during, inputs } = correction
  const layers = new Map(correction.layers)
  if (samples.length === 0) return layers
  // One layer after the other, each with the errors that are left once those before it are mended. All at once would
  // mend the same error again in every layer behind it.
  const onLayer = during('correct', inputs.size)
  let done = 0
  for (const [i, before] of inputs) {
    const after = await quantizedInputs(correction, i, correction.write(layers))
    layers.set(i, corrected(layers.get(i) as QuantizedLayer, before, after))
    onLayer(++done)
  }
  return layers
}

function corrected(
  quantized: QuantizedLayer,
  before: LayerInputs,
  after: LayerInputs | undefined,
): QuantizedLayer {
  const { rows, values } = quantized
  if (rows === undefined || after === undefined) return quantized
  const error = meanError({ values, inputs: before }, { values: rowValues(rows), inputs: after }, rows.rows)
  return withTensors({ ...quantized, rows }, error)
}

/** Means of a layer's inputs in a quantised model, at the same places of the same samples as those of the float one. */
async function quantizedInputs(
  { watching, samples, signal }: Correction,
  layer: number,
  { file, tensors }: Written,
): Promise<LayerInputs | undefined> {
  const watcher = watchLayers({ ...watching, products: false }).get(layer)
  const tensor = tensors.get(watcher?.tensor ?? -1)
  if (watcher === undefined || tensor === undefined) return undefined
  const session = openModel(encode(file), loadSettings({}, process.env, loadBinding().cpu()))
  try {
    await eachRun(session, samples, [tensor], { signal }, (_, kept) => watcher.add(kept(tensor)))
  } finally {
    session.dispose()
  }
  return watcher.sums.result()
}
