// lowbit evaluate: accuracy of a model on labelled data.

import { Command, Option } from 'commander'
import { LowbitError } from '../errors.js'
import { facts, table } from '../report/table.js'
import { openAnswers } from '../samples/answers.js'
import { openSamples } from '../samples/samples.js'
import type { Score } from '../samples/score.js'
import { score } from './accuracy.js'
import { shownName } from './assets.js'
import { classCount, classNames, scoresOutput } from './classes.js'
import { openModel } from './engine.js'
import { interruptible } from './interrupt.js'
import { jsonOption, memoryOption, threadsOption, wholeNumber } from './options.js'
import { heading, note, print, printJson, stdoutWidth } from './output.js'
import { addPictureOptions, PIXELS_HELP, type PictureOptions, pictureSettings } from './picture-options.js'
import { progressLine } from './progress.js'

/** More classes than these have no confusion matrix that anybody reads. */
const MOST_CONFUSED = 100

interface EvaluateOptions extends PictureOptions {
  readonly data: string
  readonly labels?: string
  readonly classes?: string
  readonly samples?: number
  readonly threads?: number
  readonly memory: 'small' | 'balanced' | 'fast'
  readonly json?: true
}

/** What `--json` prints. */
interface Evaluation {
  readonly model: string
  readonly isa: string
  readonly threads: number
  readonly samples: number
  /** Shares from 0 to 1; `top5` is null for five classes or less. */
  readonly top1: number
  readonly top5: number | null
  /** null where nobody knows the names. */
  readonly classes: readonly string[] | null
  /** [right][given]: how often; null for more than 100 classes. */
  readonly confusion: readonly (readonly number[])[] | null
}

const EXAMPLES = `
Examples:
  $ lowbit evaluate model.tflite --data photos/                  sub-folders name the classes
  $ lowbit evaluate model.tflite --data photos/ --labels names.txt
  $ lowbit evaluate model.tflite --data flat/ --labels answers.csv      lines "file,class"
  $ lowbit evaluate model.tflite --data x.npy --labels y.npy --json
  $ lowbit evaluate model.tflite --data test.npz                 arrays "x" and "labels" or "y"
  $ lowbit evaluate model.tflite --data test_batch.bin           CIFAR-10's binary form

Classes are numbers, or names that --classes, --labels or the model's metadata list. Numbers in .npy and .npz files are
taken as they are if they are of the input's type, else as real values.
${PIXELS_HELP}`

export function evaluateCommand(): Command {
  const command = new Command('evaluate')
    .description('accuracy of a model that classifies, on labelled data')
    .argument('<model>', 'a .tflite file')
    .requiredOption(
      '--data <path>',
      'a folder of pictures, .wav, .npy, .npz files or CIFAR-10 batches, or one such file',
    )
    .option('--labels <file>', 'right answers, or names of the classes for data in sub-folders')
    .option('--classes <file>', "class names, one a line (default: the model's own)")
    .addOption(
      new Option('--samples <n>', 'most samples, evenly spread (default: all)').argParser(
        wholeNumber(1, 100_000_000),
      ),
    )
  return addPictureOptions(command)
    .addOption(threadsOption())
    .addOption(memoryOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action((path: string, options: EvaluateOptions) =>
      interruptible((signal) => evaluate(path, options, signal)),
    )
}

async function evaluate(path: string, options: EvaluateOptions, signal: AbortSignal): Promise<void> {
  const { model, isa, threads } = await openModel(path, options)
  const progress = progressLine()
  try {
    const classes = classCount(scoresOutput(model, 'lowbit evaluate'))
    const names = await classNames(model, path, classes, options.classes)
    const samples = await openSamples(options.data, model.inputs, {
      ...pictureSettings(model, options),
      ...(options.samples !== undefined && { limit: options.samples }),
    })
    const answers = await openAnswers(samples, { labels: options.labels, names, classes })
    if (answers === undefined) {
      const message = `${options.data}: nothing says the right answers: sub-folders, or --labels, expected`
      throw new LowbitError('OPTION_INVALID', message)
    }
    if (answers.note !== undefined) note(answers.note)
    const most = Number.isFinite(samples.most) ? samples.most : 0
    const total = await score(model, samples, answers, {
      signal,
      onSample: (done) => progress.show('evaluating', done, most),
    })
    progress.stop()
    const result = evaluationOf(total, classes, answers.names ?? names)
    const all: Evaluation = { model: shownName(path), isa, threads, ...result }
    if (options.json) printJson(all)
    else print(evaluationText(all))
  } finally {
    progress.stop()
    model.dispose()
  }
}

function evaluationOf(total: Score, classes: number, names: readonly string[] | undefined) {
  return {
    samples: total.samples,
    top1: total.top1,
    top5: classes > 5 ? total.top5 : null,
    classes: names ?? null,
    confusion: classes <= MOST_CONFUSED ? total.confusion() : null,
  }
}

/** The matrix is shown up to this many classes. */
const MOST_SHOWN = 20
const percent = (share: number) => `${(100 * share).toFixed(2)} %`

function evaluationText({ model, isa, samples, top1, top5, classes, confusion }: Evaluation): string {
  const lines = [
    facts([
      ['model', model],
      ['samples', `${samples}, ${isa}`],
      ['top-1', percent(top1)],
      ...(top5 === null ? [] : [['top-5', percent(top5)] as const]),
    ]),
  ]
  if (confusion !== null && confusion.length <= MOST_SHOWN) {
    const number = { align: 'right' as const }
    const columns = [
      { title: 'right \\ given', shrinkTo: 12 },
      ...confusion.map((_, i) => ({ title: String(i), ...number })),
    ]
    const rows = confusion.map((row, i) => [classes?.[i] ? `${i} ${classes[i]}` : i, ...row])
    lines.push('', table(columns, rows, { width: stdoutWidth(), head: heading }))
  }
  return lines.join('\n')
}
