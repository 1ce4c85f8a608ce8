// The samples that a caller gives, read and checked before any work starts.

import { LowbitError } from '../errors.js'
import type { TensorData } from '../session/tensor-data.js'
import { arrayOf } from '../tensor/dtype.js'
import { elementCount, shapeText } from '../tensor/shape.js'
import type { TensorInfo } from '../tensor/tensor.js'

/** The arrays for a model's inputs, one each, in their order; or the one array of a model with one input. */
export type Sample = readonly TensorData[] | TensorData

export type Samples = Iterable<Sample> | AsyncIterable<Sample>

/**
 * All samples, each as a list of arrays that nobody else changes.
 *
 * @throws {LowbitError} `OPTION_INVALID`, `INPUT_COUNT`, `DTYPE_MISMATCH`, `SHAPE_MISMATCH` and `NOT_FINITE` for a
 *   sample that is none.
 */
export async function readSamples(
  samples: Samples,
  inputs: readonly TensorInfo[],
  onSample: (count: number) => void,
): Promise<readonly (readonly TensorData[])[]> {
  if (!isIterable(samples)) {
    throw new LowbitError(
      'OPTION_INVALID',
      'samples: an iterable or async iterable of input arrays expected',
      {
        actual: typeof samples,
      },
    )
  }
  const list: (readonly TensorData[])[] = []
  for await (const sample of samples) {
    const arrays = ArrayBuffer.isView(sample) ? [sample as TensorData] : sample
    list.push(checkSample(arrays, inputs, list.length))
    onSample(list.length)
  }
  return list
}

function isIterable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false
  return Symbol.iterator in value || Symbol.asyncIterator in value
}

function checkSample(arrays: unknown, inputs: readonly TensorInfo[], place: number): readonly TensorData[] {
  if (!Array.isArray(arrays)) {
    throw new LowbitError('OPTION_INVALID', `samples[${place}]: an array of typed arrays expected`, {
      actual: typeof arrays,
    })
  }
  if (arrays.length !== inputs.length) {
    const message = `samples[${place}]: the model has ${inputs.length} inputs, ${arrays.length} arrays given`
    throw new LowbitError('INPUT_COUNT', message, { expected: inputs.length, actual: arrays.length })
  }
  return inputs.map((info, i) => checkArray(arrays[i], info, `samples[${place}][${i}]`))
}

function checkArray(data: unknown, { name, shape, dtype }: TensorInfo, place: string): TensorData {
  const expected = arrayOf(dtype)?.name
  const actual = ArrayBuffer.isView(data) ? (data as TensorData)[Symbol.toStringTag] : typeof data
  if (actual !== expected) {
    const message = `${place}: input "${name}" is ${dtype}: ${expected} expected, ${actual} given`
    throw new LowbitError('DTYPE_MISMATCH', message, { tensor: name, expected, actual })
  }
  const array = (data as TensorData).slice() as TensorData
  if (array.length !== elementCount(shape)) {
    const message = `${place}: input "${name}" of shape ${shapeText(shape)}: ${elementCount(shape)} elements expected, ${array.length} given`
    throw new LowbitError('SHAPE_MISMATCH', message, {
      tensor: name,
      expected: elementCount(shape),
      actual: array.length,
    })
  }
  if (array instanceof Float32Array) {
    const wrong = firstNotFinite(array)
    if (wrong >= 0) {
      const message = `${place}: input "${name}": element ${wrong} is ${array[wrong]}`
      throw new LowbitError('NOT_FINITE', message, { tensor: name, actual: array[wrong] })
    }
  }
  return array
}

/** -1 where all are finite. */
function firstNotFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i
  return -1
}
