// The training loop. All that is random is drawn by the seed and by counters (epoch, example, step), never by a state:
// a run that goes on from a checkpoint draws what it would have drawn.

import type { LayersModel } from '@tensorflow/tfjs-layers'
import { LowbitError } from '../../errors.js'
import { mixedSeed } from '../../numerics/random.js'
import { elementCount } from '../../tensor/shape.js'
import { type Batches, batchesOf } from '../data/batches.js'
import { checkDataset, type Dataset } from '../data/dataset.js'
import { shuffled } from '../data/order.js'
import { type Identity, readCheckpoint, writeCheckpoint } from './checkpoint.js'
import { type Measure, measure } from './measure.js'
import { checkModel, Network } from './network.js'
import { optimizerOf } from './optimizer.js'
import { type EpochRecord, type FitOptions, type FitSettings, type History, settingsOf } from './options.js'
import { learningRateAt } from './schedule.js'
import { withSeed } from './seeded.js'

/** What a seed is drawn for. */
const SEEDS = { order: 1, augmentation: 2, step: 3 } as const
/** Milliseconds between two checkpoints within an epoch, and between two looks at signals. */
const [CHECKPOINT_PAUSE, BREATH] = [60_000, 50]

/**
 * Trains a model in place on the training examples, and measures each epoch on those of validation, or else of the test.
 *
 * @param model Gives logits, or probabilities where it ends in a softmax.
 * @throws {LowbitError} `OPTION_INVALID`, `SHAPE_MISMATCH`, `INPUT_COUNT` and others for what does not fit; `NOT_FINITE` for
 *   a loss that is no number any longer; the signal's reason, once a checkpoint is written.
 */
export async function fit(model: LayersModel, data: Dataset, options: FitOptions = {}): Promise<History> {
  return new Fit(model, checkDataset(data), options).run()
}

class Fit {
  readonly #options: FitOptions
  readonly #settings: FitSettings
  readonly #data: Dataset
  readonly #network: Network
  readonly #batches: Batches
  readonly #perEpoch: number
  readonly #identity: Identity
  readonly #inputs: Float32Array
  #history: EpochRecord[] = []
  #best: readonly Float32Array[] = []
  // Of the epoch under way.
  #batch = 0
  #sum = { loss: 0, right: 0, seconds: 0 }
  #since = 0
  #written = 0
  #breathed = 0

  constructor(model: LayersModel, data: Dataset, options: FitOptions) {
    checkModel(model, data)
    const settings = settingsOf(options)
    const { labels } = data.train
    this.#options = options
    this.#settings = settings
    this.#data = data
    this.#batches = batchesOf(data, data.train, settings.augmentation)
    this.#network = new Network(model, data, optimizerOf(settings), settings.labelSmoothing)
    this.#perEpoch = Math.ceil(labels.length / settings.batch)
    this.#inputs = new Float32Array(Math.min(settings.batch, labels.length) * elementCount(data.shape))
    this.#identity = {
      settings,
      data: { name: data.name, train: labels.length, shape: data.shape },
      lengths: this.#network.lengths,
    }
    learningRateAt(this.#course, 0) // knows the schedule's name
  }

  get #course() {
    const { schedule, learningRate, warmup, epochs } = this.#settings
    const perEpoch = this.#perEpoch
    return { schedule, learningRate, warmup: warmup * perEpoch, steps: epochs * perEpoch }
  }

  async run(): Promise<History> {
    await this.#resume()
    this.#written = performance.now()
    try {
      while (!this.#isOver) await this.#epoch()
    } catch (error) {
      // The work stops between two steps, where its state is whole.
      if (this.#options.signal?.aborted) await this.#save()
      throw error
    } finally {
      this.#network.dispose()
    }
    if (this.#best.length > 0) this.#network.setWeights(this.#best)
    const chosen = this.#settings.patience > 0 ? this.#bestRecord : this.#history.at(-1)
    return {
      epochs: this.#history,
      chosen: chosen as EpochRecord,
      stopped: this.#history.length < this.#settings.epochs ? 'patience' : 'done',
      settings: this.#settings,
    }
  }

  get #bestRecord(): EpochRecord | undefined {
    return this.#history.reduce<EpochRecord | undefined>(
      (best, one) => (best === undefined || one.validationLoss < best.validationLoss ? one : best),
      undefined,
    )
  }

  get #isOver(): boolean {
    const { epochs, patience } = this.#settings
    const done = this.#history.length
    return done >= epochs || (patience > 0 && done - (this.#bestRecord?.epoch ?? done) >= patience)
  }

  async #epoch(): Promise<void> {
    const { seed } = this.#settings
    const epoch = this.#history.length
    const order = shuffled(this.#data.train.labels.length, mixedSeed(seed, SEEDS.order, epoch))
    this.#since = performance.now()
    while (this.#batch < this.#perEpoch) {
      await this.#breathe()
      this.#step(order, epoch)
      this.#tell(epoch)
    }
    const validation = await this.#validate()
    const record = this.#end(epoch, validation)
    await this.#save()
    this.#options.onEpoch?.(record)
  }

  #step(order: Int32Array, epoch: number): void {
    const { batch, seed, weightDecay } = this.#settings
    const chosen = order.subarray(this.#batch * batch, (this.#batch + 1) * batch)
    const size = elementCount(this.#data.shape)
    const drawn = mixedSeed(seed, SEEDS.augmentation, epoch)
    for (let i = 0; i < chosen.length; i++)
      this.#batches.write(chosen[i] as number, this.#inputs, i * size, drawn)
    const number = epoch * this.#perEpoch + this.#batch
    const { loss, right } = withSeed(mixedSeed(seed, SEEDS.step, number), () =>
      this.#network.step({
        inputs: this.#inputs.subarray(0, chosen.length * size),
        labels: Int32Array.from(chosen, (one) => this.#data.train.labels[one] as number),
        learningRate: learningRateAt(this.#course, number),
        decay: weightDecay,
        step: number + 1,
      }),
    )
    this.#sum.loss += loss
    this.#sum.right += right
    this.#batch++
  }

  get #seen(): number {
    return Math.min(this.#batch * this.#settings.batch, this.#data.train.labels.length)
  }

  #tell(epoch: number): void {
    const { epochs } = this.#settings
    const total = this.#perEpoch
    const before = this.#history.reduce((sum, one) => sum + one.seconds, 0)
    const seconds = before + this.#sum.seconds + (performance.now() - this.#since) / 1000
    const done = epoch * total + this.#batch
    this.#options.onStep?.({
      epoch: epoch + 1,
      epochs,
      done: this.#batch,
      total,
      loss: this.#sum.loss / this.#seen,
      accuracy: this.#sum.right / this.#seen,
      secondsLeft: (seconds / done) * (epochs * total - done),
    })
  }

  /** Lets signals and timers in; ends the work where one says so. */
  async #breathe(): Promise<void> {
    const now = performance.now()
    if (now - this.#breathed < BREATH) return
    await new Promise((resolve) => setImmediate(resolve))
    this.#breathed = performance.now()
    this.#options.signal?.throwIfAborted()
    if (now - this.#written > CHECKPOINT_PAUSE) await this.#save()
  }

  #validate(): Promise<Measure> {
    const data = this.#data
    return measure(this.#network, data, data.validation ?? data.test, this.#options.signal)
  }

  #end(epoch: number, { loss, accuracy }: Measure): EpochRecord {
    const count = this.#data.train.labels.length
    const record: EpochRecord = {
      epoch: epoch + 1,
      loss: this.#sum.loss / count,
      accuracy: this.#sum.right / count,
      validationLoss: loss,
      validationAccuracy: accuracy,
      learningRate: learningRateAt(this.#course, (epoch + 1) * this.#perEpoch - 1),
      seconds: this.#sum.seconds + (performance.now() - this.#since) / 1000,
    }
    this.#history = [...this.#history, record]
    this.#batch = 0
    this.#sum = { loss: 0, right: 0, seconds: 0 }
    this.#since = performance.now()
    if (this.#settings.patience > 0 && this.#bestRecord === record) this.#best = this.#network.weights()
    return record
  }

  async #save(): Promise<void> {
    const { checkpoint } = this.#options
    if (checkpoint === undefined) return
    const { loss, right } = this.#sum
    const seconds = this.#sum.seconds + (performance.now() - this.#since) / 1000
    await writeCheckpoint(checkpoint, this.#identity, {
      progress: {
        batch: this.#batch,
        loss,
        right,
        seconds,
        history: this.#history,
      },
      arrays: [...this.#network.weights(), ...this.#network.slots(), ...this.#best],
    })
    this.#written = performance.now()
  }

  async #resume(): Promise<void> {
    const { checkpoint, resume } = this.#options
    if (resume !== true) return
    if (checkpoint === undefined) {
      throw new LowbitError('OPTION_INVALID', 'resume: the folder of the checkpoint expected (checkpoint)')
    }
    const found = await readCheckpoint(checkpoint, this.#identity)
    if (found === undefined) return
    const { progress, arrays } = found
    const weights = this.#network.weights().length
    const slots = this.#network.slots().length
    this.#network.setWeights(arrays.slice(0, weights))
    this.#network.setSlots(arrays.slice(weights, weights + slots))
    this.#best = arrays.slice(weights + slots)
    this.#history = [...progress.history]
    this.#batch = progress.batch
    this.#sum = { loss: progress.loss, right: progress.right, seconds: progress.seconds }
  }
}
