// Environments and processes that end while the addon is at work: they end well, and memory comes back.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { ENDINGS } from '../helpers/endings.js'

const script = fileURLToPath(new URL('../helpers/endings.js', import.meta.url))

for (const name of ENDINGS) {
  test.serial(name, async (t) => {
    const end = await new Promise<{ error: Error | null; text: string }>((resolve) => {
      execFile(
        process.execPath,
        ['--expose-gc', script, name],
        { timeout: 120_000 },
        (error, stdout, stderr) => resolve({ error, text: stdout + stderr }),
      )
    })
    t.is(end.error, null, end.text)
  })
}
