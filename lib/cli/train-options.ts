// What lowbit train may be told.

import { Command, InvalidArgumentError, Option } from 'commander'
import { FITS, type Fit } from '../data/resize.js'
import { AUGMENTATIONS } from '../train/data/augment.js'
import { DEFAULTS } from '../train/fit/options.js'
import { SCHEDULE_NAMES, type ScheduleName } from '../train/fit/schedule.js'
import { jsonOption, positiveNumber, realFrom, threadsOption, wholeNumber } from './options.js'

export interface TrainOptions {
  readonly data?: string
  readonly network?: string
  readonly activation: 'relu' | 'relu6'
  readonly size?: { readonly height: number; readonly width: number }
  readonly fit: Fit
  readonly epochs: number
  readonly batch: number
  readonly optimizer: 'adam' | 'sgd'
  readonly learningRate: number
  readonly schedule: ScheduleName
  readonly warmup: number
  readonly weightDecay: number
  readonly labelSmoothing: number
  readonly augment: string
  readonly validation?: number
  readonly patience: number
  readonly seed: number
  readonly threads?: number
  readonly checkpoint?: string
  readonly resume?: true
  readonly out?: string
  readonly qat?: string
  readonly qatEpochs: number
  readonly curves?: string
  readonly json?: true
}

const EXAMPLES = `
Examples:
  $ lowbit train cifar10 --data cifar-10-batches-bin --network classic --epochs 5
  $ lowbit train mnist --data mnist/ --network digits --json
  $ lowbit train photos/ --size 64x64 --network resnet8 --augment standard --checkpoint run/
  $ lowbit train photos/ --size 64x64 --network resnet8 --augment standard --checkpoint run/ --resume
  $ lowbit train data.mjs --patience 3 --validation 0.1 --curves curves.html

Data: cifar10 (binary batches) or mnist (idx files) with --data; a folder with a folder of pictures for each class, in
folders train and test or all together; a folder with x_train.npy, y_train.npy, x_test.npy, y_test.npy; or a module whose
default export is { shape, train, test }. The same command on the same machine gives the same weights.
Needs: npm install @tensorflow/tfjs-core @tensorflow/tfjs-layers @tensorflow/tfjs-backend-cpu`

/** `64x48`: height by width. */
function pictureSize(text: string) {
  const [, height, width] = /^(\d{1,4})x(\d{1,4})$/.exec(text) ?? []
  if (!(Number(height) > 0 && Number(width) > 0)) {
    throw new InvalidArgumentError('Expected height x width, as 64x64.')
  }
  return { height: Number(height), width: Number(width) }
}

const number = (flags: string, about: string, parse: (text: string) => number, value: number) =>
  new Option(flags, about).argParser(parse).default(value)

export function trainCommandLine(): Command {
  return new Command('train')
    .description('train a network that classifies')
    .argument('<data>', 'cifar10, mnist, a folder, or a JavaScript module')
    .option('--data <folder>', 'the files of cifar10 or mnist')
    .option(
      '--network <name>',
      'classic, digits, resnet8 or shipped, or a module (default: classic, for mnist digits)',
    )
    .addOption(
      new Option('--activation <name>', 'of the networks that have names')
        .choices(['relu', 'relu6'])
        .default('relu6'),
    )
    .addOption(
      new Option('--size <HxW>', 'of pictures in folders (default: that of the first one)').argParser(
        pictureSize,
      ),
    )
    .addOption(
      new Option('--fit <fit>', 'how pictures of other aspect ratios fit').choices(FITS).default('stretch'),
    )
    .addOption(
      number('--epochs <n>', 'times that all examples are seen', wholeNumber(1, 100_000), DEFAULTS.epochs),
    )
    .addOption(number('--batch <n>', 'examples a step', wholeNumber(1, 100_000), DEFAULTS.batch))
    .addOption(
      new Option('--optimizer <name>', 'sgd has momentum 0.9').choices(['adam', 'sgd']).default('adam'),
    )
    .addOption(number('--learning-rate <x>', 'the highest one', positiveNumber(1000), DEFAULTS.learningRate))
    .addOption(
      new Option('--schedule <name>', 'how the learning rate falls')
        .choices(SCHEDULE_NAMES)
        .default('constant'),
    )
    .addOption(
      number(
        '--warmup <epochs>',
        'epochs in which the learning rate rises',
        realFrom(0, 100_000),
        DEFAULTS.warmup,
      ),
    )
    .addOption(
      number('--weight-decay <x>', 'of weights, not of biases', realFrom(0, 1), DEFAULTS.weightDecay),
    )
    .addOption(
      number(
        '--label-smoothing <x>',
        'share of a label that all classes get',
        realFrom(0, 0.999),
        DEFAULTS.labelSmoothing,
      ),
    )
    .addOption(
      new Option(
        '--augment <name>',
        'changes of training pictures: flip mirrors, standard also moves by up to 4 pixels, strong also cuts out',
      )
        .choices(Object.keys(AUGMENTATIONS))
        .default('none'),
    )
    .addOption(
      new Option(
        '--validation <share>',
        'of the training examples, to measure epochs on (default: the test examples)',
      ).argParser(positiveNumber(0.9)),
    )
    .addOption(
      number(
        '--patience <n>',
        'ends after so many epochs without a lower validation loss; 0: never',
        wholeNumber(0, 100_000),
        DEFAULTS.patience,
      ),
    )
    .addOption(
      number('--seed <n>', 'draws weights, order and changes', wholeNumber(0, 999_999_999), DEFAULTS.seed),
    )
    .addOption(threadsOption())
    .option('--checkpoint <folder>', 'where the state is written, each epoch, each minute, and on Ctrl-C')
    .option('--resume', 'go on from the checkpoint, if there is one')
    .option('-o, --out <file>', 'where the .tflite file goes')
    .option('--qat <recipe>', 'quantisation-aware epochs afterwards: a preset, as int8, or a JSON file')
    .addOption(number('--qat-epochs <n>', 'how many', wholeNumber(1, 100_000), 2))
    .option('--curves <file>', 'loss and accuracy as .svg or .html (needs: npm install vega vega-lite)')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
}
