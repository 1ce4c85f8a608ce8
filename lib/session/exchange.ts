// Small inputs and outputs on their way through memory that native code knows: what Node says of an array costs native code
// more time than such an array takes to copy.

import type { NativeExchange, NativeProgram } from '../native/binding.js'
import type { TypedArray } from '../tensor/dtype.js'
import { lengthOf, type Port } from './tensor-data.js'

/** Bytes of all inputs and outputs up to which it pays. */
const MOST_BYTES = 16384
const ALIGNMENT = 64

export class Exchange {
  readonly #native: NativeExchange
  readonly #inputs: readonly TypedArray[]
  readonly #outputs: readonly TypedArray[]

  private constructor(native: NativeExchange, inputs: readonly Port[], outputs: readonly Port[]) {
    let offset = 0
    const viewOf = (port: Port) => {
      const view = port.create(native.buffer, offset)
      offset += aligned(view.byteLength)
      return view
    }
    this.#native = native
    this.#inputs = inputs.map(viewOf)
    this.#outputs = outputs.map(viewOf)
  }

  /** Undefined where the arrays of callers are not what native code takes, or large. */
  static of(program: NativeProgram, inputs: readonly Port[], outputs: readonly Port[]): Exchange | undefined {
    const ports = [...inputs, ...outputs]
    const bytes = ports.reduce((sum, port) => sum + aligned(port.bytes), 0)
    if (bytes > MOST_BYTES || ports.some(({ packed }) => packed !== undefined)) return undefined
    const native = program.exchange()
    return native && new Exchange(native, inputs, outputs)
  }

  /**
   * Runs with arrays that were checked. False, and nothing is done, where one of them has another length by now: getters
   * of the caller's may have detached it.
   */
  run(inputs: readonly TypedArray[], outputs: readonly TypedArray[]): boolean {
    if (!haveLengths(this.#inputs, inputs) || !haveLengths(this.#outputs, outputs)) return false
    for (let i = 0; i < inputs.length; i++) copy(inputs[i], this.#inputs[i])
    this.#native.run()
    for (let i = 0; i < outputs.length; i++) copy(this.#outputs[i], outputs[i])
    return true
  }
}

const aligned = (bytes: number) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT

/** Both are arrays of one class. */
const copy = (from: TypedArray | undefined, to: TypedArray | undefined) =>
  (to as Int8Array).set(from as Int8Array)

function haveLengths(ours: readonly TypedArray[], theirs: readonly TypedArray[]): boolean {
  for (let i = 0; i < ours.length; i++) if (lengthOf(theirs[i]) !== ours[i]?.length) return false
  return true
}
