// Parsers of option values, shared by the commands. A value that does not fit is wrong usage (exit code 2).

import { InvalidArgumentError, Option } from 'commander'
import { MOST_THREADS } from '../session/options.js'

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

function realNumber(text: string): number {
  const value = NUMBER.test(text.trim()) ? Number(text) : Number.NaN
  if (!Number.isFinite(value)) throw new InvalidArgumentError('Expected a number.')
  return value
}

/** A whole number from `low` to `high`. */
export function wholeNumber(low: number, high: number) {
  return (text: string): number => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= low && value <= high)) {
      throw new InvalidArgumentError(`Expected a whole number from ${low} to ${high}.`)
    }
    return value
  }
}

/** A number above 0, at most `high`. */
export function positiveNumber(high: number) {
  return (text: string): number => {
    const value = realNumber(text)
    if (!(value > 0 && value <= high))
      throw new InvalidArgumentError(`Expected a number above 0, at most ${high}.`)
    return value
  }
}

/** A number from `low` to `high`. */
export function realFrom(low: number, high: number) {
  return (text: string): number => {
    const value = realNumber(text)
    if (!(value >= low && value <= high)) {
      throw new InvalidArgumentError(`Expected a number from ${low} to ${high}.`)
    }
    return value
  }
}

/** `127.5` or `123.7,116.3,103.5`: one number or one a channel. */
export function numberList(text: string): readonly number[] {
  return text.split(',').map(realNumber)
}

export const threadsOption = () =>
  new Option(
    '--threads <n>',
    'threads that work on one run (default: the cores this process may use)',
  ).argParser(wholeNumber(1, MOST_THREADS))

export const memoryOption = () =>
  new Option('--memory <how>', 'how much packed weights may take')
    .choices(['small', 'balanced', 'fast'])
    .default('balanced')

export const jsonOption = () => new Option('--json', 'print one JSON object instead of text')
