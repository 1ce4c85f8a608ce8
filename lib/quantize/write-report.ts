// The report on a quantised model: what it was, what it is, and how far the two lie apart on the samples.

import type { TensorRecord } from '../model/model.js'
import { loadBinding } from '../native/load.js'
import type { Recipe } from '../recipe/recipe.js'
import { openModel } from '../session/load.js'
import { loadSettings } from '../session/options.js'
import type { Session } from '../session/session.js'
import type { TensorData } from '../session/tensor-data.js'
import type { Built } from './build.js'
import { compareModels } from './compare-models.js'
import type { Form } from './forms.js'
import { Comparison, codedRange, outputReport } from './measure.js'
import type { QuantizeOptions } from './options.js'
import type { Change, LayerReport, QuantizeReport, Range, RepairReport } from './report.js'
import { weightReport } from './weight-report.js'

export interface Facts extends Built {
  readonly recipe: Recipe
  /** The file that was given. */
  readonly source: Uint8Array
  /** Of `model`. */
  readonly session: Session
  readonly samples: readonly (readonly TensorData[])[]
  readonly labels: readonly number[] | undefined
  readonly gains: readonly RepairReport[]
  /** When the work began, by `performance.now`. */
  readonly started: number
}

export async function reportOn(facts: Facts, options: QuantizeOptions): Promise<QuantizeReport> {
  const { recipe, source, samples, session, labels, layers, bytes, gains } = facts
  const after = openModel(bytes, loadSettings({}, process.env, loadBinding().cpu()))
  try {
    const pairs = trackedTensors(facts)
    const outputs = session.outputs.map(() => new Comparison({ min: 0, max: 0 }))
    const accuracy = await compareModels({ before: session, after }, samples, pairs, outputs, labels, {
      signal: options.signal,
      onSample: (done) => options.onProgress?.({ stage: 'measure', done, total: samples.length }),
    })
    const evaluated = await evaluate(session, after, options)
    const measured = evaluated ?? accuracy
    const byTensor = new Map(pairs.map((pair) => [pair.before, pair]))
    return {
      version: 1,
      recipe,
      samples: samples.length,
      seconds: (performance.now() - facts.started) / 1000,
      fileBytes: { before: source.length, after: bytes.length },
      weightBytes: { before: session.memory.weightBytes, after: after.memory.weightBytes },
      ...(measured && { accuracy: measured }),
      outputs: session.outputs.map(({ name }, k) => ({ name, sqnrDb: outputs[k]?.sqnrDb ?? null })),
      layers: layerReports(facts, byTensor),
      repairs: gains,
      notes: [...layers.values()].flatMap(({ notes }) => notes),
    }
  } finally {
    after.dispose()
  }
}

async function evaluate(
  before: Session,
  after: Session,
  { evaluate: measure, onProgress, signal }: QuantizeOptions,
): Promise<Change | undefined> {
  if (measure === undefined) return undefined
  const results: number[] = []
  for (const model of [before, after]) {
    onProgress?.({ stage: 'evaluate', done: results.length, total: 2 })
    results.push(await measure(model))
    signal?.throwIfAborted()
  }
  onProgress?.({ stage: 'evaluate', done: 2, total: 2 })
  return { before: results[0] as number, after: results[1] as number }
}

interface Tracked {
  readonly before: number
  readonly after: number
  readonly tracked: Comparison
  readonly seen: Range
}

/** First outputs of operators that are codes now. */
function trackedTensors({ model, seen, written: { file, tensors } }: Facts): readonly Tracked[] {
  return model.subgraphs[0].operators.flatMap(({ outputs }) => {
    const before = outputs[0] ?? -1
    const after = tensors.get(before)
    const record = file.subgraphs[0]?.tensors[after ?? -1]
    if (after === undefined || record === undefined) return []
    if (outputReport(record, seen(before), new Comparison(seen(before))) === undefined) return []
    const range = codedRange(record)
    const found = seen(before)
    return [
      { before, after, seen: found, tracked: new Comparison(found, range, record.quantization?.scale[0]) },
    ]
  })
}

function layerReports(
  { model, forms, layers, written: { file, tensors } }: Facts,
  byTensor: ReadonlyMap<number, Tracked>,
): readonly LayerReport[] {
  const [graph] = model.subgraphs
  return graph.operators.map(({ type, place, outputs }, i) => {
    const [first = -1] = outputs
    const pair = byTensor.get(first)
    const record = file.subgraphs[0]?.tensors[tensors.get(first) ?? -1] as TensorRecord
    const output = pair && outputReport(record, pair.seen, pair.tracked)
    const form = forms[i] as Form
    const layer = layers.get(i)
    return {
      index: place,
      op: type,
      name: graph.tensors[first]?.name ?? '',
      ...(form.kind === 'float' && { kept: form.why }),
      ...(output && { output }),
      ...(layer && { weights: weightReport(layer) }),
    }
  })
}
