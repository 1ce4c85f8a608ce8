// lowbit diff: two models, or one model on two instruction sets, layer by layer.

import { readFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { LowbitError } from '../errors.js'
import { decode } from '../format/tflite/decode.js'
import type { Subgraph } from '../model/model.js'
import { facts, table } from '../report/table.js'
import { openModel } from '../session/load.js'
import type { Session } from '../session/session.js'
import { shapeText } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { shownName } from './assets.js'
import { inputPairs } from './diff-inputs.js'
import { emptyMeasure, layersOf, type Measure, matchLayers, measure, sqnrDb } from './diff-layers.js'
import { engineSettings } from './engine.js'
import { jsonOption, positiveNumber, threadsOption, wholeNumber } from './options.js'
import { heading, note, print, printJson, stdoutWidth } from './output.js'

interface DiffOptions {
  readonly data?: readonly string[]
  readonly isa?: string
  readonly runs: number
  readonly seed: number
  readonly below: number
  readonly threads?: number
  readonly json?: true
}

/** One pair of layers, as `--json` prints it. Names, types and operators are those of a, then of b. */
export interface DiffedLayer {
  readonly index: number
  readonly names: readonly [string, string]
  readonly ops: readonly [string, string]
  readonly dtypes: readonly [string, string]
  readonly shape: readonly number[]
  readonly equal: boolean
  /** null where the layers are equal or the ratio is no number. */
  readonly sqnrDb: number | null
  /** Largest difference of real values; null where one is infinite or NaN. */
  readonly maxError: number | null
  readonly mismatches: number
  readonly elements: number
}

/** What `--json` prints. */
export interface Diff {
  readonly a: { readonly model: string; readonly isa: string }
  readonly b: { readonly model: string; readonly isa: string }
  /** Samples that were run. */
  readonly samples: number
  /** dB below which a layer falls off. */
  readonly below: number
  readonly layers: readonly DiffedLayer[]
  /** Layers of either that have no counterpart. */
  readonly unmatched: { readonly a: readonly string[]; readonly b: readonly string[] }
  /** Index in `layers` of the first that is not equal, and of the first that falls off; null for none. */
  readonly firstDifferent: number | null
  readonly firstBelow: number | null
}

const EXAMPLES = `
Examples:
  $ lowbit diff int8.tflite float.tflite                      random inputs, the same for both
  $ lowbit diff int8.tflite float.tflite --data cat.ppm dog.ppm
  $ lowbit diff a.tflite b.tflite --data samples.npy --json   [N, ...]: N samples
  $ lowbit diff model.tflite --isa scalar,avx2                one model, two instruction sets

Layers belong together by the names of their tensors; the rest by the order of outputs of the same operator and shape.
SQNR = 10 log10(sum of b^2 / sum of (a - b)^2) over real values: b is what a is measured against. Files are given one an
input, sample after sample.`

export function diffCommand(): Command {
  return new Command('diff')
    .description('compare two models, or two instruction sets, layer by layer')
    .argument('<a>', 'a .tflite file')
    .argument('[b]', 'the one to measure against (default: the same file, with --isa)')
    .option('--data <files...>', 'pictures or .npy arrays (default: random numbers)')
    .option('--isa <a,b>', 'instruction sets for a and b, such as scalar,avx2')
    .addOption(
      new Option('--runs <n>', 'samples of random numbers').argParser(wholeNumber(1, 10_000)).default(1),
    )
    .addOption(
      new Option('--seed <n>', 'seed of random numbers').argParser(wholeNumber(1, 999_999_999)).default(1),
    )
    .addOption(
      new Option('--below <dB>', 'SQNR that a layer should have').argParser(positiveNumber(1000)).default(20),
    )
    .addOption(threadsOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(diff)
}

/** A model with what is known of its layers. */
interface Side {
  readonly path: string
  readonly isa: string
  readonly model: Session
  readonly graph: Subgraph
}

async function openSide(path: string, isa: string | undefined, threads: number | undefined): Promise<Side> {
  const { binding, settings } = engineSettings({ threads })
  const { isas } = binding.cpu()
  if (isa !== undefined && !isas.includes(isa)) {
    const message = `--isa ${isa}: this machine has ${isas.join(', ')}`
    throw new LowbitError('OPTION_INVALID', message, { expected: isas, actual: isa })
  }
  const bytes = await readFile(path)
  const model = openModel(bytes, isa === undefined ? settings : { ...settings, isa })
  const graph = decode(bytes).subgraphs[0] as Subgraph
  return { path, isa: isa ?? binding.cpu(settings.isa).isa, model, graph }
}

async function diff(pathA: string, pathB: string | undefined, options: DiffOptions): Promise<void> {
  const isas = options.isa?.split(',').map((name) => name.trim())
  if (isas !== undefined && isas.length !== 2) {
    throw new LowbitError('OPTION_INVALID', `--isa ${options.isa}: two names, as scalar,avx2, expected`)
  }
  if (pathB === undefined && isas === undefined) {
    throw new LowbitError('OPTION_INVALID', 'one model alone: a second one, or --isa, expected')
  }
  const a = await openSide(pathA, isas?.[0], options.threads)
  const b = await openSide(pathB ?? pathA, isas?.[1], options.threads)
  try {
    const result = await compare(a, b, options)
    if (options.json) printJson(result)
    else print(diffText(result))
  } finally {
    a.model.dispose()
    b.model.dispose()
  }
}

async function compare(a: Side, b: Side, { data = [], runs, seed, below }: DiffOptions): Promise<Diff> {
  const [layersA, layersB] = [layersOf(a.graph), layersOf(b.graph)]
  const pairs = matchLayers(layersA, layersB)
  if (pairs.length === 0) note('no layer of one model has a counterpart in the other')
  const keepA = pairs.map((pair) => `#${pair.a.index}`)
  const keepB = pairs.map((pair) => `#${pair.b.index}`)
  const sums: Measure[] = pairs.map(emptyMeasure)
  const samples = await inputPairs(a.model, b.model, data, { count: runs, seed })
  for (const sample of samples) {
    const [of, against] = [
      await a.model.run(sample.a, { keep: keepA }),
      await b.model.run(sample.b, { keep: keepB }),
    ]
    for (const [i, sum] of sums.entries()) {
      measure(sum, against.kept[keepB[i] as string] as Tensor, of.kept[keepA[i] as string] as Tensor)
    }
  }
  const layers = pairs.map((pair, index): DiffedLayer => {
    const { elements, mismatches, maxError } = sums[index] as Measure
    const db = sqnrDb(sums[index] as Measure)
    return {
      index,
      names: [pair.a.name || `#${pair.a.index}`, pair.b.name || `#${pair.b.index}`],
      ops: [pair.a.op, pair.b.op],
      dtypes: [pair.a.dtype, pair.b.dtype],
      shape: pair.a.shape,
      equal: mismatches === 0,
      sqnrDb: db === null ? null : Number(db.toFixed(2)),
      maxError: Number.isFinite(maxError) ? maxError : null,
      mismatches,
      elements,
    }
  })
  const index = (found: number) => (found < 0 ? null : found)
  const without = (all: typeof layersA, matched: ReadonlySet<unknown>) =>
    all.filter((layer) => !matched.has(layer)).map(({ name, index }) => name || `#${index}`)
  return {
    a: { model: shownName(a.path), isa: a.isa },
    b: { model: shownName(b.path), isa: b.isa },
    samples: samples.length,
    below,
    layers,
    unmatched: {
      a: without(layersA, new Set(pairs.map((pair) => pair.a))),
      b: without(layersB, new Set(pairs.map((pair) => pair.b))),
    },
    firstDifferent: index(layers.findIndex(({ equal }) => !equal)),
    firstBelow: index(layers.findIndex((layer) => !layer.equal && (layer.sqnrDb ?? -1) < below)),
  }
}

function diffText({ a, b, samples, below, layers, unmatched, firstDifferent, firstBelow }: Diff): string {
  const columns = [
    { title: 'layer', shrinkTo: 20 },
    { title: 'operator' },
    { title: 'types' },
    { title: 'shape' },
    { title: 'SQNR dB', align: 'right' as const },
    { title: 'max error', align: 'right' as const },
    { title: 'differ', align: 'right' as const },
  ]
  const rows = layers.map(({ names, ops, dtypes, shape, equal, sqnrDb, maxError, mismatches, elements }) => [
    names[0],
    ops[0],
    dtypes[0] === dtypes[1] ? dtypes[0] : dtypes.join(', '),
    shapeText(shape),
    equal ? 'equal' : sqnrDb === null ? 'none' : sqnrDb.toFixed(1),
    equal ? '' : maxError === null ? 'infinite' : String(Number(maxError.toPrecision(4))),
    equal ? '' : `${mismatches} of ${elements}`,
  ])
  const layer = (index: number | null) => (index === null ? 'none' : (layers[index]?.names[0] ?? ''))
  const missing = [...unmatched.a.map((name) => `a: ${name}`), ...unmatched.b.map((name) => `b: ${name}`)]
  const lines = [
    facts([
      ['a', `${a.model}, ${a.isa}`],
      ['b', `${b.model}, ${b.isa}`],
      ['samples', samples],
    ]),
    '',
    table(columns, rows, { width: stdoutWidth(), head: heading }),
    '',
    facts([
      ['first that differs', layer(firstDifferent)],
      [`first below ${below} dB`, layer(firstBelow)],
      ...(missing.length > 0 ? [['without counterpart', missing.length] as const] : []),
    ]),
  ]
  return lines.join('\n')
}
