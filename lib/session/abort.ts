// Abort signals of runs: one listener a signal, however many runs share it. EventTarget warns of a leak when there are
// more than ten.

import type { AbortSignalLike } from './options.js'

interface Listening {
  readonly callbacks: Set<() => void>
  stop(): void
}

const listening = new WeakMap<AbortSignalLike, Listening>()

/**
 * Calls back once when the signal is aborted.
 *
 * @param callback A function of the caller's own for each call.
 * @returns A function that ends this. Without it the callback is held as long as the signal.
 */
export function onAbort(signal: AbortSignalLike, callback: () => void): () => void {
  const { callbacks, stop } = listening.get(signal) ?? listen(signal)
  callbacks.add(callback)
  return () => {
    if (callbacks.delete(callback) && callbacks.size === 0) stop()
  }
}

function listen(signal: AbortSignalLike): Listening {
  const callbacks = new Set<() => void>()
  const abort = () => {
    for (const callback of callbacks) callback()
  }
  const stop = () => {
    listening.delete(signal)
    signal.removeEventListener('abort', abort)
  }
  const made = { callbacks, stop }
  listening.set(signal, made)
  signal.addEventListener('abort', abort, { once: true })
  return made
}
