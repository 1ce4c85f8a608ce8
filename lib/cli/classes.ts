// The classes that a model tells apart: how many, and their names.

import { fitLabels, readLabels } from '../data/labels.js'
import { LowbitError } from '../errors.js'
import type { Model } from '../session/model.js'
import { elementCount, shapeText } from '../tensor/shape.js'
import type { TensorInfo } from '../tensor/tensor.js'
import { isShippedModel, SHIPPED, shownName } from './assets.js'
import { note } from './output.js'

/** The output that has one score a class. @throws {LowbitError} `SHAPE_MISMATCH` if there is no such one. */
export function scoresOutput({ outputs }: Model, command: string): TensorInfo {
  const [output] = outputs
  if (output && outputs.length === 1 && output.shape.filter((extent) => extent !== 1).length <= 1)
    return output
  throw new LowbitError(
    'SHAPE_MISMATCH',
    `the outputs (${outputs.map((o) => shapeText(o.shape)).join(', ')}) are not one score a class; ${command} takes models that classify`,
    { expected: '[1, classes]', actual: outputs.map((o) => o.shape) },
  )
}

export const classCount = (output: TensorInfo) => elementCount(output.shape)

/**
 * Class names for `count` classes: of a file, else the model's own; undefined where nobody knows any.
 *
 * @param path Of the model.
 */
export async function classNames(
  model: Model,
  path: string,
  count: number,
  file: string | undefined,
): Promise<readonly string[] | undefined> {
  const own = model.metadata.labels
  const from = file ?? (own === undefined && isShippedModel(path) ? SHIPPED.labels : undefined)
  const labels = from === undefined ? own : await readLabels(from)
  if (labels === undefined) return undefined
  const fitted = fitLabels(labels, count, from === undefined ? "the model's labels" : shownName(from))
  if (fitted.note) note(fitted.note)
  return fitted.labels
}
