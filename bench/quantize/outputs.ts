// What a file gives for all samples of a set, run in lowbit. Kept by the file's hash, since peers' files do not change.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadModel, type Tensor } from '#lib/index.js'
import { type Entry, sampleSet } from './entries.js'

/** Real values of the first output, one sample after another. */
export async function outputsOf(work: string, entry: Entry, file: string): Promise<Float32Array> {
  const hash = createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 16)
  const kept = join(work, 'outputs', `${entry.samples}.${hash}.f32`)
  if (existsSync(kept)) return new Float32Array(new Uint8Array(readFileSync(kept)).buffer)
  const outputs = await run(work, entry, file)
  mkdirSync(join(work, 'outputs'), { recursive: true })
  writeFileSync(kept, outputs)
  return outputs
}

async function run(work: string, entry: Entry, file: string): Promise<Float32Array> {
  const set = sampleSet(work, entry, 'check')
  const model = await loadModel(file, { threads: 1 })
  try {
    let outputs = new Float32Array(0)
    for (let i = 0; i < set.count; i++) {
      const values = (model.runSync([set.at(i)])[0] as Tensor).toFloat32()
      if (i === 0) outputs = new Float32Array(values.length * set.count)
      outputs.set(values, i * values.length)
    }
    return outputs
  } finally {
    model.dispose()
  }
}
