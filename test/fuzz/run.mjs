// Runs the fuzzers, each for half of the time: programs (libFuzzer, built by `native/build.mjs --fuzz`) and files (in a
// process of its own, with whatever addon LOWBIT_BINARY names). Needs `npm run build:test`.
// npm run fuzz -- --minutes 30 [--only program|file] [--seed N] [--out FOLDER]
// Progress goes to stderr, a summary to stdout; the exit code is 1 when there are findings, 2 for wrong usage.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { makeSeeds } from './make-seeds.mjs'

const root = join(import.meta.dirname, '../..')
const fuzzer = join(root, 'build-fuzz/Release/lowbit_program_fuzz')
const MOST_FINDINGS = 20 // of one fuzzer
const STUCK_SECONDS = 30 // wall time, on a busy machine

function usage(message) {
  process.stderr.write(
    `${message}\nnpm run fuzz -- --minutes 30 [--only program|file] [--seed N] [--out FOLDER]\n`,
  )
  process.exit(2)
}

function options() {
  const text = { type: 'string' }
  try {
    const { values } = parseArgs({ options: { minutes: text, only: text, seed: text, out: text } })
    const minutes = Number(values.minutes ?? 10)
    const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
    if (!(minutes > 0)) usage('--minutes: a number above 0 expected')
    if (!Number.isInteger(seed) || seed < 0) usage('--seed: a natural number expected')
    if (!['program', 'file', undefined].includes(values.only)) usage('--only: program or file expected')
    return { minutes, seed, only: values.only, out: values.out ?? join(root, 'build-fuzz/work') }
  } catch (error) {
    return usage(error.message)
  }
}

/** Waits for a process; `watch` is called with it every second. */
function ended(child, watch = () => {}) {
  const timer = setInterval(() => watch(child), 1000)
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearInterval(timer)
      resolve({ code, signal })
    })
  })
}

async function fuzzPrograms({ seed, out }, seconds) {
  if (!existsSync(fuzzer)) usage(`${relative(root, fuzzer)} is missing: node native/build.mjs --fuzz`)
  const seeds = join(out, 'program-seeds')
  const corpus = join(out, 'program-corpus')
  const findings = join(out, 'findings')
  rmSync(seeds, { recursive: true, force: true })
  mkdirSync(corpus, { recursive: true })
  mkdirSync(findings, { recursive: true })
  const made = makeSeeds(seeds)
  process.stderr.write(`program fuzzer: ${made.seeds} seeds\n`)
  const result = { cases: 0, findings: [], edges: 0 }
  const until = Date.now() + seconds * 1000
  // libFuzzer ends at the first finding: it is kept, and the rest of the time is used with another seed.
  for (let round = 0; result.findings.length < MOST_FINDINGS; round++) {
    const left = Math.ceil((until - Date.now()) / 1000)
    if (left < 1) break
    const before = new Set(readdirSync(findings))
    const prefix = `program-${seed + round}-`
    const args = [
      `-seed=${1 + seed + round}`,
      `-max_total_time=${left}`,
      '-timeout=10',
      '-rss_limit_mb=2048',
      '-malloc_limit_mb=128',
      '-max_len=32768',
      '-reload=0',
      '-print_final_stats=1',
      `-artifact_prefix=${join(findings, prefix)}`,
      corpus,
      seeds,
    ]
    const child = spawn(fuzzer, args, {
      env: { ...process.env, UBSAN_OPTIONS: 'print_stacktrace=1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let log = ''
    child.stderr.setEncoding('utf8').on('data', (text) => {
      log = (log + text).slice(-200_000)
      const pulse = text.match(/^#\d+\s+pulse.*$/m)
      if (pulse) process.stderr.write(`program fuzzer: ${pulse[0]}\n`)
    })
    const { code } = await ended(child)
    result.cases += Number(log.match(/number_of_executed_units: (\d+)/)?.[1] ?? 0)
    result.edges = Number(log.match(/cov: (\d+)(?![\s\S]*cov: )/)?.[1] ?? result.edges)
    if (code === 0) continue
    const fresh = readdirSync(findings).filter((name) => name.startsWith(prefix) && !before.has(name))
    const path = join(findings, fresh[0] ?? `${prefix}unknown`)
    const how = log
      .split('\n')
      .filter((line) => !/\b(NEW|REDUCE|pulse)\b/.test(line))
      .slice(-60)
      .join('\n')
    writeFileSync(`${path}.txt`, `${relative(root, fuzzer)} ${path}\nseed ${1 + seed + round}\n${how}\n`)
    process.stderr.write(`program fuzzer: ${path}\n${how}\n`)
    result.findings.push(path)
  }
  return result
}

async function fuzzFiles({ seed, out }, seconds) {
  const findings = join(out, 'findings')
  const status = join(out, 'file-status')
  mkdirSync(findings, { recursive: true })
  const result = { cases: 0, findings: [], ends: {} }
  const until = Date.now() + seconds * 1000
  const read = () => {
    const text = existsSync(status) ? readFileSync(status, 'utf8').trim() : ''
    return text === '' ? undefined : JSON.parse(text)
  }
  for (let first = 0; Date.now() < until && result.findings.length < MOST_FINDINGS; ) {
    rmSync(status, { force: true })
    const before = new Set(existsSync(findings) ? readdirSync(findings) : [])
    const given = JSON.stringify({ seed, first, until, status, findings })
    const child = spawn(process.execPath, [join(import.meta.dirname, 'file-fuzz.mjs'), given], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    let last = { number: -1, at: Date.now() }
    let told = Date.now()
    const { code, signal } = await ended(child, () => {
      const now = read()
      if (now === undefined) return
      if (now.number !== last.number) last = { number: now.number, at: Date.now() }
      if (Date.now() - last.at > STUCK_SECONDS * 1000) child.kill('SIGKILL')
      if (Date.now() - told > 15_000) {
        told = Date.now()
        process.stderr.write(`file fuzzer: ${result.cases + now.cases} cases ${JSON.stringify(now.counts)}\n`)
      }
    })
    const reached = read()
    if (reached === undefined)
      throw new Error(`the file fuzzer did not start: exit code ${code}, signal ${signal}`)
    result.cases += reached.cases
    for (const [how, count] of Object.entries(reached.counts)) {
      result.ends[how] = (result.ends[how] ?? 0) + count
    }
    const fresh = readdirSync(findings).filter((name) => name.endsWith('.tflite') && !before.has(name))
    result.findings.push(...fresh.map((name) => join(findings, name)))
    if (code !== 0) {
      const path = join(findings, `file-${seed}-${reached.number}.tflite`)
      renameSync(join(findings, 'current'), path)
      const how =
        signal === 'SIGKILL' ? `stuck for ${STUCK_SECONDS} s` : `exit code ${code}, signal ${signal}`
      writeFileSync(`${path}.txt`, `node test/fuzz/file-case.mjs ${path}\n${how}\n`)
      process.stderr.write(`file fuzzer: ${path}: ${how}\n`)
      result.findings.push(path)
    }
    first = reached.number + 1
  }
  rmSync(join(findings, 'current'), { force: true })
  return result
}

const given = options()
const seconds = given.minutes * 60 * (given.only === undefined ? 0.5 : 1)
const summary = { seed: given.seed, minutes: given.minutes }
process.stderr.write(`seed ${given.seed}, ${seconds} s each, everything kept in ${given.out}\n`)
if (given.only !== 'file') summary.program = await fuzzPrograms(given, seconds)
if (given.only !== 'program') summary.file = await fuzzFiles(given, seconds)
process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`)
const found = [...(summary.program?.findings ?? []), ...(summary.file?.findings ?? [])]
process.exitCode = found.length > 0 ? 1 : 0
