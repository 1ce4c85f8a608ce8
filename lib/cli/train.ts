// lowbit train: a network learns from data of the user, and says how well.

import { writeFile } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { Command } from 'commander'
import { LowbitError } from '../errors.js'
import { type Draw, loadDraw } from '../report/draw.js'
import { facts } from '../report/table.js'
import { trainCurves, trainPage } from '../report/train-page.js'
import { timeText } from '../report/units.js'
import { AUGMENTATIONS } from '../train/data/augment.js'
import type { Dataset } from '../train/data/dataset.js'
import type { EpochRecord, FitOptions, History, StepProgress } from '../train/fit/options.js'
import type { NetworkName } from '../train/networks/networks.js'
import { engineSettings } from './engine.js'
import { interruptible } from './interrupt.js'
import { print, printJson } from './output.js'
import { type ProgressLine, progressLine } from './progress.js'
import { makeFile } from './train-file.js'
import { type TrainOptions, trainCommandLine } from './train-options.js'

/** The entry `lowbit/train` loads TensorFlow.js, which only this command needs. */
type Training = typeof import('../train.js')

/** What `--json` prints. */
interface TrainResult {
  readonly data: string
  readonly network: string
  readonly isa: string
  readonly threads: number
  readonly seed: number
  readonly parameters: number
  readonly epochs: readonly EpochRecord[]
  /** The epoch whose weights were kept, from 1. */
  readonly chosen: number
  readonly stopped: History['stopped']
  readonly seconds: number
  /** On the test examples. */
  readonly accuracy: { readonly float: number; readonly quantized?: number }
  readonly qatEpochs: readonly EpochRecord[]
  /** Of the file. */
  readonly bytes: number | null
  readonly out: string | null
  readonly loss: number
  readonly checkpoint: string | null
}

export function trainCommand(): Command {
  return trainCommandLine().action((what: string, options: TrainOptions) => {
    const { checkpoint } = options
    const kept =
      checkpoint === undefined
        ? 'nothing was written (--checkpoint keeps the state)'
        : `the state is in ${checkpoint}; go on with the same command and --resume`
    return interruptible((signal) => train(what, options, signal), kept)
  })
}

async function train(what: string, options: TrainOptions, signal: AbortSignal): Promise<void> {
  // All that can be wrong is found before the work starts.
  if (options.resume && options.checkpoint === undefined) {
    throw new LowbitError('OPTION_INVALID', '--resume: --checkpoint with the folder expected')
  }
  const draw = options.curves === undefined ? undefined : await curvesDraw(options.curves)
  const { settings, cpu } = engineSettings(options)
  const training = await import('../train.js')
  training.configureBackend({ threads: settings.threads })
  const data = await dataOf(training, what, options)
  const network = options.network ?? (what === 'mnist' ? 'digits' : 'classic')
  const model = await networkOf(training, network, data, options)
  const progress = progressLine()
  try {
    const history = await training.fit(model, data, fitOptions(options, progress, signal))
    progress.stop()
    const { loss, accuracy } = await training.evaluate(model, data, signal)
    const made = await makeFile(training, model, data, options, fitOptions(options, progress, signal, 'qat '))
    progress.stop()
    const result: TrainResult = {
      ...{ data: data.name, network, isa: cpu.isa, threads: settings.threads, seed: options.seed },
      parameters: model.countParams(),
      epochs: history.epochs,
      chosen: history.chosen.epoch,
      stopped: history.stopped,
      seconds: history.epochs.reduce((sum, one) => sum + one.seconds, 0),
      accuracy: { float: accuracy, ...(made.quantized !== undefined && { quantized: made.quantized }) },
      qatEpochs: made.epochs,
      bytes: made.bytes ?? null,
      out: options.out ?? null,
      ...{ loss, checkpoint: options.checkpoint ?? null },
    }
    await publish(result, options, draw)
  } finally {
    progress.stop()
  }
}

async function dataOf(
  { openDataset, holdOut }: Training,
  what: string,
  options: TrainOptions,
): Promise<Dataset> {
  const { data, size, fit, validation, seed } = options
  const found = await openDataset(what, { fit, ...(data !== undefined && { data }), ...(size && { size }) })
  return validation === undefined ? found : holdOut(found, validation, seed)
}

/** A network by its name, or the default export of a module: a function of { shape, classes } that gives a layers model. */
async function networkOf(
  { createNetwork, withSeed }: Training,
  name: string,
  { shape, classes }: Dataset,
  { activation, seed }: TrainOptions,
): Promise<LayersModel> {
  if (!/\.[cm]?js$/.test(name)) {
    return createNetwork(name as NetworkName, { shape, classes, activation, seed })
  }
  const { default: make } = (await import(pathToFileURL(resolve(name)).href)) as { default?: unknown }
  if (typeof make === 'function') return withSeed(seed, () => make({ shape, classes, activation }))
  throw new LowbitError(
    'OPTION_INVALID',
    `${name}: a function as default export expected, it is ${typeof make}`,
  )
}

function fitOptions(
  options: TrainOptions,
  progress: ProgressLine,
  signal: AbortSignal,
  stage = '',
): FitOptions {
  const { augment, checkpoint, resume } = options
  const { epochs, batch, optimizer, learningRate, schedule, warmup } = options
  const { weightDecay, labelSmoothing, patience, seed } = options
  return {
    ...{ epochs, batch, optimizer, learningRate, schedule, warmup },
    ...{ weightDecay, labelSmoothing, patience, seed },
    augmentation: AUGMENTATIONS[augment] ?? {},
    ...(checkpoint !== undefined && { checkpoint, resume: resume === true }),
    signal,
    onStep: (step) =>
      progress.show(`${stage}epoch ${step.epoch}/${step.epochs}`, step.done, step.total, stepText(step)),
    onEpoch(record) {
      progress.stop()
      process.stderr.write(`${stage}${epochText(record)}\n`)
    },
  }
}

const percent = (share: number) => `${(100 * share).toFixed(2)} %`

function stepText({ loss, accuracy, secondsLeft }: StepProgress): string {
  const left = Math.ceil(secondsLeft)
  const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`
  return `loss ${loss.toFixed(3)}  accuracy ${percent(accuracy)}  ${clock} left`
}

function epochText({
  epoch,
  loss,
  accuracy,
  validationLoss,
  validationAccuracy,
  seconds,
}: EpochRecord): string {
  const parts = [
    `epoch ${epoch}`,
    `loss ${loss.toFixed(4)}`,
    `accuracy ${percent(accuracy)}`,
    `validation loss ${validationLoss.toFixed(4)}`,
    `accuracy ${percent(validationAccuracy)}`,
    timeText(1000 * seconds),
  ]
  return parts.join('  ')
}

async function curvesDraw(path: string): Promise<Draw> {
  if (['.svg', '.html'].includes(extname(path).toLowerCase())) return loadDraw()
  throw new LowbitError('OPTION_INVALID', `--curves: a file .svg or .html expected, not ${path}`)
}

async function publish(result: TrainResult, options: TrainOptions, draw: Draw | undefined): Promise<void> {
  const known = factsOf(result)
  const { curves } = options
  if (curves !== undefined && draw !== undefined) {
    const isPage = extname(curves).toLowerCase() === '.html'
    const text = isPage ? await trainPage(result.epochs, known, draw) : await trainCurves(result.epochs, draw)
    await writeFile(curves, text)
  }
  if (options.json) printJson(result)
  else print(facts(known))
}

function factsOf(result: TrainResult): readonly (readonly [string, string])[] {
  const { data, network, parameters, isa, threads, seed, epochs, chosen, stopped, seconds } = result
  const ended = stopped === 'patience' ? `stopped by --patience, epoch ${chosen} kept` : 'all done'
  return [
    ['data', data],
    ['network', `${network}, ${parameters} parameters`],
    ['kernels', `${isa}, ${threads} threads`],
    ['seed', String(seed)],
    ['epochs', `${epochs.length}, ${ended}, ${timeText(1000 * seconds)}`],
    ['test loss', result.loss.toFixed(4)],
    ['test accuracy', percent(result.accuracy.float)],
    ...(result.accuracy.quantized === undefined
      ? []
      : [['quantised accuracy', percent(result.accuracy.quantized)] as const]),
    ...(result.bytes === null ? [] : [['bytes', String(result.bytes)] as const]),
  ]
}
