// Draws a memory plan as text: one line a tensor, its place in the arena as a bar, its life in steps.

import { bytesText } from './units.js'

export interface ArenaTensor {
  readonly name: string
  readonly offset: number
  readonly bytes: number
  /** First and last step, as in the plan. */
  readonly life: readonly [number, number]
}

const shorten = (text: string, width: number) => (text.length <= width ? text : `…${text.slice(1 - width)}`)

/**
 * Lines of at most `width` characters: life, size, bar over the whole arena, name. A bar is at least one character.
 */
export function memoryChart(tensors: readonly ArenaTensor[], arenaBytes: number, width = 80): string {
  const lives = tensors.map(({ life: [first, last] }) => (first === last ? `${first}` : `${first}–${last}`))
  const sizes = tensors.map((t) => bytesText(t.bytes))
  const lifeWidth = Math.max(5, ...lives.map((s) => s.length))
  const sizeWidth = Math.max(4, ...sizes.map((s) => s.length))
  const rest = width - lifeWidth - sizeWidth - 8
  const barWidth = Math.max(16, Math.min(40, Math.floor(rest * 0.6)))
  const nameWidth = Math.max(8, rest - barWidth)
  const line = (life: string, size: string, bar: string, name: string) =>
    `${life.padStart(lifeWidth)}  ${size.padStart(sizeWidth)}  ${bar}  ${shorten(name, nameWidth)}`.trimEnd()
  const scale = arenaBytes > 0 ? barWidth / arenaBytes : 0
  const rows = tensors.map((t, i) => {
    const from = Math.min(barWidth - 1, Math.floor(t.offset * scale))
    const to = Math.min(barWidth, Math.max(from + 1, Math.round((t.offset + t.bytes) * scale)))
    const bar = `|${' '.repeat(from)}${'#'.repeat(to - from)}${' '.repeat(barWidth - to)}|`
    return line(lives[i] as string, sizes[i] as string, bar, t.name)
  })
  const scaleLine = `0${bytesText(arenaBytes).padStart(barWidth + 1)}`
  return [line('steps', 'size', scaleLine, 'tensor'), ...rows].join('\n')
}
