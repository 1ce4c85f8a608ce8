// Reads TFLite metadata: the flatbuffer that describes a model to people and to the code that feeds it, and the label
// list that stands in the archive behind the model.
// Source: tensorflow_lite_support/metadata/metadata_schema.fbs, file identifier M001.

import { LowbitError } from '../../errors.js'
import type { ModelFile } from '../../model/model.js'
import { readArchived } from './archive.js'
import {
  invalid,
  openRoot,
  readFloat32s,
  readInt8,
  readString,
  readTable,
  readTables,
  readUint8,
  type Table,
} from './cursor.js'
import { slots } from './schema.js'

/** What a file says of itself; what it does not say is absent. */
export interface Metadata {
  /** One label for each index of the first output that has labels. */
  readonly labels?: readonly string[]
  /** Of the first input that has one: value = (raw - mean) / std, one number for all channels or one for each. */
  readonly normalization?: { readonly mean: readonly number[]; readonly std: readonly number[] }
  readonly name?: string
  readonly description?: string
  readonly version?: string
  readonly author?: string
  readonly license?: string
}

const ENTRY = 'TFLITE_METADATA'
const IDENTIFIER = 'M001'
const MAX_LABEL_BYTES = 1 << 22

const MODEL = slots('name', 'description', 'version', 'subgraphs', 'author', 'license')
const SUBGRAPH = slots('name', 'description', 'inputs', 'outputs')
const TENSOR = slots('name', 'description', 'dimensions', 'content', 'processUnits', 'stats', 'files')
const FILE = slots('name', 'description', 'type', 'locale')
const PROCESS_UNIT = slots('optionsType', 'options')
const NORMALIZATION = slots('mean', 'std')
/** `ProcessUnitOptions`. */
const NORMALIZATION_CODE = 1
/** `AssociatedFileType`: labels of the indices of an axis, labels of the values. */
const LABEL_TYPES: readonly number[] = [2, 3]

/**
 * Read a model's metadata.
 *
 * @param bytes The whole file, behind whose flatbuffer the label list stands.
 * @returns {} for a file without metadata. Labels are absent if the file has no archive.
 * @throws {LowbitError} `FILE_INVALID` if the metadata or the archive is broken; its message says so. The model itself
 *   may be sound all the same.
 */
export function readMetadata(model: ModelFile, bytes: Uint8Array): Metadata {
  const entry = model.metadata.find((candidate) => candidate.name === ENTRY)
  if (entry === undefined || entry.data.length === 0) return {}
  try {
    return readRoot(openRoot(entry.data, IDENTIFIER, 'metadata'), bytes)
  } catch (cause) {
    if (!(cause instanceof LowbitError) || cause.code !== 'FILE_TRUNCATED') throw cause
    throw new LowbitError('FILE_INVALID', cause.message, { cause })
  }
}

function readRoot(root: Table, bytes: Uint8Array): Metadata {
  // Later subgraphs are helpers of the first (bodies of loops, initialisers).
  const subgraph = readTables(root, MODEL.subgraphs)[0]
  const inputs = subgraph === undefined ? [] : readTables(subgraph, SUBGRAPH.inputs)
  const outputs = subgraph === undefined ? [] : readTables(subgraph, SUBGRAPH.outputs)
  const normalization = first(inputs, readNormalization)
  const labels = first(outputs, (tensor) => readLabels(tensor, bytes))
  return {
    ...(labels && { labels }),
    ...(normalization && { normalization }),
    ...text(root, 'name'),
    ...text(root, 'description'),
    ...text(root, 'version'),
    ...text(root, 'author'),
    ...text(root, 'license'),
  }
}

/** The first result that is one. */
function first<From, To>(items: readonly From[], read: (item: From) => To | undefined): To | undefined {
  for (const item of items) {
    const result = read(item)
    if (result !== undefined) return result
  }
  return undefined
}

function text<Name extends 'name' | 'description' | 'version' | 'author' | 'license'>(
  root: Table,
  name: Name,
): { readonly [key in Name]?: string } {
  const value = readString(root, MODEL[name])
  return (value === undefined || value === '' ? {} : { [name]: value }) as { readonly [key in Name]?: string }
}

function readNormalization(tensor: Table): Metadata['normalization'] {
  const unit = readTables(tensor, TENSOR.processUnits).find(
    (candidate) => readUint8(candidate, PROCESS_UNIT.optionsType) === NORMALIZATION_CODE,
  )
  const options = unit && readTable(unit, PROCESS_UNIT.options)
  if (options === undefined) return undefined
  const mean = readFloat32s(options, NORMALIZATION.mean)
  const std = readFloat32s(options, NORMALIZATION.std)
  const fits = mean.length === std.length || mean.length === 1 || std.length === 1
  if (mean.length === 0 || std.length === 0 || !fits) {
    throw invalid(tensor.source, `normalisation has ${mean.length} means and ${std.length} stds`, options.at)
  }
  if (!mean.every(Number.isFinite) || !std.every((value) => Number.isFinite(value) && value !== 0)) {
    throw invalid(
      tensor.source,
      'a mean or std of the normalisation is not finite, or a std is 0',
      options.at,
    )
  }
  return { mean, std }
}

function readLabels(tensor: Table, bytes: Uint8Array): readonly string[] | undefined {
  const files = readTables(tensor, TENSOR.files).filter((file) =>
    LABEL_TYPES.includes(readInt8(file, FILE.type)),
  )
  // Further files with a locale are translations.
  const file = files.find((candidate) => (readString(candidate, FILE.locale) ?? '') === '') ?? files[0]
  if (file === undefined) return undefined
  const content = readArchived(bytes, readString(file, FILE.name) ?? '', MAX_LABEL_BYTES)
  return content && splitLines(content, file)
}

/** One label a line; line ends may be CR LF, and the last may be missing. */
function splitLines(content: Uint8Array, file: Table): readonly string[] {
  const lines = decodeText(content, file).split(/\r?\n/)
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

function decodeText(content: Uint8Array, file: Table): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch (cause) {
    throw invalid(file.source, 'the label file is not UTF-8', file.at, { cause })
  }
}
