// One ONNX model in onnxruntime-node. Its run() has a promise as its only form, so that samples are batches of awaited runs.

import { createRequire } from 'node:module'
import { summarize } from '#lib/cli/measure.js'
import type { Dtype } from '#lib/tensor/dtype.js'
import { driverArguments, finish, type Output } from './common.js'
import { numbers } from './inputs.js'

const WARM_UP_MS = 300
const LEAST_BATCH_MS = 0.5

interface Metadata {
  readonly name: string
  readonly type: string
  readonly shape: readonly (number | string)[]
}

interface OrtTensor {
  readonly type: string
  readonly data: Output['data']
}

interface Session {
  readonly inputMetadata: readonly Metadata[]
  readonly outputNames: readonly string[]
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>
}

interface Runtime {
  readonly Tensor: new (type: string, data: unknown, shape: readonly number[]) => OrtTensor
  readonly InferenceSession: { create(path: string, options: object): Promise<Session> }
}

async function measureAwaited(run: () => Promise<unknown>, seconds: number) {
  let batch = 1
  const sample = async () => {
    const started = performance.now()
    for (let i = 0; i < batch; i++) await run()
    return performance.now() - started
  }
  const warmed = performance.now() + WARM_UP_MS
  while (performance.now() < warmed) if ((await sample()) < LEAST_BATCH_MS) batch *= 2
  const times: number[] = []
  const end = performance.now() + 1000 * seconds
  while (performance.now() < end || times.length === 0) times.push((await sample()) / batch)
  return summarize(times)
}

const args = driverArguments()
const runtime = createRequire(import.meta.url)(args.package) as Runtime
const session = await runtime.InferenceSession.create(args.model, {
  executionProviders: ['cpu'],
  intraOpNumThreads: args.threads,
  interOpNumThreads: 1,
})
const feeds = Object.fromEntries(
  session.inputMetadata.map(({ name, type, shape }, i) => {
    const extents = shape.map((extent) => (typeof extent === 'number' ? extent : 1))
    const count = extents.reduce((a, b) => a * b, 1)
    return [name, new runtime.Tensor(type, numbers(i + 1, count, type as Dtype), extents)]
  }),
)
const first = await session.run(feeds)
const outputs = session.outputNames.map((name) => {
  const { type, data } = first[name] as OrtTensor
  return { dtype: type, data }
})
finish(
  args,
  outputs,
  args.seconds > 0 ? await measureAwaited(() => session.run(feeds), args.seconds) : undefined,
)
