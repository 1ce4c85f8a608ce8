// lowbit inspect: what is in a model, which kernels run it, and where its tensors live.

import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { shownName } from './assets.js'
import { engineSettings } from './engine.js'
import { EXIT } from './failure.js'
import { findingsOf } from './inspect-findings.js'
import { inspectModel } from './inspect-model.js'
import { findingsText, inspectText } from './inspect-text.js'
import { jsonOption, memoryOption, threadsOption } from './options.js'
import { err, print, printJson, stdoutWidth } from './output.js'

interface InspectOptions {
  readonly threads?: number
  readonly memory: 'small' | 'balanced' | 'fast'
  readonly strict?: true
  readonly json?: true
}

const EXAMPLES = `
Examples:
  $ lowbit inspect model.tflite
  $ lowbit inspect model.tflite --json | jq '.operators[].kernels'
  $ lowbit inspect model.tflite --strict           all that is in the way, of every operator and subgraph

A model that lowbit does not run is shown as far as its file can be read; what is in the way is named, and the exit code
is 1. With --strict it is 1 whenever there is a finding.`

export function inspectCommand(): Command {
  return new Command('inspect')
    .description('show operators, tensors, kernels and the memory plan of a model')
    .argument('<model>', 'a .tflite file')
    .option('--strict', 'look for all problems, instead of the first')
    .addOption(threadsOption())
    .addOption(memoryOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(inspect)
}

async function inspect(path: string, options: InspectOptions): Promise<void> {
  const { settings, binding } = engineSettings(options)
  const bytes = await readFile(path)
  if (options.strict) return inspectStrictly(bytes, path, options)
  const inspection = inspectModel(bytes, shownName(path), settings, binding)
  if (options.json) printJson(inspection)
  else print(inspectText(inspection, stdoutWidth()))
  if (inspection.error) {
    process.stderr.write(`${err.red(`lowbit: ${inspection.error.code}:`)} ${inspection.error.message}\n`)
    process.exitCode = EXIT.failed
  }
}

/** As `inspect`, with all findings; of a file that cannot be read, nothing but the finding. */
function inspectStrictly(bytes: Uint8Array, path: string, options: InspectOptions): void {
  const { settings, binding } = engineSettings(options)
  const model = shownName(path)
  const { isReadable, findings } = findingsOf(bytes, settings)
  const inspection = isReadable ? inspectModel(bytes, model, settings, binding) : { model }
  if (options.json) printJson({ ...inspection, findings })
  else {
    if ('operators' in inspection) print(`${inspectText(inspection, stdoutWidth())}\n`)
    print(findingsText(findings))
  }
  if (findings.length > 0) process.exitCode = EXIT.failed
}
