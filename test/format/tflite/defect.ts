// The macro behind the tables of defects.

import test from 'ava'
import { type ErrorCode, LowbitError } from '#lib/errors.js'
import { decode, defectsOf } from '#lib/format/tflite/decode.js'
import type { ModelFile } from '#lib/model/model.js'
import { type Changes, rawFile } from './sample.js'

/** What is wrong, the change that makes it so, the code, and the tensor or operator that the error names. */
export type Defect = readonly [title: string, changes: Changes, code: ErrorCode, names?: string]

/** The decoder's error, or the model if there is none; other errors go through. */
export function errorOf(file: Uint8Array): LowbitError | ModelFile {
  try {
    return decode(file)
  } catch (error) {
    if (error instanceof LowbitError) return error
    throw error
  }
}

const hasDefect = test.macro<[Defect]>({
  exec(t, [, changes, code, names]) {
    const error = errorOf(rawFile(changes))
    if (!(error instanceof LowbitError)) return t.fail('the file was accepted')
    t.is(error.code, code, error.message)
    if (names !== undefined) t.true([error.tensor, error.operator].includes(names), error.message)
    else t.is(error.tensor ?? error.operator, undefined, error.message)
    const all = defectsOf(rawFile(changes))
    t.is(all[0]?.message, error.message)
    // An output that is written elsewhere is missing, too; without its lists a model lacks much.
    if (changes.model === undefined) t.true(all.length <= 2, all.join('\n'))
  },
  title: (_, [title]) => `defect: ${title}`,
})

/** One test a row. */
export function testDefects(defects: readonly Defect[]): void {
  for (const defect of defects) test(hasDefect, defect)
}
