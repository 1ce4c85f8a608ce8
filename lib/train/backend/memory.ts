// Arrays of results, taken again when a tensor is disposed of: fresh memory costs more than most kernels.

/** At most so many bytes wait for their next use. */
const MOST_BYTES = 512 * 2 ** 20

export class ArrayPool {
  /** Arrays in use that may come back. */
  readonly #lent = new WeakSet<ArrayBufferLike>()
  readonly #free = new Map<number, Float32Array[]>()
  /** Arrays that work to be done later reads, how often, and whether they were given back meanwhile. */
  readonly #held = new Map<unknown, { count: number; isGiven: boolean }>()
  readonly #mostBytes: number
  #bytes = 0

  constructor(mostBytes = MOST_BYTES) {
    this.#mostBytes = mostBytes
  }

  /** What waits. */
  get bytes(): number {
    return this.#bytes
  }

  /** An array of `length` elements, whatever they are. */
  take(length: number): Float32Array<ArrayBuffer> {
    const array = this.#free.get(length)?.pop() as Float32Array<ArrayBuffer> | undefined
    if (array !== undefined) this.#bytes -= array.byteLength
    const given = array ?? new Float32Array(length)
    this.#lent.add(given.buffer)
    return given
  }

  /** Lets go of all that waits. */
  clear(): void {
    this.#free.clear()
    this.#bytes = 0
  }

  /** The memory is seen from elsewhere: it must not be taken again. */
  keep(array: unknown): void {
    if (ArrayBuffer.isView(array)) this.#lent.delete(array.buffer)
  }

  /** The array stays as it is until it is released as often. */
  hold(array: unknown): void {
    const held = this.#held.get(array)
    if (held) held.count++
    else this.#held.set(array, { count: 1, isGiven: false })
  }

  release(array: unknown): void {
    const held = this.#held.get(array)
    if (held === undefined || --held.count > 0) return
    this.#held.delete(array)
    if (held.isGiven) this.give(array)
  }

  /** Nobody sees the array any longer. One that the pool did not give, or that was kept, is left to the collector. */
  give(array: unknown): void {
    const held = this.#held.get(array)
    if (held) {
      held.isGiven = true
      return
    }
    if (!(array instanceof Float32Array) || !this.#lent.delete(array.buffer)) return
    if (this.#bytes + array.byteLength > this.#mostBytes) return
    const free = this.#free.get(array.length)
    if (free) free.push(array)
    else this.#free.set(array.length, [array])
    this.#bytes += array.byteLength
  }
}
