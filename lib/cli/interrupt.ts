// Ctrl-C: the first one ends the work at hand in good order, a second one the process.

import { EXIT, Interrupted } from './failure.js'

/**
 * Calls `work` with a signal that Ctrl-C (or a polite kill) aborts, with an `Interrupted` as its reason.
 *
 * @param left What the message says of what was written until then.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  left = 'nothing was written',
): Promise<T> {
  const controller = new AbortController()
  const stop = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted)
    controller.abort(new Interrupted(`stopped by ${name}; ${left}`))
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  try {
    return await work(controller.signal)
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}
