// lowbit inspect: what is in a model, which kernels run it, and where its tensors live.

import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { shownName } from './assets.js'
import { engineSettings } from './engine.js'
import { EXIT } from './failure.js'
import { inspectModel } from './inspect-model.js'
import { inspectText } from './inspect-text.js'
import { jsonOption, threadsOption } from './options.js'
import { err, print, printJson, stdoutWidth } from './output.js'

interface InspectOptions {
  readonly threads?: number
  readonly json?: true
}

const EXAMPLES = `
Examples:
  $ lowbit inspect model.tflite
  $ lowbit inspect model.tflite --json | jq '.operators[].kernels'

A model that lowbit does not run is shown as far as its file can be read; what is in the way is named, and the exit code
is 1.`

export function inspectCommand(): Command {
  return new Command('inspect')
    .description('show operators, tensors, kernels and the memory plan of a model')
    .argument('<model>', 'a .tflite file')
    .addOption(threadsOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(inspect)
}

async function inspect(path: string, options: InspectOptions): Promise<void> {
  const { settings, binding } = engineSettings(options)
  const inspection = inspectModel(await readFile(path), shownName(path), settings, binding)
  if (options.json) printJson(inspection)
  else print(inspectText(inspection, stdoutWidth()))
  if (inspection.error) {
    process.stderr.write(`${err.red(`lowbit: ${inspection.error.code}:`)} ${inspection.error.message}\n`)
    process.exitCode = EXIT.failed
  }
}
