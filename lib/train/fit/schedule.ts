// How the learning rate goes from step to step.

import { LowbitError } from '../../errors.js'

/** Share of the highest learning rate, where `done` of the way after the warm-up lies behind. */
const SCHEDULES = {
  constant: () => 1,
  /** Loshchilov and Hutter 2017, "SGDR", without restarts. */
  cosine: (done: number) => 0.5 * (1 + Math.cos(Math.PI * done)),
  linear: (done: number) => 1 - done,
  /** A tenth after half of the way, a hundredth after three quarters (He et al. 2016, section 4.2). */
  step: (done: number) => (done < 0.5 ? 1 : done < 0.75 ? 0.1 : 0.01),
} as const

export type ScheduleName = keyof typeof SCHEDULES
export const SCHEDULE_NAMES = Object.keys(SCHEDULES) as readonly ScheduleName[]

export interface Course {
  readonly schedule: ScheduleName
  readonly learningRate: number
  /** In steps. */
  readonly warmup: number
  readonly steps: number
}

/** Of step `step`, from 0. */
export function learningRateAt({ schedule, learningRate, warmup, steps }: Course, step: number): number {
  const share = Object.hasOwn(SCHEDULES, schedule) ? SCHEDULES[schedule] : undefined
  if (share === undefined) {
    const message = `schedule: ${SCHEDULE_NAMES.join(', ')} expected, not ${schedule}`
    throw new LowbitError('OPTION_INVALID', message, { expected: SCHEDULE_NAMES, actual: schedule })
  }
  if (step < warmup) return (learningRate * (step + 1)) / Math.ceil(warmup)
  return learningRate * share((step - warmup) / Math.max(1, steps - warmup))
}
