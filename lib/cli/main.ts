#!/usr/bin/env node
// The command `lowbit`: parses the command line and turns errors into one line and an exit code.

import { Command, CommanderError } from 'commander'
import { packageVersion } from './assets.js'
import { benchCommand } from './bench.js'
import { diffCommand } from './diff.js'
import { doctorCommand } from './doctor.js'
import { evaluateCommand } from './evaluate.js'
import { EXIT, type Failure, failureOf, USAGE } from './failure.js'
import { inspectCommand } from './inspect.js'
import { endOnBrokenPipe, err, printJson } from './output.js'
import { quantizeCommand } from './quantize.js'
import { runCommand } from './run.js'
import { trainCommand } from './train.js'

const EXAMPLES = `
Examples:
  $ lowbit run                             the model and the picture that come with lowbit
  $ lowbit run model.tflite photo.ppm      classify a picture
  $ lowbit bench model.tflite --threads 1  time a model
  $ lowbit quantize float.tflite --data photos/ -o int8.tflite
  $ lowbit doctor                          what lowbit found on this machine

Results go to stdout, notes to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C.`

/** In the order of the help. */
const COMMANDS = [
  runCommand,
  quantizeCommand,
  trainCommand,
  evaluateCommand,
  inspectCommand,
  diffCommand,
  benchCommand,
  doctorCommand,
]

function lowbitCommand(): Command {
  const program = new Command('lowbit')
    .description('Low-bit neural networks: runs .tflite models natively.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', EXAMPLES)
    .showSuggestionAfterError()
  for (const make of COMMANDS) program.addCommand(make())
  // Commander hands errors on only where each command is told so.
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ outputError: () => {} })
  }
  return program
}

/** What commander found wrong in the command line; undefined for the help and version it has printed. */
function usageFailure(error: CommanderError): Failure | undefined {
  if (error.exitCode === 0) return undefined
  const message =
    error.code === 'commander.help' ? 'no command given; lowbit --help lists them' : error.message
  return { code: USAGE, message: message.replace(/^error: /, ''), exit: EXIT.usage }
}

function report({ code, message, exit }: Failure): void {
  process.stderr.write(`${err.red(`lowbit: ${code}:`)} ${message}\n`)
  if (process.argv.includes('--json')) printJson({ error: { code, message } })
  process.exitCode = exit
}

async function main(): Promise<void> {
  endOnBrokenPipe()
  try {
    await lowbitCommand().parseAsync()
  } catch (error) {
    const failure = error instanceof CommanderError ? usageFailure(error) : failureOf(error)
    if (failure) report(failure)
  }
}

void main()
