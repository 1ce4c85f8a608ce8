// Times the kernels of two builds of the addon in turn and prints both: those of g++ and clang, or before and after a
// change. Needs a build with tests: node tools/compare-builds.mjs A.node B.node [seconds a case]
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const [first, second, seconds = '0.02'] = process.argv.slice(2)
/** Kinds of cases; operators without weights take longer than they tell. */
const FILTERS = ['conv', 'depthwise', 'gemm']

function measured(binary, filter) {
  const args = ['dist/bench/run.js', '--filter', filter, '--seconds', seconds, '--json']
  const env = { ...process.env, LOWBIT_BINARY: binary }
  const options = { cwd: root, encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore'] }
  return JSON.parse(execFileSync(process.execPath, args, options)).rows
}

let logs = 0
let count = 0
for (const filter of FILTERS) {
  const [a, b] = [first, second].map((binary) => measured(binary, filter))
  for (const [i, row] of a.entries()) {
    const ratio = b[i].minMs / row.minMs
    logs += Math.log(ratio)
    count += 1
    const times = [row.minMs, b[i].minMs].map((ms) => `${(1000 * ms).toFixed(1)} us`.padStart(12)).join('')
    console.log(`${row.case.padEnd(28)} ${row.kernel.padEnd(40)}${times}${ratio.toFixed(2).padStart(7)}`)
  }
}
if (count === 0) throw new Error(`no case of the bench matches ${FILTERS.join(', ')}`)
console.log(`geometric mean of second / first over ${count} cases: ${Math.exp(logs / count).toFixed(2)}`)
