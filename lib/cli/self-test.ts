// The self-test of lowbit doctor: the shipped model on the shipped picture, once with the kernels of each level.

import { basename, extname } from 'node:path'
import { pictureData } from '../data/codes.js'
import { readLabels } from '../data/labels.js'
import { readPicture } from '../data/picture.js'
import { LowbitError } from '../errors.js'
import { loadModel } from '../session/load.js'
import { SHIPPED } from './assets.js'
import { topClasses } from './top.js'

export interface SelfTest {
  readonly isa: string
  /** The picture's own class came first, and the output equals that of the first level bit for bit. */
  readonly ok: boolean
  readonly label: string
  readonly score: number
  readonly ms: number
}

/** The shipped picture is named after what it shows. */
const EXPECTED = basename(SHIPPED.picture, extname(SHIPPED.picture))

/** @param isas Levels to test, weakest first. Sets `LOWBIT_ISA` for each in turn, and back at the end. */
export async function selfTest(isas: readonly string[]): Promise<readonly SelfTest[]> {
  const labels = await readLabels(SHIPPED.labels)
  const picture = await readPicture(SHIPPED.picture)
  const before = process.env['LOWBIT_ISA']
  const results: SelfTest[] = []
  let first: string | undefined
  try {
    for (const isa of isas) {
      process.env['LOWBIT_ISA'] = isa
      const model = await loadModel(SHIPPED.model)
      try {
        const [input] = model.inputs
        if (!input) throw new LowbitError('INTERNAL', 'the shipped model has no input')
        const data = pictureData(picture, input, {
          ...(model.metadata.normalization && { normalization: model.metadata.normalization }),
        })
        const started = performance.now()
        const [output] = await model.run([data])
        const ms = performance.now() - started
        if (!output) throw new LowbitError('INTERNAL', 'the shipped model has no output')
        const codes = String(output.data)
        first ??= codes
        const [best] = topClasses(output.toFloat32(), 1, { labels }).top
        const label = best?.label ?? ''
        results.push({ isa, ok: label === EXPECTED && codes === first, label, score: best?.score ?? 0, ms })
      } finally {
        model.dispose()
      }
    }
  } finally {
    if (before === undefined) delete process.env['LOWBIT_ISA']
    else process.env['LOWBIT_ISA'] = before
  }
  return results
}
