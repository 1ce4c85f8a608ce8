// lowbit run: classifies pictures.

import { Command, Option } from 'commander'
import { imageInput, type Layout, pictureData } from '../data/codes.js'
import { readPicture } from '../data/picture.js'
import { LowbitError } from '../errors.js'
import { facts, table } from '../report/table.js'
import { timeText } from '../report/units.js'
import { SHIPPED, shownName } from './assets.js'
import { classCount, classNames, scoresOutput } from './classes.js'
import { type Engine, openModel } from './engine.js'
import { jsonOption, memoryOption, threadsOption, wholeNumber } from './options.js'
import { heading, note, print, printJson, stdoutWidth } from './output.js'
import { addPictureOptions, PIXELS_HELP, type PictureOptions, pictureSettings } from './picture-options.js'
import { type TopClass, topClasses } from './top.js'

interface RunOptions extends PictureOptions {
  readonly top: number
  readonly labels?: string
  readonly threads?: number
  readonly memory: 'small' | 'balanced' | 'fast'
  readonly json?: true
}

/** One picture's result, as `--json` prints it. */
interface RunResult {
  readonly model: string
  readonly file: string
  readonly isa: string
  readonly threads: number
  readonly ms: number
  /** `probability`: the scores sum to about 1; `score`: they do not. */
  readonly kind: 'probability' | 'score'
  readonly top: readonly TopClass[]
}

const EXAMPLES = `
Examples:
  $ lowbit run                                     the shipped model on the shipped picture
  $ lowbit run model.tflite cat.ppm dog.ppm        two pictures
  $ lowbit run model.tflite cat.jpg --top 3        JPEG, PNG and others need: npm install sharp
  $ lowbit run model.tflite cat.ppm --labels imagenet.txt --json
  $ lowbit run float.tflite cat.ppm --mean 127.5 --std 127.5 --fit crop
${PIXELS_HELP}`

export function runCommand(): Command {
  const command = new Command('run')
    .description('classify pictures with a model')
    .argument('[model]', 'a .tflite file (default: the one that comes with lowbit)')
    .argument('[files...]', 'pictures (default: the one that comes with lowbit)')
    .addOption(
      new Option('--top <n>', 'how many classes to show').argParser(wholeNumber(1, 1_000_000)).default(5),
    )
    .option('--labels <file>', "class names, one a line (default: the model's own)")
  return addPictureOptions(command)
    .addOption(threadsOption())
    .addOption(memoryOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(run)
}

/** The one input and the one output of a model that classifies pictures; an error that says what is in the way. */
function classifierTensors({ model }: Engine, layout: Layout | undefined) {
  const [input] = model.inputs
  if (!input || model.inputs.length !== 1) {
    throw new LowbitError(
      'INPUT_COUNT',
      `the model has ${model.inputs.length} inputs; lowbit run takes models with one picture as input`,
      { expected: 1, actual: model.inputs.length },
    )
  }
  imageInput(input, layout)
  return { input, output: scoresOutput(model, 'lowbit run') }
}

async function run(
  modelPath: string | undefined,
  files: readonly string[],
  options: RunOptions,
): Promise<void> {
  const path = modelPath ?? SHIPPED.model
  const pictures = files.length > 0 ? files : [SHIPPED.picture]
  if (modelPath !== undefined && files.length === 0)
    note('no picture given; this is the one that comes with lowbit')
  const engine = await openModel(path, options)
  try {
    const { input, output } = classifierTensors(engine, options.layout)
    const labels = await classNames(engine.model, path, classCount(output), options.labels)
    const settings = pictureSettings(engine.model, options)
    const results: RunResult[] = []
    for (const file of pictures) {
      const data = pictureData(await readPicture(file), input, settings)
      const started = performance.now()
      const [scores] = await engine.model.run([data])
      const ms = performance.now() - started
      if (!scores) throw new LowbitError('INTERNAL', 'the run gave no output')
      results.push({
        model: shownName(path),
        file: shownName(file),
        isa: engine.isa,
        threads: engine.threads,
        ms: Number(ms.toFixed(4)),
        ...topClasses(scores.toFloat32(), options.top, { labels, step: output.quantization?.scale[0] ?? 0 }),
      })
    }
    if (options.json) printJson(results.length === 1 ? (results[0] as RunResult) : { results })
    else print(results.map(resultText).join('\n\n'))
  } finally {
    engine.model.dispose()
  }
}

function resultText(result: RunResult): string {
  const share = result.kind === 'probability'
  const rows = result.top.map(({ index, label, score }) => [
    label ?? `class ${index}`,
    index,
    share ? `${(100 * score).toFixed(1)} %` : String(Number(score.toPrecision(5))),
  ])
  const columns = [
    { title: 'label', shrinkTo: 20 },
    { title: 'class', align: 'right' as const },
    { title: share ? 'probability' : 'score', align: 'right' as const },
  ]
  const lines = [
    facts([
      ['model', result.model],
      ['picture', result.file],
      [
        'time',
        `${timeText(result.ms)}, ${result.isa}, ${result.threads === 1 ? '1 thread' : `${result.threads} threads`}`,
      ],
    ]),
    '',
    table(columns, rows, { width: stdoutWidth(), head: heading }),
  ]
  if (!share) lines.push('', 'The outputs do not sum to 1: these are scores, not probabilities.')
  return lines.join('\n')
}
