// Layers models on disk: `model.json` with files of weights beside it, as tensorflowjs_converter and TensorFlow.js
// write them.

import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, normalize, sep } from 'node:path'
import type { io } from '@tensorflow/tfjs-core'
import type * as Layers from '@tensorflow/tfjs-layers'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import { LowbitError } from '../../errors.js'
import { requireTfjs } from '../backend/tfjs.js'

const FILE = 'model.json'

/**
 * Loads a layers model of Keras or TensorFlow.js.
 *
 * @param path Of `model.json`, or of the folder that holds it.
 * @throws {LowbitError} (as rejection) `DATA_INVALID` where a file cannot be read; `FILE_INVALID` for a file that is no
 *   layers model, with what is wrong; `FILE_TRUNCATED` for weights that end too early.
 */
export async function loadLayersModel(path: string): Promise<LayersModel> {
  const file = path.endsWith('.json') ? path : join(path, FILE)
  const tfl = requireTfjs<typeof Layers>('layers')
  const artifacts = await readArtifacts(file)
  try {
    return await tfl.loadLayersModel({ load: async () => artifacts })
  } catch (cause) {
    throw invalid(file, `TensorFlow.js cannot build the model: ${messageOf(cause)}`, cause)
  }
}

/**
 * Saves a layers model as `model.json` and one file of weights. A model that lies there already is replaced whole or
 * not at all: the new weights have a name of their own, and `model.json` is put in place last.
 *
 * @param folder Made if it is not there.
 */
export async function saveLayersModel(model: LayersModel, folder: string): Promise<void> {
  const file = join(folder, FILE)
  await mkdir(folder, { recursive: true })
  const before = await ownWeights(file)
  const handler: io.IOHandler = {
    save: async (artifacts) => {
      await writeArtifacts(artifacts, file, before)
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
    },
  }
  await model.save(handler)
}

async function readArtifacts(file: string): Promise<io.ModelArtifacts> {
  const bytes = await readBytes(file)
  const json = parse(bytes, file)
  const { modelTopology, weightsManifest = [] } = json
  if (typeof modelTopology !== 'object' || modelTopology === null || 'node' in modelTopology) {
    const what =
      json.format === undefined ? 'it has no modelTopology of layers' : `its format is ${json.format}`
    throw invalid(file, `${what}; a layers model expected`)
  }
  if (!Array.isArray(weightsManifest)) throw invalid(file, 'weightsManifest is no list')
  const groups = weightsManifest.map((group, i) => checkGroup(group, i, file))
  const weightData = await readWeights(groups, file)
  return {
    modelTopology,
    weightSpecs: groups.flatMap(({ weights }) => weights),
    weightData: weightData.buffer as ArrayBuffer,
  }
}

interface ModelJson {
  readonly format?: unknown
  readonly modelTopology?: object
  readonly weightsManifest?: unknown
}

function parse(bytes: Uint8Array, file: string): ModelJson {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes))
    if (typeof json === 'object' && json !== null) return json
  } catch (cause) {
    throw invalid(file, messageOf(cause), cause)
  }
  throw invalid(file, 'it is no JSON object')
}

type Group = Pick<io.WeightsManifestConfig[number], 'paths' | 'weights'>

function checkGroup(group: unknown, i: number, file: string): Group {
  const { paths, weights } = (group ?? {}) as Partial<Group>
  const where = `weightsManifest[${i}]`
  if (!Array.isArray(paths) || !Array.isArray(weights)) {
    throw invalid(file, `${where}: lists of paths and weights expected`)
  }
  for (const path of paths) {
    if (typeof path !== 'string' || isAbsolute(path) || normalize(path).split(sep)[0] === '..') {
      throw invalid(file, `${where}: ${JSON.stringify(path)} is no path within the model's folder`)
    }
  }
  for (const { name, shape, dtype } of weights) {
    const isShape =
      Array.isArray(shape) && shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)
    if (typeof name !== 'string' || !isShape || typeof dtype !== 'string') {
      throw invalid(file, `${where}: weight ${JSON.stringify(name)} has no shape or type`)
    }
  }
  return { paths, weights }
}

/** The bytes of all groups one after the other; each group is as long as its weights. */
async function readWeights(groups: readonly Group[], file: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for (const { paths, weights } of groups) {
    const shards = await Promise.all(paths.map((path) => readBytes(join(dirname(file), path))))
    const [bytes, needed] = [
      shards.reduce((sum, { length }) => sum + length, 0),
      weights.reduce((sum, spec) => sum + byteSize(spec, file), 0),
    ]
    const facts = { expected: needed, actual: bytes }
    const message = `${paths.join(', ')}: ${needed} bytes of weights expected, there are ${bytes}`
    if (bytes < needed) throw new LowbitError('FILE_TRUNCATED', `${file}: ${message}`, facts)
    if (bytes > needed) throw new LowbitError('FILE_INVALID', `${file}: ${message}`, facts)
    parts.push(...shards)
  }
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

const SIZES: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  complex64: 8,
  bool: 1,
  uint8: 1,
  uint16: 2,
  float16: 2,
}

/** Bytes of a weight in the file; converters may have quantised it. */
function byteSize({ name, shape, dtype, quantization }: io.WeightsManifestEntry, file: string): number {
  const type = quantization?.dtype ?? dtype
  const size = SIZES[type]
  if (size === undefined)
    throw invalid(file, `weight "${name}" has the type ${type}, which layers do not take`)
  return shape.reduce((product, extent) => product * extent, size)
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    const message = `${path} cannot be read: ${messageOf(cause)}`
    throw new LowbitError('DATA_INVALID', message, { actual: path, cause })
  }
}

/** Weights of a model that `saveLayersModel` has put there before. */
async function ownWeights(file: string): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return []
  return [...text.matchAll(/"(weights-[0-9a-f]{16}\.bin)"/g)].map(([, name]) => name as string)
}

async function writeArtifacts(
  { modelTopology, weightSpecs = [], weightData, generatedBy, convertedBy }: io.ModelArtifacts,
  file: string,
  before: readonly string[],
): Promise<void> {
  const folder = dirname(file)
  const buffers = weightData === undefined ? [] : [weightData].flat()
  const bytes = Buffer.concat(buffers.map((buffer) => new Uint8Array(buffer)))
  const name = `weights-${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}.bin`
  const json = {
    format: 'layers-model',
    generatedBy,
    convertedBy: convertedBy ?? null,
    modelTopology,
    weightsManifest: [{ paths: [name], weights: weightSpecs }],
  }
  await replace(join(folder, name), bytes)
  await replace(file, Buffer.from(JSON.stringify(json)))
  for (const old of before) if (old !== name) await rm(join(folder, old), { force: true })
}

/** Puts a file in place whole. */
async function replace(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}`)
  try {
    await writeFile(temporary, bytes)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

const messageOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause))

function invalid(file: string, why: string, cause?: unknown): LowbitError {
  return new LowbitError('FILE_INVALID', `${file}: ${why}`, cause === undefined ? {} : { cause })
}
