// Numbers for people: times, bytes, multiply-accumulates; three significant digits and a unit.

type Units = readonly (readonly [factor: number, unit: string])[]

const TIMES: Units = [
  [1000, 's'],
  [1, 'ms'],
  [0.001, 'µs'],
]
const BYTES: Units = [
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
]
const MACS: Units = [
  [1e9, 'GMAC'],
  [1e6, 'MMAC'],
  [1e3, 'kMAC'],
]

/** In the largest unit of which there is at least one; the smallest otherwise. */
function scaled(value: number, units: Units): string {
  const [factor, unit] = units.find(([least]) => value >= least) ?? (units.at(-1) as Units[number])
  const amount = value / factor
  return `${amount.toFixed(amount >= 100 ? 0 : amount >= 10 ? 1 : 2)} ${unit}`
}

/** A time given in milliseconds: `12.3 ms`, `48.1 µs`, `2.50 s`. */
export function timeText(ms: number): string {
  return scaled(ms, TIMES)
}

/** `340 B`, `96.0 KiB`, `1.25 MiB`. */
export function bytesText(bytes: number): string {
  return bytes < 1024 ? `${bytes} B` : scaled(bytes, BYTES)
}

/** Multiply-accumulates: `12.5 MMAC`. */
export function macsText(macs: number): string {
  return macs < 1000 ? `${macs} MAC` : scaled(macs, MACS)
}

/** 10^9 multiply-accumulates a second, for a time in milliseconds. */
export function gmacsPerSecond(macs: number, ms: number): number {
  return macs / ms / 1e6
}
