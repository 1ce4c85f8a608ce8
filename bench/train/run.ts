// npm run bench:train: a step of training in lowbit, PyTorch and TensorFlow on the same machine, weights and pictures.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { commit, machine } from '#bench/machine.js'
import { WrongUsage } from '#bench/peers/options.js'
import { type CoreModule, requireTfjs } from '#lib/train/backend/tfjs.js'
import { findAll } from './contenders.js'
import { HELP, type Options, parseOptions } from './options.js'
import { PROBLEM } from './problem.js'
import { measureAll } from './suite.js'
import { markdown, type Results } from './table.js'

/** This file runs as dist/bench/train/run.js. */
const root = join(import.meta.dirname, '../../..')

const progress = (text: string) => void process.stderr.write(text)

async function resultsOf(options: Options, args: readonly string[]): Promise<Results> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const versions = { lowbit: version, tfjs: requireTfjs<CoreModule>('core').version_core }
  const { contenders, leftOut } = await findAll(options.contenders, {
    root,
    python: options.python,
    versions,
  })
  for (const { name, why } of leftOut) progress(`${name} is left out: ${why}\n`)
  const problem = { ...PROBLEM, batch: options.batch }
  const measured = await measureAll(contenders, { ...options, problem, progress })
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: await commit(root),
    command: ['npm run bench:train --', ...args].join(' '),
    machine: machine(),
    node: process.versions.node,
    threads: options.threads,
    batch: options.batch,
    ...measured,
    leftOut,
  }
}

async function main(): Promise<number> {
  const args = process.argv.slice(2)
  const options = parseOptions(args)
  if (options.help) {
    process.stdout.write(HELP)
    return 0
  }
  const results = await resultsOf(options, args)
  process.stdout.write(options.json ? `${JSON.stringify(results)}\n` : markdown(results))
  for (const line of results.failures) progress(`bench:train: ${line}\n`)
  return results.failures.length > 0 ? 1 : 0
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof WrongUsage)) throw error
  progress(`bench:train: ${error.message}\n\n${HELP}`)
  process.exitCode = 2
}
