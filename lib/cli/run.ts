// lowbit run: classifies pictures.

import { Command, Option } from 'commander'
import { imageInput, LAYOUTS, type Layout, type Normalization, pictureData } from '../data/codes.js'
import { fitLabels, readLabels } from '../data/labels.js'
import { readPicture } from '../data/picture.js'
import { FITS, type Fit } from '../data/resize.js'
import { LowbitError } from '../errors.js'
import { facts, table } from '../report/table.js'
import { timeText } from '../report/units.js'
import { shapeText } from '../tensor/shape.js'
import { isShippedModel, SHIPPED, shownName } from './assets.js'
import { type Engine, openModel } from './engine.js'
import { jsonOption, memoryOption, numberList, threadsOption, wholeNumber } from './options.js'
import { heading, note, print, printJson, stdoutWidth } from './output.js'
import { type TopClass, topClasses } from './top.js'

interface RunOptions {
  readonly top: number
  readonly labels?: string
  readonly mean?: readonly number[]
  readonly std?: readonly number[]
  readonly layout?: Layout
  readonly fit: Fit
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

Pixels become codes by the model's own normalisation if its metadata has one, or by --mean and --std;
otherwise a uint8 code is the pixel, an int8 code the pixel - 128, a float the pixel.`

export function runCommand(): Command {
  return new Command('run')
    .description('classify pictures with a model')
    .argument('[model]', 'a .tflite file (default: the one that comes with lowbit)')
    .argument('[files...]', 'pictures (default: the one that comes with lowbit)')
    .addOption(
      new Option('--top <n>', 'how many classes to show').argParser(wholeNumber(1, 1_000_000)).default(5),
    )
    .option('--labels <file>', "class names, one a line (default: the model's own)")
    .addOption(
      new Option('--mean <a,b,c>', 'mean of the pixels, one number or one a channel').argParser(numberList),
    )
    .addOption(new Option('--std <a,b,c>', 'what pixels are divided by').argParser(numberList))
    .addOption(
      new Option('--layout <layout>', "order of the input's extents (default: found in its shape)").choices(
        LAYOUTS,
      ),
    )
    .addOption(
      new Option('--fit <fit>', 'how other aspect ratios fit the input').choices(FITS).default('stretch'),
    )
    .addOption(threadsOption())
    .addOption(memoryOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(run)
}

function normalizationOf(engine: Engine, options: RunOptions): Normalization | undefined {
  const own = engine.model.metadata.normalization
  if (!options.mean && !options.std) return own
  return { mean: options.mean ?? [0], std: options.std ?? [1] }
}

/** Class names for `count` classes, or undefined where nobody knows any. */
async function labelsOf(
  engine: Engine,
  model: string,
  count: number,
  file: string | undefined,
): Promise<readonly string[] | undefined> {
  const own = engine.model.metadata.labels
  const path = file ?? (own === undefined && isShippedModel(model) ? SHIPPED.labels : undefined)
  const labels = path === undefined ? own : await readLabels(path)
  if (labels === undefined) return undefined
  const fitted = fitLabels(labels, count, path === undefined ? "the model's labels" : shownName(path))
  if (fitted.note) note(fitted.note)
  return fitted.labels
}

/** The one input and the one output of a model that classifies pictures; an error that says what is in the way. */
function classifierTensors({ model }: Engine, layout: Layout | undefined) {
  const [input] = model.inputs
  const [output] = model.outputs
  if (!input || !output || model.inputs.length !== 1) {
    throw new LowbitError(
      'INPUT_COUNT',
      `the model has ${model.inputs.length} inputs; lowbit run takes models with one picture as input`,
      { expected: 1, actual: model.inputs.length },
    )
  }
  imageInput(input, layout)
  if (model.outputs.length !== 1 || output.shape.filter((extent) => extent !== 1).length > 1) {
    throw new LowbitError(
      'SHAPE_MISMATCH',
      `the outputs (${model.outputs.map((o) => shapeText(o.shape)).join(', ')}) are not one score a class; lowbit run takes models that classify`,
      { expected: '[1, classes]', actual: model.outputs.map((o) => o.shape) },
    )
  }
  return { input, output }
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
    const count = output.shape.reduce((a, b) => a * b, 1)
    const labels = await labelsOf(engine, path, count, options.labels)
    const normalization = normalizationOf(engine, options)
    const results: RunResult[] = []
    for (const file of pictures) {
      const data = pictureData(await readPicture(file), input, {
        fit: options.fit,
        ...(options.layout && { layout: options.layout }),
        ...(normalization && { normalization }),
      })
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
