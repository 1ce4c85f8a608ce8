// One .tflite model in lowbit.

import { readFile } from 'node:fs/promises'
import { measure } from '#lib/cli/measure.js'
import { loadModel } from '#lib/index.js'
import type { MemoryPolicy } from '#lib/session/options.js'
import { elementCount } from '#lib/tensor/shape.js'
import { driverArguments, finish } from './common.js'
import { numbers } from './inputs.js'

const args = driverArguments()
const model = await loadModel(await readFile(args.model), {
  threads: args.threads,
  memory: args.memory as MemoryPolicy,
})
const inputs = model.inputs.map(({ shape, dtype }, i) => numbers(i + 1, elementCount(shape), dtype))
const first = model.runSync(inputs)
const copies = first.map(({ dtype, data }) => ({ dtype, data: data.slice() }))
const outputs = { outputs: first.map(({ data }) => data) }
const figures = args.seconds > 0 ? measure(() => model.runSync(inputs, outputs), args.seconds) : undefined
finish(args, copies, figures)
model.dispose()
