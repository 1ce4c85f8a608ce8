// What lowbit train makes of a trained network: quantisation-aware epochs if asked for, and the file.

import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import { PRESETS, type PresetName } from '../recipe/presets.js'
import type { Recipe } from '../recipe/recipe.js'
import { elementCount } from '../tensor/shape.js'
import { requireTfjs } from '../train/backend/tfjs.js'
import { batchesOf } from '../train/data/batches.js'
import type { Dataset } from '../train/data/dataset.js'
import type { EpochRecord, FitOptions } from '../train/fit/options.js'

type Training = typeof import('../train.js')

export interface FileOptions {
  /** A preset or a file with a recipe. */
  readonly qat?: string
  readonly qatEpochs: number
  readonly out?: string
}

export interface MadeFile {
  readonly epochs: readonly EpochRecord[]
  /** Accuracy of the simulation on the test examples; undefined for a float file. */
  readonly quantized?: number
  readonly bytes?: number
}

/** Examples that say the first ranges. */
const RANGES = 256
/** The weights are good already: smaller steps. */
const RATE = 0.1

export async function makeFile(
  training: Training,
  model: LayersModel,
  data: Dataset,
  { qat, qatEpochs, out }: FileOptions,
  options: FitOptions,
): Promise<MadeFile> {
  const { fit: train, evaluate, quantizeAware, toTflite, withSoftmax } = training
  const write = async (bytes: Uint8Array) => {
    if (out !== undefined) await writeFile(out, bytes)
    return bytes.length
  }
  if (qat === undefined) {
    return { epochs: [], ...(out !== undefined && { bytes: await write(toTflite(withSoftmax(model))) }) }
  }
  const recipe = await recipeOf(qat)
  const aware = quantizeAware(model, recipe, { ranges: rangesOf(data) })
  try {
    const { checkpoint, learningRate = 0.001 } = options
    const history = await train(aware.model, data, {
      ...options,
      ...{ epochs: qatEpochs, learningRate: RATE * learningRate, warmup: 0 },
      ...(checkpoint !== undefined && { checkpoint: join(checkpoint, folderOf(recipe)) }),
    })
    aware.freeze()
    const { accuracy } = await evaluate(aware.model, data, options.signal)
    const bytes = toTflite(withSoftmax(aware.float()), { learned: aware.learned() })
    return { epochs: history.epochs, quantized: accuracy, bytes: await write(bytes) }
  } finally {
    aware.dispose()
  }
}

async function recipeOf(name: string): Promise<PresetName | Recipe> {
  if (Object.hasOwn(PRESETS, name)) return name as PresetName
  return JSON.parse(await readFile(name, 'utf8')) as Recipe
}

/** One recipe's state is not another's, though their weights have the same sizes. */
function folderOf(recipe: PresetName | Recipe): string {
  const hash = createHash('sha256').update(JSON.stringify(recipe)).digest('hex')
  return typeof recipe === 'string' ? `qat-${recipe}` : `qat-${hash.slice(0, 16)}`
}

function rangesOf(data: Dataset) {
  const count = Math.min(RANGES, data.train.labels.length)
  const size = elementCount(data.shape)
  const inputs = new Float32Array(count * size)
  const batches = batchesOf(data, data.train)
  const pause = data.train.labels.length / count
  for (let i = 0; i < count; i++) batches.write(Math.floor(i * pause), inputs, i * size)
  return requireTfjs<typeof import('@tensorflow/tfjs-core')>('core').tensor(inputs, [count, ...data.shape])
}
