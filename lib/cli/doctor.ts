// lowbit doctor: what lowbit found on this machine, and whether it computes right here.

import { availableParallelism } from 'node:os'
import { Command } from 'commander'
import { binaryReport } from '../native/load.js'
import { facts } from '../report/table.js'
import { bytesText, timeText } from '../report/units.js'
import { cpuQuota } from '../session/cores.js'
import { packageVersion } from './assets.js'
import { engineSettings } from './engine.js'
import { EXIT, failureOf } from './failure.js'
import { jsonOption } from './options.js'
import { heading, out, print, printJson } from './output.js'
import { type SelfTest, selfTest } from './self-test.js'

/** As `--json` prints it. */
interface Diagnosis {
  readonly version: string
  readonly node: string
  readonly platform: string
  readonly binary: ReturnType<typeof binaryReport>
  /** null without a binary, or with a wrong environment variable: `error` says which. */
  readonly cpu: {
    readonly isa: string
    readonly isas: readonly string[]
    readonly caches: { readonly l1: number; readonly l2: number; readonly l3: number }
  } | null
  readonly threads: {
    /** Default of `loadModel`; null where `LOWBIT_THREADS` is wrong. */
    readonly used: number | null
    readonly cores: number
    /** Cores that the control group's quota allows; null without a quota. */
    readonly quota: number | null
  }
  readonly environment: Readonly<Record<string, string>>
  /** Version of each optional package; null where it is not installed. */
  readonly peers: Readonly<Record<string, string | null>>
  /** One for each level up to the active one; empty where nothing can run. */
  readonly selfTest: readonly SelfTest[]
  readonly ok: boolean
  readonly error?: { readonly code: string; readonly message: string }
}

const VARIABLES = ['LOWBIT_ISA', 'LOWBIT_THREADS', 'LOWBIT_BINARY']

const EXAMPLES = `
Examples:
  $ lowbit doctor
  $ lowbit doctor --json
  $ LOWBIT_ISA=scalar lowbit doctor

The self-test runs the shipped model on the shipped picture with the kernels of every level and compares the outputs.
Exit code 1 says that something is wrong.`

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('show what lowbit found on this machine, and test it')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(doctor)
}

/** Of optional packages; null where one is not installed or does not load. */
async function peerVersions(): Promise<Diagnosis['peers']> {
  const loads = {
    sharp: async () => (await import('sharp')).default.versions.sharp ?? 'unknown',
    vega: async () => (await import('vega')).version,
    'vega-lite': async () => (await import('vega-lite')).version,
  }
  const versions = Object.entries(loads).map(
    async ([name, load]) => [name, await load().catch(() => null)] as const,
  )
  return Object.fromEntries(await Promise.all(versions))
}

async function doctor(options: { readonly json?: true }): Promise<void> {
  const diagnosis = await diagnose()
  if (options.json) printJson(diagnosis)
  else print(doctorText(diagnosis))
  process.exitCode = diagnosis.ok ? EXIT.done : EXIT.failed
}

async function diagnose(): Promise<Diagnosis> {
  let cpu: Diagnosis['cpu'] = null
  let used: number | null = null
  let tests: readonly SelfTest[] = []
  let error: Diagnosis['error']
  try {
    const { binding, settings, cpu: active } = engineSettings()
    const { isas, caches } = binding.cpu()
    cpu = { isa: active.isa, isas, caches }
    used = settings.threads
    tests = await selfTest(isas.slice(0, isas.indexOf(active.isa) + 1))
  } catch (cause) {
    const { code, message } = failureOf(cause)
    error = { code, message }
  }
  const binary = binaryReport()
  const quota = cpuQuota()
  const set = VARIABLES.flatMap((name) => (process.env[name] ? [[name, process.env[name]] as const] : []))
  return {
    version: packageVersion(),
    node: process.version,
    platform: binary.platform,
    binary,
    cpu,
    threads: { used, cores: availableParallelism(), quota: Number.isFinite(quota) ? quota : null },
    environment: Object.fromEntries(set) as Record<string, string>,
    peers: await peerVersions(),
    selfTest: tests,
    ok: error === undefined && tests.length > 0 && tests.every((test) => test.ok),
    ...(error && { error }),
  }
}

function threadsText({ threads: { used, cores, quota } }: Diagnosis): string {
  const why = process.env['LOWBIT_THREADS']
    ? 'LOWBIT_THREADS'
    : `${cores} cores${quota === null ? '' : `, control group quota ${quota}`}`
  return `${used ?? '?'} (${why})`
}

function doctorText(diagnosis: Diagnosis): string {
  const { binary, cpu, peers, selfTest: tests, error } = diagnosis
  const sizes = cpu ? [cpu.caches.l1, cpu.caches.l2, cpu.caches.l3] : []
  const rows: [string, string][] = [
    ['lowbit', diagnosis.version],
    ['Node.js', diagnosis.node],
    ['platform', binary.platform],
    ['binary', binary.path ?? 'none'],
    ...binary.tried.flatMap(({ path, error: why }): [string, string][] =>
      why ? [['tried', `${path}: ${why}`]] : [],
    ),
  ]
  if (cpu) {
    rows.push(
      ['ISA', `${cpu.isa} (here: ${cpu.isas.join(', ')})`],
      ['caches', sizes.map((size, i) => `L${i + 1} ${size > 0 ? bytesText(size) : 'unknown'}`).join(', ')],
    )
  }
  rows.push(['threads', threadsText(diagnosis)])
  for (const [name, value] of Object.entries(diagnosis.environment)) rows.push([name, value])
  for (const [name, version] of Object.entries(peers)) {
    rows.push([name, version ?? `not installed (optional; npm install ${name})`])
  }
  for (const test of tests) {
    const result = test.ok ? out.green('ok') : out.red('WRONG')
    rows.push([
      `test ${test.isa}`,
      `${result}, ${test.label} ${(100 * test.score).toFixed(1)} %, ${timeText(test.ms)}`,
    ])
  }
  if (error) rows.push([out.red(error.code), error.message])
  return `${facts(rows)}\n\n${heading(diagnosis.ok ? 'All well.' : 'Something is wrong.')}`
}
