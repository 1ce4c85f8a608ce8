// Data of a JavaScript module: its default export, or what that function gives, is { train, test, shape } and may say
// classes, labels and normalization.

import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Normalization } from '../../data/codes.js'
import { LowbitError } from '../../errors.js'
import { elementCount, type Shape } from '../../tensor/shape.js'
import { type Dataset, type Examples, UNIT_PIXELS } from './dataset.js'

export interface Example {
  /** Bytes of pixels, or real numbers. */
  readonly input: Uint8Array | Float32Array | readonly number[]
  readonly label: number
}

export type ModuleExamples =
  | { readonly inputs: Uint8Array | Float32Array; readonly labels: ArrayLike<number> }
  | Iterable<Example>
  | AsyncIterable<Example>

export interface ModuleData {
  readonly shape: Shape
  readonly train: ModuleExamples
  readonly test: ModuleExamples
  readonly classes?: number
  readonly labels?: readonly string[]
  readonly normalization?: Normalization
}

/** @throws {LowbitError} `DATA_INVALID`, `SHAPE_MISMATCH` for a module that gives something else. */
export async function readModule(path: string): Promise<Dataset> {
  const { default: given } = (await import(pathToFileURL(resolve(path)).href)) as { default?: unknown }
  const data = (await (typeof given === 'function' ? given() : given)) as Partial<ModuleData> | undefined
  for (const part of ['shape', 'train', 'test'] as const) {
    if (data?.[part] !== undefined) continue
    const message = `${path}: its default export has no "${part}"; { shape, train, test } expected`
    throw new LowbitError('DATA_INVALID', message, { expected: part })
  }
  const { shape, train, test, labels, normalization = UNIT_PIXELS, ...rest } = data as ModuleData
  const parts = {
    train: await collect(train, shape, `${path}, train`),
    test: await collect(test, shape, `${path}, test`),
  }
  const seen = () => 1 + parts.train.labels.reduce((most, label) => Math.max(most, label), 0)
  const classes = rest.classes ?? labels?.length ?? seen()
  return { name: path, shape, classes, normalization, ...parts, ...(labels && { labels }) }
}

async function collect(given: ModuleExamples, shape: Shape, where: string): Promise<Examples> {
  if ('inputs' in given && 'labels' in given) {
    return { inputs: given.inputs, labels: Int32Array.from(given.labels) }
  }
  if (!(Symbol.iterator in given || Symbol.asyncIterator in given)) {
    const message = `${where}: { inputs, labels } expected, or an iterable of { input, label }`
    throw new LowbitError('DATA_INVALID', message)
  }
  const [inputs, labels]: [Example['input'][], number[]] = [[], []]
  const size = elementCount(shape)
  for await (const { input, label } of given) {
    if (input?.length !== size) {
      const message = `${where}: example ${inputs.length} has ${input?.length} numbers, ${size} expected`
      throw new LowbitError('SHAPE_MISMATCH', message, { expected: size, actual: input?.length })
    }
    inputs.push(input)
    labels.push(label)
  }
  const areBytes = inputs.every((input) => input instanceof Uint8Array)
  const all = new (areBytes ? Uint8Array : Float32Array)(inputs.length * size)
  for (const [i, input] of inputs.entries()) all.set(input, i * size)
  return { inputs: all, labels: Int32Array.from(labels) }
}
