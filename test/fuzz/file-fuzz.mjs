// Runs cases of broken files until it is told to end; run.mjs starts it, watches it, and starts it again after a crash.
// Arguments: a JSON object { seed, first, until, status, findings }. Before a case it writes the case's number to the file
// `status` and the case's file to `findings`/current, so that what killed the process is known.
import { mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { decode } from '../../dist/esm/format/tflite/decode.js'
import { encode } from '../../dist/esm/format/tflite/encode.js'
import { random } from '../../dist/test/helpers/random.js'
import { outcome } from './file-case.mjs'
import { flatbufferPlaces, mutate } from './file-mutations.mjs'
import { mutateModel } from './model-mutations.mjs'
import { models } from './models.mjs'

const MOST_BYTES = 64 << 10 // of a seed
const { seed, first, until, status, findings } = JSON.parse(process.argv[2])
mkdirSync(findings, { recursive: true })
const seeds = models(MOST_BYTES).map((seed) => ({
  ...seed,
  places: flatbufferPlaces(seed.bytes),
  model: decoded(seed.bytes),
}))

function decoded(bytes) {
  try {
    return decode(bytes)
  } catch {
    return undefined
  }
}

/** Half of the files are changed as bytes, half as models. Not every changed model can be written as a file. */
function changed({ bytes, places, model }, other, next) {
  if (model === undefined || next() % 2 === 0) return mutate(bytes, places, other.bytes, next)
  try {
    return encode(mutateModel(model, next))
  } catch {
    return mutate(bytes, places, other.bytes, next)
  }
}

const statusFile = openSync(status, 'w')

const counts = {}
let number = first
const report = () => {
  const text = JSON.stringify({ number, cases: number - first, counts })
  writeSync(statusFile, text.padEnd(1000), 0)
}

for (; Date.now() < until; number++) {
  const next = random((seed * 1_000_003 + number) >>> 0)
  const seedFile = seeds[next() % seeds.length]
  const file = changed(seedFile, seeds[next() % seeds.length], next)
  writeFileSync(join(findings, 'current'), file)
  report()
  const how = await outcome(file, next)
  const kind = how.startsWith('!') ? 'finding' : how
  counts[kind] = (counts[kind] ?? 0) + 1
  if (kind === 'finding') {
    const path = join(findings, `file-${seed}-${number}.tflite`)
    writeFileSync(path, file)
    writeFileSync(`${path}.txt`, `${seedFile.name}, changed\nnode test/fuzz/file-case.mjs ${path}\n${how}\n`)
    process.stderr.write(`file fuzzer: ${path}: ${how}\n`)
  }
}
report()
