// The pipeline: float file -> prepared model -> ranges -> weights -> quantised file -> report.

import { readFile } from 'node:fs/promises'
import { LowbitError } from '../errors.js'
import { decode } from '../format/tflite/decode.js'
import { encode } from '../format/tflite/encode.js'
import type { ModelFile } from '../model/model.js'
import { loadBinding } from '../native/load.js'
import { DEFAULT_REPAIRS, DEFAULT_SEED } from '../recipe/defaults.js'
import type { PresetName } from '../recipe/presets.js'
import { readRecipe } from '../recipe/read.js'
import type { Recipe } from '../recipe/recipe.js'
import { resolve, type Settings } from '../recipe/resolve.js'
import { sourceOf } from '../session/compile.js'
import { loadSettings } from '../session/options.js'
import { Session } from '../session/session.js'
import { collectRanges } from './collect.js'
import { codeFinder } from './find-codes.js'
import { formsOf } from './forms.js'
import { groupTensors } from './groups.js'
import { maskConstants, maskGroups } from './masks.js'
import { checkLabels, checkOptions, type Progress, type QuantizeOptions } from './options.js'
import { type FloatModel, prepare } from './prepare.js'
import { quantizeLayers } from './quantize-layers.js'
import { readSamples, type Samples } from './read-samples.js'
import type { QuantizeReport } from './report.js'
import { watchLayers } from './watch-layers.js'
import { write } from './write.js'
import { reportOn } from './write-report.js'

export interface QuantizeResult {
  /** The quantised model, a `.tflite` file. */
  readonly bytes: Uint8Array
  readonly report: QuantizeReport
}

/**
 * Quantises a float model.
 *
 * @param source Path of the `.tflite` file, or its bytes. Integer weights beside float activations are widened first.
 * @param samples Arrays for the model's inputs, as they come in use; ranges are found from them. They are read and
 *   checked before any work starts, and held in memory. Recipes without integer activations need none (`[]`).
 * @param recipe Name of a preset, or a recipe.
 * @throws {LowbitError} (as rejection) `OPTION_INVALID` for recipe and options; `NAME_UNKNOWN` for a rule that matches
 *   nothing; `DTYPE_UNSUPPORTED` for a model that is quantised already; `DATA_INVALID` where samples are needed and
 *   there are none; `INPUT_COUNT`, `DTYPE_MISMATCH`, `SHAPE_MISMATCH`, `NOT_FINITE` for a sample; what `loadModel` says
 *   of the file. An abort rejects with `signal.reason`.
 */
export async function quantize(
  source: string | Uint8Array,
  samples: Samples,
  recipe: PresetName | Recipe,
  options: QuantizeOptions = {},
): Promise<QuantizeResult> {
  const started = performance.now()
  checkOptions(options)
  const { signal, onProgress = () => undefined } = options
  const checked = readRecipe(recipe)
  const repairs = { ...DEFAULT_REPAIRS, ...checked.repairs }
  const bytes = await readSource(source)
  signal?.throwIfAborted()
  const model = prepare(decode(bytes))
  const [graph] = model.subgraphs
  const settings = settingsOf(checked, model)
  const constants = maskConstants(graph)
  let forms = formsOf(graph, settings, constants)
  const session = openSession(model)
  try {
    const list = await readSamples(samples, session.inputs, (done) => {
      signal?.throwIfAborted()
      onProgress({ stage: 'samples', done, total: 0 })
    })
    if (list.length === 0 && forms.some(({ kind }) => kind === 'integer')) throw noSamples()
    const labels = checkLabels(options.labels, list.length)
    const during = (stage: Progress['stage'], total: number) => (done: number) =>
      onProgress({ stage, done, total })

    let groups = groupTensors(graph, forms, settings)
    const watchers = watchLayers({ graph, forms, settings, repairs, seed: checked.seed ?? DEFAULT_SEED })
    const collected = await collectRanges(
      session,
      list,
      { groups, watchers: [...watchers.values()] },
      { signal, onSample: during('collect', list.length) },
    )
    const inputs =
      list.length === 0
        ? new Map()
        : new Map([...watchers].map(([i, { sums }]) => [i, sums.result()] as const))
    const masks = maskGroups(groups, collected.seen)
    if (masks.size > 0) {
      forms = formsOf(graph, settings, new Set([...constants, ...masks]))
      groups = groupTensors(graph, forms, settings)
    }
    const codes = codeFinder(graph, groups, collected.observers)
    const layers = await quantizeLayers(
      { graph, forms, settings, codes, inputs, correctsBias: repairs.biasCorrection !== 'none' },
      signal,
      during,
    )
    const tensors = new Map([...layers].map(([i, { tensors }]) => [i, tensors]))
    const written = write(model, { forms, codes, layers: tensors, ports: checked.ports ?? 'integer' })
    const result = encode(written.file)
    const report = await reportOn(
      {
        recipe: checked,
        bytes,
        model,
        session,
        forms,
        layers,
        seen: collected.seen,
        samples: list,
        labels,
        started,
      },
      { bytes: result, written },
      options,
    )
    return { bytes: result, report }
  } finally {
    session.dispose()
  }
}

function settingsOf(
  recipe: Recipe,
  { subgraphs: [{ operators, tensors }] }: FloatModel,
): readonly Settings[] {
  return resolve(
    recipe,
    operators.map(({ type, place, outputs }) => ({
      type,
      place,
      outputs: outputs.map((index) => tensors[index]?.name ?? ''),
    })),
  )
}

/** A float model, ready to run. */
function openSession(model: ModelFile): Session {
  return new Session(sourceOf(model, loadSettings({}, process.env, loadBinding().cpu())), {})
}

/** A copy, in memory of its own. Of a Buffer `slice` would be a view. */
async function readSource(source: string | Uint8Array): Promise<Uint8Array> {
  if (typeof source !== 'string') {
    if (ArrayBuffer.isView(source) && source[Symbol.toStringTag] === 'Uint8Array')
      return new Uint8Array(source)
    throw new LowbitError(
      'OPTION_INVALID',
      'source: the path of a .tflite file, or its bytes as Uint8Array, expected',
      {
        actual: typeof source,
      },
    )
  }
  try {
    return new Uint8Array(await readFile(source))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new LowbitError('DATA_INVALID', `the model file cannot be read: ${why}`, { actual: source, cause })
  }
}

function noSamples(): LowbitError {
  return new LowbitError(
    'DATA_INVALID',
    'samples: there are none, and ranges of integer activations are found from them',
    {
      expected: 'at least 1',
      actual: 0,
    },
  )
}
