// The pipeline: float file -> prepared model -> ranges -> weights -> quantised file -> report.

import { readFile } from 'node:fs/promises'
import { LowbitError } from '../errors.js'
import { decode } from '../format/tflite/decode.js'
import type { PresetName } from '../recipe/presets.js'
import { readRecipe } from '../recipe/read.js'
import type { Recipe } from '../recipe/recipe.js'
import type { Session } from '../session/session.js'
import { build, settingsOf, type Work, withSession } from './build.js'
import { formsOf } from './forms.js'
import { maskConstants } from './masks.js'
import { checkLabels, checkOptions, type QuantizeOptions } from './options.js'
import { prepare } from './prepare.js'
import { readSamples, type Samples } from './read-samples.js'
import { repairGains } from './repair-gains.js'
import type { QuantizeReport } from './report.js'
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
  const bytes = await readSource(source)
  signal?.throwIfAborted()
  const model = prepare(decode(bytes))
  const [graph] = model.subgraphs
  const forms = formsOf(graph, settingsOf(checked, model, graph), maskConstants(graph))
  return withSession(model, async (session) => {
    const list = await readSamples(samples, session.inputs, (done) => {
      signal?.throwIfAborted()
      onProgress({ stage: 'samples', done, total: 0 })
    })
    if (list.length === 0 && forms.some(({ kind }) => kind === 'integer')) throw noSamples()
    const labels = checkLabels(options.labels, list.length)
    const work: Work = {
      model,
      recipe: checked,
      samples: list,
      signal,
      during: (stage, total) => (done) => onProgress({ stage, done, total }),
    }
    const built = await build(work)
    const gains = await repairGains(work, session, built.bytes, labels)
    const facts = { ...built, recipe: checked, source: bytes, samples: list, labels, gains, started }
    const report = (before: Session) => reportOn({ ...facts, session: before }, options)
    // Layers are compared with those that they stand for, which equalisation may have scaled.
    return {
      bytes: built.bytes,
      report: await (built.model === model ? report(session) : withSession(built.model, report)),
    }
  })
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
