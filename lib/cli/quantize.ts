// lowbit quantize: a float model becomes an integer one, with a report.

import { constants } from 'node:fs'
import { access, readFile, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { LowbitError } from '../errors.js'
import type { Progress } from '../quantize/options.js'
import { quantize } from '../quantize/quantize.js'
import type { QuantizeReport } from '../quantize/report.js'
import { PRESETS, type PresetName } from '../recipe/presets.js'
import type { Recipe } from '../recipe/recipe.js'
import { type Draw, loadDraw } from '../report/draw.js'
import { quantizePage } from '../report/quantize-page.js'
import { summaryText } from '../report/quantize-text.js'
import { openAnswers } from '../samples/answers.js'
import { openSamples, type Samples } from '../samples/samples.js'
import type { Model } from '../session/model.js'
import type { TypedArray } from '../tensor/dtype.js'
import { score } from './accuracy.js'
import { packageVersion, shownName } from './assets.js'
import { classCount, classNames, scoresOutput } from './classes.js'
import { openModel } from './engine.js'
import { interruptible } from './interrupt.js'
import { jsonOption, wholeNumber } from './options.js'
import { heading, note, print, printJson, stdoutWidth } from './output.js'
import { addPictureOptions, PIXELS_HELP, type PictureOptions, pictureSettings } from './picture-options.js'
import { type ProgressLine, progressLine } from './progress.js'

interface CommandOptions extends PictureOptions {
  readonly data?: string
  readonly output: string
  readonly recipe?: string
  readonly preset?: PresetName
  readonly samples: number
  readonly report?: string
  readonly evaluate?: string
  readonly labels?: string
  readonly classes?: string
  readonly json?: true
}

const EXAMPLES = `
Examples:
  $ lowbit quantize float.tflite --data photos/ -o int8.tflite --report report.html
  $ lowbit quantize float.tflite --data x.npy -o small.tflite --preset int4-weights
  $ lowbit quantize float.tflite --data x.npz -o mine.tflite --recipe recipe.json --json
  $ lowbit quantize float.tflite -o dynamic.tflite --preset int8-dynamic      needs no data
  $ lowbit quantize float.tflite --data train/ -o int8.tflite --evaluate test/

--evaluate, or --labels for the samples themselves, measures the accuracy of both models. Right answers are given as for
lowbit evaluate. Numbers in .npy and .npz files are real values, as the float model takes them.
${PIXELS_HELP}`

const STAGES: Readonly<Record<Progress['stage'], string>> = {
  samples: 'reading samples',
  equalise: 'equalising layers',
  collect: 'collecting ranges',
  weights: 'quantising weights',
  correct: 'correcting biases',
  repairs: 'measuring repairs',
  measure: 'measuring',
  evaluate: 'evaluating',
}

export function quantizeCommand(): Command {
  const command = new Command('quantize')
    .description('make an integer model of a float one')
    .argument('<model>', 'a float .tflite file')
    .requiredOption('-o, --output <file>', 'where the quantised model goes')
    .option(
      '--data <path>',
      'samples: a folder of pictures, .wav, .npy, .npz files or CIFAR-10 batches, or one such file',
    )
    .addOption(new Option('--preset <name>', 'a recipe by its name').choices(Object.keys(PRESETS)))
    .addOption(new Option('--recipe <file>', 'a recipe of your own, as JSON').conflicts('preset'))
    .addOption(
      new Option('--samples <n>', 'most samples to take, evenly spread')
        .argParser(wholeNumber(1, 100_000_000))
        .default(100),
    )
    .option('--report <file>', 'write what was done as an HTML page (needs: npm install vega vega-lite)')
    .option('--evaluate <path>', 'labelled data to measure the accuracy on')
    .option('--labels <file>', 'right answers to the data of --evaluate, or else of --data')
    .option('--classes <file>', "class names, one a line (default: the model's own)")
  return addPictureOptions(command)
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action((path: string, options: CommandOptions) =>
      interruptible((signal) => quantizeFile(path, options, signal)),
    )
}

async function quantizeFile(path: string, options: CommandOptions, signal: AbortSignal): Promise<void> {
  // All that can be wrong is found before the work starts.
  const draw = options.report === undefined ? undefined : await loadDraw()
  for (const file of [options.output, options.report]) await checkTarget(file, path)
  const recipe = await recipeOf(options)
  const { model } = await openModel(path, {})
  const progress = progressLine()
  try {
    const samples = await samplesOf(model, options)
    const evaluate = await evaluatorOf(model, path, samples, options, { signal, progress })
    const { bytes, report } = await quantize(path, arraysOf(samples), recipe, {
      signal,
      onProgress: ({ stage, done, total }) => {
        if (stage !== 'evaluate') progress.show(STAGES[stage], done, total || mostOf(samples))
      },
      ...(evaluate && { evaluate }),
    })
    progress.stop()
    await writeFile(options.output, bytes)
    await publish(path, report, options, draw)
  } finally {
    progress.stop()
    model.dispose()
  }
}

async function publish(
  path: string,
  report: QuantizeReport,
  options: CommandOptions,
  draw: Draw | undefined,
): Promise<void> {
  const facts = { model: shownName(path), output: options.output }
  if (options.report !== undefined) {
    await writeFile(options.report, await quantizePage(report, { ...facts, version: packageVersion() }, draw))
  }
  if (options.json) {
    printJson({ ...facts, ...report })
    return
  }
  const files = [
    ['model', facts.model],
    ['output', facts.output],
    ...(options.report === undefined ? [] : [['report', options.report] as const]),
  ] as const
  print(summaryText(report, files, { width: stdoutWidth(), head: heading }))
}

/** A file that is to be written: its folder must be there, and it must not be the model. */
async function checkTarget(file: string | undefined, model: string): Promise<void> {
  if (file === undefined) return
  if (resolve(file) === resolve(model)) {
    throw new LowbitError('OPTION_INVALID', `${file}: the model itself would be overwritten`)
  }
  await access(dirname(file), constants.W_OK).catch((cause: unknown) => {
    throw new LowbitError('OPTION_INVALID', `${file}: there is no folder ${dirname(file)} to write to`, {
      cause,
    })
  })
}

/** As JSON says it, unchecked; or a preset's name. */
async function recipeOf({ recipe, preset = 'int8' }: CommandOptions): Promise<PresetName | Recipe> {
  if (recipe === undefined) return preset
  try {
    return JSON.parse(await readFile(recipe, 'utf8')) as Recipe
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new LowbitError('OPTION_INVALID', `${recipe}: no JSON: ${cause.message}`, { cause })
  }
}

async function samplesOf(model: Model, options: CommandOptions): Promise<Samples | undefined> {
  if (options.data === undefined) return undefined
  const settings = pictureSettings(model, options)
  return openSamples(options.data, model.inputs, { ...settings, limit: options.samples })
}

const mostOf = (samples: Samples | undefined) =>
  samples !== undefined && Number.isFinite(samples.most) ? samples.most : 0

async function* arraysOf(samples: Samples | undefined): AsyncGenerator<readonly TypedArray[]> {
  if (samples === undefined) return
  for await (const { inputs } of samples) yield inputs
}

/** What gives the accuracy of a model, where right answers are known. */
async function evaluatorOf(
  model: Model,
  path: string,
  samples: Samples | undefined,
  options: CommandOptions,
  { signal, progress }: { readonly signal: AbortSignal; readonly progress: ProgressLine },
): Promise<((model: Model) => Promise<number>) | undefined> {
  const { evaluate, labels, classes: names } = options
  if (evaluate === undefined && labels === undefined) return undefined
  const data =
    evaluate === undefined
      ? samples
      : await openSamples(evaluate, model.inputs, pictureSettings(model, options))
  const classes = classCount(scoresOutput(model, 'an accuracy'))
  const known = await classNames(model, path, classes, names)
  const answers = data && (await openAnswers(data, { labels, names: known, classes }))
  if (data === undefined || answers === undefined) {
    const message = 'nothing says the right answers: --evaluate with sub-folders, or with --labels, expected'
    throw new LowbitError('OPTION_INVALID', message)
  }
  if (answers.note !== undefined) note(answers.note)
  if (data === samples) note('the accuracy is that on the samples which the model is made from')
  return async (one) => {
    const onSample = (done: number) => progress.show(STAGES.evaluate, done, mostOf(data))
    return (await score(one, data, answers, { signal, onSample })).top1
  }
}
