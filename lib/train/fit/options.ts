// What may be said of a training, its defaults, and what it tells.

import { LowbitError } from '../../errors.js'
import type { Augmentation } from '../data/augment.js'
import type { OptimizerName } from './optimizer.js'
import type { ScheduleName } from './schedule.js'

/** What decides the result: the same settings, data, machine and thread count give the same weights, bit for bit. */
export interface FitSettings {
  readonly epochs: number
  /** Examples a step; the last one of an epoch may have fewer. */
  readonly batch: number
  readonly optimizer: OptimizerName
  /** Of `sgd`, as Nesterov has it. */
  readonly momentum: number
  /** The highest one; the schedule goes down from there. */
  readonly learningRate: number
  readonly schedule: ScheduleName
  /** Epochs in which the learning rate rises from 0, a part of one too. */
  readonly warmup: number
  /** Of weights of two or more dimensions, times the learning rate (Loshchilov and Hutter 2019 for Adam). */
  readonly weightDecay: number
  /** Share of a label that all classes get. */
  readonly labelSmoothing: number
  readonly augmentation: Augmentation
  readonly seed: number
  /** Ends after so many epochs without a lower validation loss, and takes the best epoch's weights; 0: never. */
  readonly patience: number
}

export interface FitOptions extends Partial<FitSettings> {
  /** A folder; the state is written there after each epoch, every minute, and when the signal ends the work. */
  readonly checkpoint?: string
  /** Goes on from the checkpoint where there is one. */
  readonly resume?: boolean
  readonly signal?: AbortSignal
  readonly onStep?: (step: StepProgress) => void
  /** Told once the epoch's checkpoint is written. */
  readonly onEpoch?: (epoch: EpochRecord) => void
}

export interface StepProgress {
  /** From 1. */
  readonly epoch: number
  readonly epochs: number
  /** Batches of this epoch that are done. */
  readonly done: number
  readonly total: number
  /** Means of this epoch so far. */
  readonly loss: number
  readonly accuracy: number
  /** Of the whole training. */
  readonly secondsLeft: number
}

export interface EpochRecord {
  /** From 1. */
  readonly epoch: number
  /** Mean over the epoch's steps, while the weights changed. */
  readonly loss: number
  readonly accuracy: number
  readonly validationLoss: number
  readonly validationAccuracy: number
  /** Of the last step. */
  readonly learningRate: number
  readonly seconds: number
}

export interface History {
  readonly epochs: readonly EpochRecord[]
  /** Of the epoch whose weights the model has now. */
  readonly chosen: EpochRecord
  readonly stopped: 'done' | 'patience'
  readonly settings: FitSettings
}

export const DEFAULTS: FitSettings = {
  epochs: 5,
  batch: 32,
  optimizer: 'adam',
  momentum: 0.9,
  learningRate: 0.001,
  schedule: 'constant',
  warmup: 0,
  weightDecay: 0,
  labelSmoothing: 0,
  augmentation: {},
  seed: 1,
  patience: 0,
}

type Bound = readonly [fits: (value: number) => boolean, wanted: string]

const whole =
  (low: number) =>
  (value: number): boolean =>
    Number.isSafeInteger(value) && value >= low
const share = (value: number) => value >= 0 && value < 1
const real = (value: number) => Number.isFinite(value) && value >= 0

const BOUNDS: Readonly<Record<string, Bound>> = {
  epochs: [whole(1), 'a whole number from 1'],
  batch: [whole(1), 'a whole number from 1'],
  momentum: [share, 'a number from 0, below 1'],
  learningRate: [(value) => real(value) && value > 0, 'a number above 0'],
  warmup: [real, 'a number from 0'],
  weightDecay: [real, 'a number from 0'],
  labelSmoothing: [share, 'a number from 0, below 1'],
  seed: [whole(0), 'a whole number from 0'],
  patience: [whole(0), 'a whole number from 0'],
}

/** @throws {LowbitError} `OPTION_INVALID` for numbers out of their bounds. */
export function settingsOf(options: FitOptions): FitSettings {
  const settings = Object.fromEntries(
    Object.entries(DEFAULTS).map(([name, value]) => [name, options[name as keyof FitSettings] ?? value]),
  ) as unknown as FitSettings
  for (const [name, [fits, wanted]] of Object.entries(BOUNDS)) {
    const value = settings[name as keyof FitSettings] as number
    if (fits(value)) continue
    throw new LowbitError('OPTION_INVALID', `${name} is ${value}, ${wanted} expected`, { actual: value })
  }
  if (settings.warmup > settings.epochs) {
    const message = `warmup is ${settings.warmup} epochs of ${settings.epochs}; it must end before the training does`
    throw new LowbitError('OPTION_INVALID', message, { expected: settings.epochs, actual: settings.warmup })
  }
  return settings
}
