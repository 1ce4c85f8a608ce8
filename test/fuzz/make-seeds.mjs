// Writes the seeds of the program fuzzer: programs encoded from models, in the form that fuzz_case.h reads.
// node test/fuzz/make-seeds.mjs FOLDER
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LowbitError } from '../../dist/esm/errors.js'
import { loadBinding } from '../../dist/esm/native/load.js'
import { encode } from '../../dist/esm/program/encode.js'
import { prepare } from '../../dist/esm/session/load.js'
import { models } from './models.mjs'

const MOST_BYTES = 32 << 10 // of a seed: longer ones only make the fuzzer slow
const LIMITS = { memory: 1 << 20, steps: 32 }

function caseBytes({ program, constants }) {
  const head = Uint32Array.of(program.length, constants.length, ...constants.map(({ length }) => length))
  return Buffer.concat([new Uint8Array(head.buffer), program, ...constants])
}

/** Writes the seeds and gives their number. */
export function makeSeeds(folder) {
  mkdirSync(folder, { recursive: true })
  const format = loadBinding().format()
  const written = new Set()
  const refused = {}
  for (const { name, bytes } of models(MOST_BYTES)) {
    try {
      const seed = caseBytes(encode(prepare(bytes, LIMITS).plan, format))
      if (seed.length > MOST_BYTES) continue
      const hash = createHash('sha1').update(seed).digest('hex')
      writeFileSync(join(folder, hash), seed)
      written.add(hash)
    } catch (error) {
      if (!(error instanceof LowbitError) || error.code === 'INTERNAL') throw error
      refused[error.code] = (refused[error.code] ?? 0) + 1
      if (name.startsWith('own')) process.stderr.write(`${name}: ${error.message}\n`)
    }
  }
  return { seeds: written.size, refused }
}

if (process.argv[1] === import.meta.filename) {
  const [folder] = process.argv.slice(2)
  if (folder === undefined) throw new Error('node test/fuzz/make-seeds.mjs FOLDER')
  process.stdout.write(`${JSON.stringify(makeSeeds(folder))}\n`)
}
