// From a prepared float model and its samples to a quantised one, as a recipe says.

import { encode } from '../format/tflite/encode.js'
import { loadBinding } from '../native/load.js'
import { DEFAULT_REPAIRS, DEFAULT_SEED } from '../recipe/defaults.js'
import type { Recipe, Repairs } from '../recipe/recipe.js'
import { resolve, type Settings } from '../recipe/resolve.js'
import { sourceOf } from '../session/compile.js'
import { type AbortSignalLike, loadSettings } from '../session/options.js'
import { Session } from '../session/session.js'
import type { TensorData } from '../session/tensor-data.js'
import { type Collected, collectRanges, eachRun } from './collect.js'
import { correctBiases } from './correct-biases.js'
import { codeFinder } from './find-codes.js'
import { type Form, formsOf } from './forms.js'
import { groupTensors } from './groups.js'
import { maskConstants, maskGroups } from './masks.js'
import type { Progress } from './options.js'
import type { FloatGraph, FloatModel } from './prepare.js'
import { type QuantizedLayer, quantizeLayers } from './quantize-layers.js'
import { equalise, layerPairs } from './repairs/equalise.js'
import { foldBatchNorm } from './repairs/fold-batch-norm.js'
import { inputsOf, type WatchOptions, watchLayers } from './watch-layers.js'
import { type Written, write } from './write.js'

/** What is to be quantised, and how the caller hears of it. */
export interface Work {
  readonly model: FloatModel
  readonly recipe: Recipe
  readonly samples: readonly (readonly TensorData[])[]
  readonly signal: AbortSignalLike | undefined
  readonly during: (stage: Progress['stage'], total: number) => (done: number) => void
}

export interface Built {
  /** The float model with its repairs, which the quantised one stands for. */
  readonly model: FloatModel
  readonly forms: readonly Form[]
  readonly layers: ReadonlyMap<number, QuantizedLayer>
  readonly seen: Collected['seen']
  readonly written: Written
  readonly bytes: Uint8Array
}

export async function build(work: Work): Promise<Built> {
  const { recipe, samples, signal, during } = work
  const repairs: Required<Repairs> = { ...DEFAULT_REPAIRS, ...recipe.repairs }
  const model = await repaired(work, repairs)
  const [graph] = model.subgraphs
  const settings = settingsOf(recipe, work.model, graph)
  const constants = maskConstants(graph)
  let forms = formsOf(graph, settings, constants)
  let groups = groupTensors(graph, forms, settings)
  const watching: WatchOptions = { graph, forms, settings, repairs, seed: recipe.seed ?? DEFAULT_SEED }
  const watchers = watchLayers(watching)
  const options = { signal, onSample: during('collect', samples.length) }
  const collected = await withSession(model, (session) =>
    collectRanges(session, samples, { groups, watchers: [...watchers.values()] }, options),
  )
  const masks = maskGroups(groups, collected.seen)
  if (masks.size > 0) {
    forms = formsOf(graph, settings, new Set([...constants, ...masks]))
    groups = groupTensors(graph, forms, settings)
  }
  const inputs = inputsOf(samples.length === 0 ? new Map() : watchers)
  const codes = codeFinder(graph, groups, collected.observers)
  const correctsBias = repairs.biasCorrection !== 'none'
  const quantized = await quantizeLayers(
    { graph, forms, settings, codes, inputs, correctsBias },
    signal,
    during,
  )
  const writeLayers = (layers: ReadonlyMap<number, QuantizedLayer>) =>
    write(model, {
      forms,
      codes,
      layers: new Map([...layers].map(([i, { tensors }]) => [i, tensors])),
      ports: recipe.ports ?? 'integer',
    })
  const layers =
    repairs.biasCorrection === 'empirical'
      ? await correctBiases({ ...work, watching, inputs, layers: quantized, write: writeLayers })
      : quantized
  const written = writeLayers(layers)
  return { model, forms, layers, seen: collected.seen, written, bytes: encode(written.file) }
}

/** Settings of the operators that `graph` still has: rules mean those of the user's file. */
export function settingsOf(
  recipe: Recipe,
  { subgraphs: [{ operators, tensors }] }: FloatModel,
  graph: FloatGraph,
): readonly Settings[] {
  const named = operators.map(({ type, place, outputs }) => ({
    type,
    place,
    outputs: outputs.map((index) => tensors[index]?.name ?? ''),
  }))
  const settings = resolve(recipe, named)
  const byPlace = new Map(operators.map(({ place }, i) => [place, settings[i] as Settings]))
  return graph.operators.map(({ place }) => byPlace.get(place) as Settings)
}

/** A float model, ready to run, for as long as `use` takes. */
export async function withSession<T>(model: FloatModel, use: (session: Session) => Promise<T>): Promise<T> {
  const session = new Session(sourceOf(model, loadSettings({}, process.env, loadBinding().cpu())), {})
  try {
    return await use(session)
  } finally {
    session.dispose()
  }
}

/** The model after what is repaired before anything is rounded. */
async function repaired(work: Work, repairs: Required<Repairs>): Promise<FloatModel> {
  const withGraph = (graph: FloatGraph): FloatModel => {
    const [main, ...others] = work.model.subgraphs
    if (graph === main) return work.model
    return { ...work.model, subgraphs: [graph, ...others] }
  }
  const [main] = work.model.subgraphs
  const graph = repairs.foldBatchNorm ? foldBatchNorm(main).graph : main
  if (!repairs.equalise) return withGraph(graph)
  const pairs = layerPairs(graph)
  const clipped = pairs.flatMap(({ clipped }) => (clipped === undefined ? [] : [clipped]))
  const peaks = await channelPeaks(withGraph(graph), clipped, work)
  return withGraph(equalise(graph, pairs, (tensor) => peaks.get(tensor)))
}

/** The largest value of each channel of some tensors over all samples. */
async function channelPeaks(
  model: FloatModel,
  tensors: readonly number[],
  { samples, signal, during }: Work,
): Promise<ReadonlyMap<number, Float64Array>> {
  const peaks = new Map<number, Float64Array>()
  if (tensors.length === 0) return peaks
  const options = { signal, onSample: during('equalise', samples.length) }
  await withSession(model, (session) =>
    eachRun(session, samples, tensors, options, (_, kept) => {
      for (const tensor of tensors) {
        const channels = model.subgraphs[0].tensors[tensor]?.shape.at(-1) ?? 1
        const largest = peaks.get(tensor) ?? new Float64Array(channels).fill(Number.NEGATIVE_INFINITY)
        peaks.set(tensor, largest)
        for (const [i, value] of kept(tensor).entries()) {
          if (value > (largest[i % channels] as number)) largest[i % channels] = value
        }
      }
    }),
  )
  return peaks
}
