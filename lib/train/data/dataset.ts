// What a network learns from, in memory: inputs one after the other in one array, and the class of each.

import type { Normalization } from '../../data/codes.js'
import { LowbitError } from '../../errors.js'
import { mixedSeed } from '../../numerics/random.js'
import { elementCount, type Shape, shapeText } from '../../tensor/shape.js'
import { shuffled } from './order.js'

/** Pixels wait as bytes: a quarter of the memory. They become real numbers when a batch is made. */
export interface Examples {
  readonly inputs: Uint8Array | Float32Array
  /** The class of each; as many as there are inputs. */
  readonly labels: Int32Array
}

export interface Dataset {
  readonly name: string
  /** Of one input, without the batch: [height, width, channels] for pictures. */
  readonly shape: Shape
  readonly classes: number
  /** Names of the classes, where they are known. */
  readonly labels?: readonly string[]
  /** What bytes mean: real = (byte - mean) / std. The one place that says it; floats are taken as they are. */
  readonly normalization: Normalization
  readonly train: Examples
  readonly test: Examples
  /** What each epoch is measured on, where that is not `test`. */
  readonly validation?: Examples
}

/** Pixels become 0 to 1: the int8 code of a pixel is pixel - 128 then, without a loss. */
export const UNIT_PIXELS: Normalization = { mean: [0], std: [255] }

export const isPictures = ({ shape }: Dataset) => shape.length === 3

/**
 * Checks a dataset of a user's own, and one that was read.
 *
 * @throws {LowbitError} `SHAPE_MISMATCH`, `DATA_INVALID`, `NOT_FINITE`, with the name of the part that is wrong.
 */
export function checkDataset(data: Dataset): Dataset {
  if (data.shape.length === 0 || !data.shape.every((extent) => Number.isInteger(extent) && extent > 0)) {
    const message = `${data.name}: the shape of an input is ${shapeText(data.shape)}, whole numbers above 0 expected`
    throw new LowbitError('SHAPE_MISMATCH', message, { actual: data.shape })
  }
  if (!(Number.isInteger(data.classes) && data.classes >= 2)) {
    const message = `${data.name}: ${data.classes} classes, two or more expected`
    throw new LowbitError('DATA_INVALID', message, { actual: data.classes })
  }
  checkExamples(data, data.train, 'training')
  checkExamples(data, data.test, 'test')
  if (data.validation) checkExamples(data, data.validation, 'validation')
  return data
}

function checkExamples({ name, shape, classes }: Dataset, { inputs, labels }: Examples, part: string): void {
  const where = `${name}, ${part} examples`
  if (labels.length === 0) throw new LowbitError('DATA_INVALID', `${where}: there are none`)
  const expected = labels.length * elementCount(shape)
  if (inputs.length !== expected) {
    const message = `${where}: ${labels.length} labels, so ${expected} numbers of inputs ${shapeText(shape)} expected, there are ${inputs.length}`
    throw new LowbitError('SHAPE_MISMATCH', message, { expected, actual: inputs.length })
  }
  const wrong = labels.findIndex((label) => !(label >= 0 && label < classes))
  if (wrong >= 0) {
    const message = `${where}: example ${wrong} is of class ${labels[wrong]}, 0 to ${classes - 1} expected`
    throw new LowbitError('DATA_INVALID', message, { expected: classes, actual: labels[wrong] })
  }
  if (!(inputs instanceof Float32Array)) return
  const odd = inputs.findIndex((value) => !Number.isFinite(value))
  if (odd < 0) return
  const message = `${where}: number ${odd} is ${inputs[odd]}, a finite one expected`
  throw new LowbitError('NOT_FINITE', message, { actual: inputs[odd] })
}

/** Some of the examples, by number. */
export function chosen({ inputs, labels }: Examples, size: number, numbers: ArrayLike<number>): Examples {
  const Elements = inputs.constructor as new (length: number) => Uint8Array | Float32Array
  const picked = new Elements(numbers.length * size)
  for (let i = 0; i < numbers.length; i++) {
    const from = (numbers[i] as number) * size
    picked.set(inputs.subarray(from, from + size), i * size)
  }
  return { inputs: picked, labels: Int32Array.from(numbers, (number) => labels[number] as number) }
}

/** A share of the training examples, drawn by the seed, becomes those that each epoch is measured on. */
export function holdOut(data: Dataset, share: number, seed: number): Dataset {
  const { train, shape } = data
  const count = train.labels.length
  const held = Math.round(share * count)
  if (!(held > 0 && held < count)) {
    const message = `${data.name}: a share of ${share} of ${count} training examples leaves ${held} for validation; at least one expected on either side`
    throw new LowbitError('OPTION_INVALID', message, { actual: share })
  }
  const order = shuffled(count, mixedSeed(seed, HELD_OUT))
  const size = elementCount(shape)
  return {
    ...data,
    train: chosen(train, size, order.subarray(held).sort()),
    validation: chosen(train, size, order.subarray(0, held).sort()),
  }
}

const HELD_OUT = 0x4845
