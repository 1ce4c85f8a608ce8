// A model that no single native program can be, run stage by stage: native programs; calls of custom operators; IF and
// WHILE whose shapes, or operators, are for the run to decide; and stops at which a computed value decides shapes, after
// which the rest is planned for that value. Tensors that go from one program to the next are copied through ordinary
// arrays. Only such models pay for that.

import { LowbitError } from '../errors.js'
import type { Cursor, Given } from '../graph/build.js'
import { argumentsOf, MOST_DEPTH } from '../graph/build.js'
import type { FlatCall, FlatOperator } from '../graph/expand.js'
import type { Graph, Value } from '../graph/graph.js'
import type { NativeProgram, NativeProgramInfo, NativeShared } from '../native/binding.js'
import { byteLength, type Dtype } from '../tensor/dtype.js'
import { elementCount, type Shape, shapeText } from '../tensor/shape.js'
import { Clock, JAVASCRIPT, type TimedStep } from './clock.js'
import { type CustomOps, runCustom } from './custom-ops.js'
import { disposeStage, type Part, type Stage, type StageCache } from './stages.js'
import type { Turns } from './turns.js'

/** What a script needs of the model that it is of. */
export interface ScriptModel {
  readonly customOps: CustomOps
  readonly stages: StageCache
  readonly turns: Turns
  readonly hasState: boolean
  readonly shared: () => NativeShared
  /** Most steps and passes of one run. */
  readonly passes: number
  /** Plans on from a cursor. @throws {LowbitError} As `loadModel`. */
  stage(cursor: Cursor, wanted: readonly number[]): Stage
  /** The beginning of a subgraph that an IF or WHILE calls. */
  open(call: FlatCall, inputs: readonly Given[], origin: string): Cursor
}

/** A tensor at run time. */
export interface Result {
  readonly dtype: Dtype
  readonly shape: Shape
  readonly bytes: Uint8Array
}

export interface ScriptRun {
  readonly promise: Promise<readonly Result[] | 'cancelled'>
  cancel(): void
}

/** A native program to run. */
interface Call {
  readonly program: NativeProgram
  readonly inputs: readonly Uint8Array[]
  readonly outputs: readonly Uint8Array[]
}

/**
 * Runs as far as JavaScript can go by itself, and hands out native calls, to be run on this thread or another; a profile,
 * whose times it goes on with; or nothing, to say that it goes on.
 */
type Task<T> = Generator<Call | Promise<Float64Array> | undefined, T, Float64Array | undefined>

/** Bytes of values that are known at some point of a run. */
type Known = Map<number, Uint8Array>

/** What the parts of one run count down. */
interface Budget {
  left: number
  readonly limit: number
}

/** JavaScript keeps the event loop waiting for no longer than this between two native calls, in milliseconds. */
const LONGEST_SPELL = 4

export class Script {
  readonly #model: ScriptModel
  readonly #first: Stage
  readonly #wanted: readonly number[]
  #running = 0
  #isDisposed = false

  /** Owns the first stage from here on. */
  constructor(model: ScriptModel, first: Stage, wanted: readonly number[]) {
    this.#model = model
    this.#first = first
    this.#wanted = wanted
  }

  /** Of what is planned in any case: the first stage. */
  info(): NativeProgramInfo {
    const infos = this.#first.parts.map((part) => (part.kind === 'native' ? part.program.info() : undefined))
    const sum = (of: (info: NativeProgramInfo) => number) =>
      infos.reduce((total, info) => total + (info === undefined ? 0 : of(info)), 0)
    return {
      arenaBytes: sum(({ arenaBytes }) => arenaBytes),
      scratchBytes: sum(({ scratchBytes }) => scratchBytes),
      packedBytes: sum(({ packedBytes }) => packedBytes),
      sharedBytes: sum(({ sharedBytes }) => sharedBytes),
      kernels: infos.flatMap((info) => info?.kernels ?? [JAVASCRIPT]),
    }
  }

  run(inputs: readonly ArrayBufferView[]): readonly Result[] {
    const { turns, hasState } = this.#model
    if (hasState && turns.isTaken) throw mustWait()
    const task = this.#task(this.#begin(inputs))
    try {
      for (;;) {
        const { done, value } = task.next(undefined)
        if (done) return value
        if (value !== undefined && 'program' in value) value.program.run(value.inputs, value.outputs)
      }
    } finally {
      // Leaves the stages that the run is at.
      task.return([])
      this.#leave()
    }
  }

  runAsync(inputs: readonly ArrayBufferView[]): ScriptRun {
    const known = this.#begin(inputs)
    const driver = new Driver()
    const { turns, hasState } = this.#model
    const run = () => driver.run(this.#task(known))
    const promise = (hasState ? turns.take(run) : run()).finally(() => this.#leave())
    return { promise, cancel: () => driver.cancel() }
  }

  /** Parts are timed by themselves, with the inputs of one run; a loop or branch as a whole. */
  async profile(inputs: readonly ArrayBufferView[], runs: number): Promise<readonly TimedStep[]> {
    const known = this.#begin(inputs)
    const { turns, hasState, shared } = this.#model
    const times: TimedStep[] = []
    const run = () => new Driver().run(this.#task(known, new Clock(times, runs)))
    try {
      if (!hasState) await run()
      else {
        await turns.take(() => {
          shared().saveState()
          return run().finally(() => shared().restoreState())
        })
      }
      return times
    } finally {
      this.#leave()
    }
  }

  dispose(): void {
    if (this.#isDisposed) return
    this.#isDisposed = true
    if (this.#running === 0) disposeStage(this.#first)
  }

  #task(known: Known, clock?: Clock): Task<readonly Result[]> {
    const { passes } = this.#model
    const run = new Run(this.#model, { left: passes, limit: passes }, clock)
    return run.stages(this.#first, known, this.#wanted)
  }

  /** Copies the inputs, since they are read for longer than this call lasts. */
  #begin(inputs: readonly ArrayBufferView[]): Known {
    if (this.#isDisposed) throw new LowbitError('DISPOSED', 'the model was disposed')
    const known: Known = new Map()
    for (const [i, value] of this.#first.end.flat.inputs.entries()) {
      const { buffer, byteOffset, byteLength } = inputs[i] as ArrayBufferView
      known.set(value, new Uint8Array(buffer, byteOffset, byteLength).slice())
    }
    this.#running++
    return known
  }

  /** The last run out of a disposed script gives its memory back. */
  #leave(): void {
    this.#running--
    if (this.#isDisposed && this.#running === 0) disposeStage(this.#first)
  }
}

/** Runs a task with native calls on other threads. */
class Driver {
  #isCancelled = false
  #current: { cancel(): void } | undefined

  cancel(): void {
    this.#isCancelled = true
    this.#current?.cancel()
  }

  async run<T>(task: Task<T>): Promise<T | 'cancelled'> {
    try {
      // JavaScript of others is never called before `run` has returned.
      await undefined
      let began = performance.now()
      let times: Float64Array | undefined
      for (;;) {
        if (this.#isCancelled) return 'cancelled'
        const { done, value } = task.next(times)
        if (done) return value
        if (value !== undefined && !('program' in value)) {
          times = await value
        } else if (value !== undefined) {
          const run = value.program.runAsync(value.inputs, value.outputs)
          this.#current = run
          if ((await run.promise) === 'cancelled') return 'cancelled'
          began = performance.now()
        } else if (performance.now() - began > LONGEST_SPELL) {
          await new Promise((resolve) => setImmediate(resolve))
          began = performance.now()
        }
      }
    } finally {
      // Leaves the stages that the run is at.
      task.return(undefined as T)
    }
  }
}

/** One run: its stages, and what they call. */
class Run {
  readonly #model: ScriptModel
  readonly #budget: Budget
  readonly #clock: Clock | undefined
  /** How many calls it is inside of. */
  readonly #depth: number

  constructor(model: ScriptModel, budget: Budget, clock?: Clock, depth = 0) {
    this.#model = model
    this.#budget = budget
    this.#depth = depth
    this.#clock = clock
  }

  /** From a stage to the end of its subgraph. */
  *stages(first: Stage, known: Known, wanted: readonly number[]): Task<readonly Result[]> {
    let stage = first
    let leave = () => {}
    try {
      for (;;) {
        for (const part of stage.parts) yield* this.#part(part, known)
        const { end, stop } = stage
        if (stop === undefined) return wanted.map((index) => result(end.values, known, index))
        const { cursor, key } =
          stop.kind === 'value'
            ? withValue(end, stop.value, result(end.values, known, stop.value))
            : withResults(end, stop.operator, yield* this.#call(stop.operator, end.values, known), known)
        const next = this.#model.stages.enter(`${stage.id}/${key}`, () => this.#model.stage(cursor, wanted))
        leave()
        leave = next.leave
        stage = next.stage
      }
    } finally {
      leave()
    }
  }

  *#part(part: Part, known: Known): Task<void> {
    if (part.kind === 'custom') {
      this.#spend(1)
      const { values, node } = part
      const call = () => runCustom(node, values, known, this.#model.customOps)
      if (this.#clock === undefined) call()
      else this.#clock.custom(part, call)
      return
    }
    this.#spend(part.steps.length)
    const { program, graph } = part
    const inputs = graph.inputs.map((index) => known.get(index) as Uint8Array)
    if (this.#clock !== undefined) this.#clock.native(part, (yield this.#clock.times(part, inputs)) ?? [])
    yield { program, inputs, outputs: roomFor(graph, known) }
  }

  /** An IF or WHILE: gives its outputs. */
  *#call(operator: FlatOperator, values: readonly Value[], known: Known): Task<readonly Result[]> {
    const args = argumentsOf(operator).map((index) => result(values, known, index))
    const began = performance.now()
    const results = yield* operator.record.type === 'WHILE'
      ? this.#loop(operator, args)
      : this.#branch(operator, args, result(values, known, operator.inputs[0] as number))
    expectCount(operator, results.length, operator.outputs.length)
    for (const [i, { dtype }] of results.entries()) {
      const declared = values[operator.outputs[i] as number] as Value
      if (declared.dtype !== dtype) throw wrongType(operator, declared, dtype)
    }
    this.#clock?.flow(operator, values, performance.now() - began)
    return results
  }

  *#branch(operator: FlatOperator, args: readonly Result[], condition: Result): Task<readonly Result[]> {
    const [yes, no] = operator.calls as readonly [FlatCall, FlatCall]
    return yield* this.#subgraph(operator, isTrue(operator, condition) ? yes : no, args)
  }

  *#loop(operator: FlatOperator, args: readonly Result[]): Task<readonly Result[]> {
    const [ask, body] = operator.calls as readonly [FlatCall, FlatCall]
    for (let carried = args; ; ) {
      const [condition] = yield* this.#subgraph(operator, ask, carried)
      if (!isTrue(operator, condition)) return carried
      carried = yield* this.#subgraph(operator, body, carried)
      this.#spend(1)
      // Also where neither graph has a step: the run may be cancelled here.
      yield undefined
    }
  }

  *#subgraph(operator: FlatOperator, call: FlatCall, args: readonly Result[]): Task<readonly Result[]> {
    const { origin } = operator
    const { stages } = this.#model
    if (this.#depth >= MOST_DEPTH) {
      const message = `${origin}: calls of subgraphs are nested more than ${MOST_DEPTH} deep`
      throw new LowbitError('LIMIT_EXCEEDED', message, { operator: origin })
    }
    const handles = [...call.handles].join()
    const key = `${origin} ${call.subgraph} ${handles} ${args.map(({ shape }) => shape.join('x')).join()}`
    const first = stages.enter(key, () => {
      const cursor = this.#model.open(call, args, origin)
      return this.#model.stage(cursor, cursor.flat.outputs)
    })
    try {
      const { flat } = first.stage.end
      expectCount(operator, args.length, flat.inputs.length)
      const known: Known = new Map(flat.inputs.map((index, i) => [index, (args[i] as Result).bytes]))
      // Times of calls belong to the IF or WHILE.
      const inner = new Run(this.#model, this.#budget, undefined, this.#depth + 1)
      return yield* inner.stages(first.stage, known, flat.outputs)
    } finally {
      first.leave()
    }
  }

  #spend(steps: number): void {
    this.#budget.left -= steps
    if (this.#budget.left >= 0) return
    const { limit } = this.#budget
    const message = `the run takes more than ${limit} steps and passes of loops, which is the limit (limits.steps)`
    throw new LowbitError('LIMIT_EXCEEDED', message, { expected: limit })
  }
}

function result(values: readonly Value[], known: Known, index: number): Result {
  const { dtype, shape, data, name } = values[index] as Value
  const bytes = known.get(index) ?? data
  if (bytes === undefined && dtype === 'resource') {
    const message = `tensor "${name}" names a variable, and an operator takes it for numbers`
    throw new LowbitError('FILE_INVALID', message, { tensor: name, expected: 'numbers', actual: dtype })
  }
  if (bytes === undefined) throw new LowbitError('INTERNAL', `tensor "${name}" was not computed`)
  return { dtype, shape, bytes }
}

/** The rest, for this value. */
function withValue(end: Cursor, index: number, { bytes }: Result): { cursor: Cursor; key: string } {
  const values = [...end.values]
  values[index] = { ...(values[index] as Value), data: bytes.slice() }
  return { cursor: { ...end, values }, key: bytes.join() }
}

/** The rest, after a call that gave these. */
function withResults(
  end: Cursor,
  { outputs }: FlatOperator,
  results: readonly Result[],
  known: Known,
): { cursor: Cursor; key: string } {
  const values = [...end.values]
  for (const [i, { shape, bytes }] of results.entries()) {
    const index = outputs[i] as number
    values[index] = { ...(values[index] as Value), shape }
    known.set(index, bytes)
  }
  const key = results.map(({ shape }) => shape.join('x')).join()
  return { cursor: { ...end, values, next: end.next + 1 }, key }
}

function roomFor({ outputs, values }: Graph, known: Known): readonly Uint8Array[] {
  return outputs.map((index) => {
    const { dtype, shape } = values[index] as Value
    const bytes = new Uint8Array(byteLength(dtype, shape) ?? 0)
    known.set(index, bytes)
    return bytes
  })
}

function isTrue({ origin }: FlatOperator, condition: Result | undefined): boolean {
  const { dtype, shape = [], bytes } = condition ?? {}
  if (dtype === 'bool' && elementCount(shape) === 1) return bytes?.[0] !== 0
  const message = `${origin}: its condition is ${dtype} ${shapeText(shape)}, one bool is needed`
  throw new LowbitError('FILE_INVALID', message, { operator: origin, expected: 'bool', actual: dtype })
}

function expectCount({ origin }: FlatOperator, actual: number, expected: number): void {
  if (actual === expected) return
  const message = `${origin}: what it calls takes or gives ${actual} tensors, beside handles; ${expected} are needed`
  throw new LowbitError('FILE_INVALID', message, { operator: origin, expected, actual })
}

function wrongType({ origin }: FlatOperator, { name, dtype }: Value, actual: Dtype): LowbitError {
  const message = `${origin}: tensor "${name}" is declared ${dtype}, the subgraph gives ${actual}`
  return new LowbitError('FILE_INVALID', message, { operator: origin, tensor: name, expected: dtype, actual })
}

/** A run that must follow others of the model cannot do so on this thread. */
export function mustWait(): LowbitError {
  const message =
    'runSync: the model keeps state, and runs that go through JavaScript are in flight; await them first'
  return new LowbitError('OPTION_INVALID', message)
}
