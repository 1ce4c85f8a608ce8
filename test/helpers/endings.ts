// Programs of their own process, one a way to end: `node endings.js <name>`. test/native/endings.test.ts starts them.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { NativeProgram } from '#lib/native/binding.js'
import { loadBinding } from '#lib/native/load.js'
import { copyChain, encodeProgram } from './program.js'

const MiB = 1 << 20

function long(steps = 60): { program: NativeProgram; bytes: Uint8Array } {
  const binding = loadBinding()
  const spec = encodeProgram(copyChain(8 * MiB, steps), binding.format())
  return { program: binding.createProgram(spec, [], { threads: 3 }), bytes: new Uint8Array(8 * MiB) }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const self = fileURLToPath(import.meta.url)

/** Starts a worker thread that does `task`; resolves at its first message or error. */
async function startWorker(task: string): Promise<Worker> {
  const worker = new Worker(self, { workerData: task })
  await new Promise((resolve) => {
    worker.once('message', resolve)
    worker.on('error', resolve)
  })
  return worker
}

const inWorker: Record<string, () => void | Promise<void>> = {
  /** Many runs on other threads, ended from outside. */
  async: () => {
    const { program, bytes } = long()
    for (let i = 0; i < 8; i++) program.runAsync([bytes], [bytes])
    program.profile([bytes], 3)
    parentPort?.postMessage('started')
    setInterval(() => undefined, 1000)
  },
  /** Runs on the worker's own thread. */
  sync: () => {
    const { program, bytes } = long(20)
    parentPort?.postMessage('started')
    for (;;) program.run([bytes], [bytes])
  },
  /** Exits by itself in mid-run. */
  exit: () => {
    const { program, bytes } = long()
    program.runAsync([bytes], [bytes])
    parentPort?.postMessage('started')
    process.exit(0)
  },
  /** Loads, runs, leaves its programs to the collector. */
  complete: async () => {
    const { program, bytes } = long(2)
    await Promise.all(Array.from({ length: 6 }, () => program.runAsync([bytes], [bytes]).promise))
    parentPort?.postMessage('started')
  },
  /** A run is in flight, and its results are never looked at. */
  throw: () => {
    const { program, bytes } = long(20)
    program.runAsync([bytes], [bytes])
    parentPort?.postMessage('started')
    throw new Error('on purpose')
  },
}

async function rounds(task: string, count: number): Promise<void> {
  for (let round = 0; round < count; round++) {
    const workers = await Promise.all(Array.from({ length: 8 }, () => startWorker(task)))
    await sleep(5 * round)
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}

const rss = () => process.memoryUsage().rss / MiB
const collect = async () => {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.()
    await sleep(5)
  }
}

const inProcess: Record<string, () => unknown> = {
  'worker threads that are terminated in mid-run': () => rounds('async', 4),
  'worker threads that are terminated in a synchronous run': () => rounds('sync', 3),
  'worker threads that exit in mid-run': () => rounds('exit', 3),
  'worker threads that end by themselves': () => rounds('complete', 3),
  'worker threads that throw in mid-run': () => rounds('throw', 3),
  'the addon lives on when its only worker thread is gone': async () => {
    await rounds('complete', 1)
    await sleep(50)
    // Node has closed the library by now; the pool's threads still need its code.
    if (process.platform === 'linux' && !/[.]node$/m.test(readFileSync('/proc/self/maps', 'utf8'))) {
      throw new Error('the addon was unmapped')
    }
    const { program, bytes } = long(2)
    program.run([bytes], [bytes])
  },
  'process.exit in mid-run': async () => {
    const { program, bytes } = long(1000)
    for (let i = 0; i < 30; i++) program.runAsync([bytes], [bytes])
    await sleep(20)
    process.exit(0)
  },
  'process.exit while worker threads run': async () => {
    await Promise.all(['async', 'sync', 'async', 'complete'].map(startWorker))
    process.exit(0)
  },
  'the end of the main program while runs are in flight': () => {
    const { program, bytes } = long(20)
    program.runAsync([bytes], [bytes])
    program.dispose()
  },
  'an exception in mid-run': async () => {
    const { program, bytes } = long(20)
    process.on('uncaughtException', () => process.exit(0))
    program.runAsync([bytes], [bytes])
    throw new Error('on purpose')
  },
  'programs that nobody disposes are collected': async () => {
    const binding = loadBinding()
    const spec = encodeProgram(copyChain(8 * MiB, 1), binding.format())
    const bytes = new Uint8Array(8 * MiB)
    // Without the report of external memory, 400 programs of 16 MiB would look like 400 small objects.
    const make = () => binding.createProgram(spec, [], { threads: 1 }).run([bytes], [bytes])
    const before = rss()
    let most = 0
    for (let i = 0; i < 400; i++) {
      make()
      most = Math.max(most, rss())
      await new Promise((resolve) => setImmediate(resolve))
    }
    await collect()
    if (most > before + 2000) throw new Error(`up to ${most} MiB, ${before} at first`)
    // The address sanitizer holds 256 MiB of freed memory back.
    const slack = process.env['ASAN_OPTIONS'] === undefined ? 100 : 400
    if (rss() > before + slack) throw new Error(`${rss()} MiB left, ${before} at first`)
  },
  'a thousand programs leave nothing behind': async () => {
    const binding = loadBinding()
    const spec = encodeProgram(
      {
        arenaBytes: 2 * MiB,
        tensors: [
          { dtype: 'int8', dims: [MiB], bytes: MiB, place: { offset: 0 } },
          { dtype: 'int8', dims: [MiB], bytes: MiB, place: { offset: MiB } },
          { dtype: 'int8', dims: [MiB], bytes: MiB, place: { source: 0, offset: 0 } },
        ],
        steps: [{ kind: 'copy', inputs: [2], outputs: [1] }],
        inputs: [0],
        outputs: [1],
      },
      binding.format(),
    )
    const bytes = new Uint8Array(MiB)
    let start = 0
    for (let i = 0; i < 1100; i++) {
      const program = binding.createProgram(spec, [bytes], { threads: 2 })
      program.run([bytes], [bytes])
      const run = program.runAsync([bytes], [bytes])
      if (i % 3 === 0) program.dispose()
      await run.promise
      program.dispose()
      if (i === 100) {
        await collect()
        start = rss()
      }
    }
    await collect()
    const grown = rss() - start
    if (grown > 16) throw new Error(`${grown.toFixed(1)} MiB more after a thousand programs`)
  },
}

/** Names of the ways to end. */
export const ENDINGS = Object.keys(inProcess)

if (!isMainThread) {
  await inWorker[workerData as string]?.()
} else if (process.argv[1] === self) {
  await inProcess[process.argv[2] ?? '']?.()
}
