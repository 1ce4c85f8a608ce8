// Files that lowbit quantises, on the samples that its peers see.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { quantize } from '#lib/quantize.js'
import { type Entry, sampleSet, shared } from './entries.js'
import { RECIPES } from './recipes.js'

function* samplesOf(work: string, entry: Entry) {
  const set = sampleSet(work, entry, 'calibration')
  for (let i = 0; i < set.count; i++) yield [set.at(i)]
}

/** Writes `made/NAME.COLUMN.tflite` and its report, unless it is there and may stay. Gives the seconds that it took. */
export async function make(work: string, entry: Entry, column: string, isFresh: boolean): Promise<number> {
  const recipe = RECIPES.get(column)
  if (recipe === undefined) throw new Error(`there is no recipe for ${column}`)
  const file = join(work, 'made', `${entry.name}.${column}`)
  if (!isFresh && existsSync(`${file}.tflite`)) return 0
  mkdirSync(join(work, 'made'), { recursive: true })
  const float = readFileSync(join(shared, 'models/float', `${entry.file}.tflite`))
  const start = performance.now()
  const { bytes, report } = await quantize(float, samplesOf(work, entry), recipe)
  writeFileSync(`${file}.tflite`, bytes)
  writeFileSync(`${file}.json`, JSON.stringify(report))
  return (performance.now() - start) / 1000
}
