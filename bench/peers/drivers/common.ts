// What the drivers in TypeScript share: arguments, and the one JSON line that they print.

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { summarize } from '#lib/cli/measure.js'

export interface DriverArguments {
  readonly model: string
  readonly threads: number
  /** 0: only the outputs of one run are wanted. */
  readonly seconds: number
  readonly output: string | undefined
  readonly memory: string
  /** Folder of the package to use, where there is a choice. */
  readonly package: string
}

export function driverArguments(): DriverArguments {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      threads: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '0' },
      output: { type: 'string' },
      memory: { type: 'string', default: 'fast' },
      package: { type: 'string', default: '' },
    },
  })
  return {
    model: positionals[0] ?? '',
    threads: Number(values.threads),
    seconds: Number(values.seconds),
    output: values.output,
    memory: values.memory,
    package: values.package,
  }
}

type Numbers = ArrayBufferView & { readonly length: number }

export interface Output {
  readonly dtype: string
  readonly data: Numbers
}

/** Writes the outputs of the first run to the file that was asked for, and prints them with the figures. */
export function finish(
  { output }: DriverArguments,
  outputs: readonly Output[],
  figures: ReturnType<typeof summarize> | undefined,
): void {
  if (output !== undefined) {
    const bytes = outputs.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength))
    writeFileSync(output, Buffer.concat(bytes))
  }
  const result = {
    outputs: outputs.map(({ dtype, data }) => ({ dtype, count: data.length })),
    ...(figures && {
      minMs: figures.latencyMs.min,
      medianMs: figures.latencyMs.median,
      samples: figures.samples,
    }),
  }
  process.stdout.write(`${JSON.stringify(result)}\n`)
}
