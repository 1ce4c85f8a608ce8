// Inputs for `lowbit diff`: pictures, arrays or random numbers, the same for both models whatever their types are.

import { readFile } from 'node:fs/promises'
import { pictureData } from '../data/codes.js'
import { type NpyArray, readNpy } from '../data/npy.js'
import { readPicture } from '../data/picture.js'
import { LowbitError } from '../errors.js'
import { samplesIn } from '../samples/convert.js'
import type { Session } from '../session/session.js'
import type { TypedArray } from '../tensor/dtype.js'
import { elementCount, sameShape, shapeText } from '../tensor/shape.js'
import { Tensor, type TensorInfo } from '../tensor/tensor.js'
import { randomInput } from './random-inputs.js'

/** Data for each input of both models. */
export interface InputPair {
  readonly a: readonly TypedArray[]
  readonly b: readonly TypedArray[]
}

const isReal = ({ dtype }: TensorInfo) => dtype === 'float32'

/**
 * One pair a sample. Data is made for the model whose input is quantised, or for the first, and becomes the other's by
 * its real values: so both see the very same numbers.
 *
 * @param files A file for each input, sample after sample; none for `count` samples of random numbers.
 * @throws {LowbitError} `SHAPE_MISMATCH` if the inputs of the models differ; `INPUT_COUNT`; `DATA_INVALID`.
 */
export async function inputPairs(
  a: Session,
  b: Session,
  files: readonly string[],
  { count, seed }: { readonly count: number; readonly seed: number },
): Promise<readonly InputPair[]> {
  checkInputs(a.inputs, b.inputs)
  const perSample = a.inputs.length
  const masters = a.inputs.map((info, i) => {
    const other = b.inputs[i] as TensorInfo
    return isReal(info) && !isReal(other) ? { model: b, info: other } : { model: a, info }
  })
  const pair = (data: readonly TypedArray[]): InputPair => ({
    a: data.map((one, i) => convert(one, masters[i]?.info as TensorInfo, a.inputs[i] as TensorInfo)),
    b: data.map((one, i) => convert(one, masters[i]?.info as TensorInfo, b.inputs[i] as TensorInfo)),
  })
  if (files.length === 0) {
    return Array.from({ length: count }, (_, sample) =>
      pair(masters.map(({ info }, i) => randomInput(info, seed + sample * perSample + i))),
    )
  }
  if (perSample === 0 || files.length % perSample !== 0) {
    const message = `the models have ${perSample} inputs, ${files.length} files are given`
    throw new LowbitError('INPUT_COUNT', message, { expected: perSample, actual: files.length })
  }
  const pairs: InputPair[] = []
  for (let at = 0; at < files.length; at += perSample) {
    const columns = await Promise.all(
      masters.map(({ model, info }, i) => readInput(files[at + i] as string, info, model)),
    )
    const samples = Math.min(...columns.map(({ length }) => length))
    if (columns.some(({ length }) => length !== samples)) {
      const actual = columns.map(({ length }) => length)
      throw new LowbitError('SHAPE_MISMATCH', `the files hold ${actual.join(', ')} samples`, { actual })
    }
    for (let sample = 0; sample < samples; sample++) {
      pairs.push(pair(columns.map((column) => column[sample] as TypedArray)))
    }
  }
  return pairs
}

function checkInputs(a: readonly TensorInfo[], b: readonly TensorInfo[]): void {
  if (a.length === b.length && a.every(({ shape }, i) => sameShape(shape, b[i]?.shape ?? []))) return
  const text = (infos: readonly TensorInfo[]) => infos.map(({ shape }) => shapeText(shape)).join(', ')
  const message = `the inputs of the models differ: ${text(a)} and ${text(b)}`
  throw new LowbitError('SHAPE_MISMATCH', message, {
    expected: a.map(({ shape }) => shape),
    actual: b.map(({ shape }) => shape),
  })
}

/** The samples of a file: a picture is one, an array may hold several. */
async function readInput(
  file: string,
  info: TensorInfo,
  { metadata }: Session,
): Promise<readonly TypedArray[]> {
  if (/\.npy$/i.test(file)) return splitSamples(readNpy(await readFile(file), file), info, file)
  const { normalization } = metadata
  return [pictureData(await readPicture(file), info, { ...(normalization && { normalization }) })]
}

function splitSamples(array: NpyArray, info: TensorInfo, file: string): readonly TypedArray[] {
  const [samples, size] = [samplesIn(array, info, file), elementCount(info.shape)]
  // Models take float32 and give quantised inputs from it; wider reals are narrowed here.
  const data = array.data instanceof Float64Array ? Float32Array.from(array.data) : array.data
  return Array.from({ length: samples }, (_, i) => data.subarray(i * size, (i + 1) * size))
}

/** Data made for one input as data for another: by its real values where the two are not alike. */
function convert(data: TypedArray, from: TensorInfo, to: TensorInfo): TypedArray {
  const alike =
    from.dtype === to.dtype &&
    from.quantization?.scale[0] === to.quantization?.scale[0] &&
    from.quantization?.zeroPoint[0] === to.quantization?.zeroPoint[0]
  if (alike || data instanceof Float32Array) return data
  const reals = new Tensor(from, data).toFloat32()
  if (to.dtype === 'float32' || to.quantization !== undefined) return reals
  const message = `inputs "${from.name}" (${from.dtype}) and "${to.name}" (${to.dtype}) cannot take the same numbers`
  throw new LowbitError('DTYPE_MISMATCH', message, { expected: from.dtype, actual: to.dtype })
}
