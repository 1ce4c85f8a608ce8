// Training pictures that are never twice the same: mirrored, moved, with a piece cut out.

import { LowbitError } from '../../errors.js'
import { xorshift32 } from '../../numerics/random.js'

export interface Augmentation {
  /** Half of the pictures are mirrored, left to right. */
  readonly flip?: boolean
  /** Moved by up to so many pixels each way; what comes in is the picture's own edge, mirrored. */
  readonly shift?: number
  /** A square of so many pixels a side becomes 0, around a place anywhere in the picture (DeVries and Taylor 2017). */
  readonly cutout?: number
}

/** By name, for the command line. */
export const AUGMENTATIONS: Readonly<Record<string, Augmentation>> = {
  none: {},
  flip: { flip: true },
  standard: { flip: true, shift: 4 },
  shift: { shift: 2 },
  strong: { flip: true, shift: 4, cutout: 8 },
}

export interface PictureSize {
  readonly height: number
  readonly width: number
}

/** How one picture is changed. */
export interface Change {
  readonly isMirrored: boolean
  readonly down: number
  readonly right: number
  /** Rows and columns that become 0, the ends left out; empty where nothing is cut out. */
  readonly hole: {
    readonly top: number
    readonly left: number
    readonly bottom: number
    readonly right: number
  }
}

/** @throws {LowbitError} `OPTION_INVALID` for what does not fit the pictures. */
export function checkAugmentation(
  { shift = 0, cutout = 0 }: Augmentation,
  { height, width }: PictureSize,
): void {
  const most = Math.min(height, width) - 1
  for (const [name, value] of Object.entries({ shift, cutout })) {
    if (Number.isInteger(value) && value >= 0 && value <= most) continue
    const message = `augmentation: ${name} is ${value}, a whole number from 0 to ${most} expected for pictures of ${height} x ${width}`
    throw new LowbitError('OPTION_INVALID', message, { expected: most, actual: value })
  }
}

/** Drawn by the seed of one picture in one epoch, so that no state has to be kept. */
export function drawChange(augmentation: Augmentation, { height, width }: PictureSize, seed: number): Change {
  const { flip = false, shift = 0, cutout = 0 } = augmentation
  const next = xorshift32(seed)
  const whole = (low: number, high: number) => low + Math.floor((next() / 2 ** 32) * (high - low + 1))
  const isMirrored = whole(0, 1) === 1 && flip
  const [down, right] = [whole(-shift, shift), whole(-shift, shift)]
  const top = whole(0, height - 1) - (cutout >> 1)
  const left = whole(0, width - 1) - (cutout >> 1)
  return { isMirrored, down, right, hole: { top, left, bottom: top + cutout, right: left + cutout } }
}

/** Where a line of the changed picture comes from: mirrored at the edges without repeating them. */
export function sourceLine(line: number, moved: number, extent: number): number {
  const at = line - moved
  if (at < 0) return -at
  return at < extent ? at : 2 * (extent - 1) - at
}
