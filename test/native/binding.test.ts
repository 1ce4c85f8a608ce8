// The addon through its loader: runs, buffers of every wrong kind, life and death of programs.

import test from 'ava'
import { loadBinding } from '#lib/native/load.js'
import { copyChain, encodeProgram } from '../helpers/program.js'

const binding = loadBinding()
const format = binding.format()

test('a program runs', async (t) => {
  const program = binding.createProgram(encodeProgram(copyChain(100, 3), format), [], { threads: 2 })
  const input = Uint8Array.from({ length: 100 }, (_, i) => i)
  const output = new Uint8Array(100)
  program.run([input], [output])
  t.deepEqual(output, input)
  output.fill(0)
  t.is(await program.runAsync([input], [output]).promise, 'done')
  t.deepEqual(output, input)
  t.is((await program.profile([input], 5)).length, 3)
  program.dispose()
  t.throws(() => program.run([input], [output]), { code: 'DISPOSED' })
})
