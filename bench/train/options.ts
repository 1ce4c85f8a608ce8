// The options of npm run bench:train.

import { parseArgs } from 'node:util'
import { WrongUsage } from '#bench/peers/options.js'

export const CONTENDERS = [
  'lowbit',
  'lowbit-int8',
  'lowbit-layers',
  'tfjs',
  'torch',
  'torch-fast',
  'tensorflow',
] as const
export type ContenderName = (typeof CONTENDERS)[number]

export interface Options {
  readonly contenders: readonly ContenderName[]
  readonly threads: number
  readonly batch: number
  readonly rounds: number
  readonly seconds: number
  readonly warmUp: number
  /** Looks at memory, after so many steps each. */
  readonly epochs: number
  readonly steps: number
  readonly most: number
  readonly python: string | undefined
  readonly json: boolean
  readonly help: boolean
}

export const HELP = `npm run bench:train -- [options]: times a step of training in lowbit and others, in turn

The network is Conv 32, pool, conv 64, pool, dense 64, dense 10 on pictures of 32 x 32 x 3, with Adam and softmax cross-entropy.

  --contenders A,B  lowbit (the step of fit), lowbit-int8 (quantisation-aware), lowbit-layers (trainOnBatch),
                    torch, torch-fast (channels last, fused Adam), tensorflow; tfjs (its own backend: seconds a step)
                    only where it is named
  --python FILE     Python with torch or tensorflow (LOWBIT_BENCH_PYTHON); without it nobody else is timed
  --threads N       threads of each (2)
  --batch N         pictures a step (32)
  --rounds N        rounds of all contenders in turn (3); 0: no times
  --seconds S       how long a contender is timed in a round (2)
  --warm-up S       how long it runs before (0.5)
  --epochs N        epochs after which memory is looked at, in float and in int8 (2); 0: not at all
  --steps N         steps of such an epoch (1563)
  --most R          exit code 1 where lowbit takes more than R times the time of the faster PyTorch (1.3)
  --json            the results as JSON instead of tables
  --help

Exit code 1 also where losses differ, or memory is not flat; 2 for a wrong command line.
`

function values(args: readonly string[]) {
  const text = (value: string) => ({ type: 'string', default: value }) as const
  try {
    return parseArgs({
      args: [...args],
      options: {
        contenders: text(CONTENDERS.filter((name) => name !== 'tfjs').join(',')),
        python: { type: 'string' },
        threads: text('2'),
        batch: text('32'),
        rounds: text('3'),
        seconds: text('2'),
        'warm-up': text('0.5'),
        epochs: text('2'),
        steps: text('1563'),
        most: text('1.3'),
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new WrongUsage((error as Error).message)
  }
}

function number(name: string, text: string, least: number, isWhole: boolean): number {
  const value = text === '' ? Number.NaN : Number(text)
  if (value >= least && Number.isFinite(value) && (!isWhole || Number.isInteger(value))) return value
  throw new WrongUsage(`--${name} is ${isWhole ? 'a whole' : 'a'} number of at least ${least}, not "${text}"`)
}

function contenderOf(name: string): ContenderName {
  const found = CONTENDERS.find((one) => one === name)
  if (found === undefined) throw new WrongUsage(`--contenders are ${CONTENDERS.join(', ')}, not "${name}"`)
  return found
}

/** @throws {WrongUsage} */
export function parseOptions(args: readonly string[], environment: NodeJS.ProcessEnv = process.env): Options {
  const v = values(args)
  const python = v.python ?? environment['LOWBIT_BENCH_PYTHON']
  const contenders = v.contenders.split(',').map(contenderOf)
  if (!contenders.includes('lowbit'))
    throw new WrongUsage('--contenders: "lowbit" is what others are compared with')
  return {
    contenders,
    python: python === '' ? undefined : python,
    threads: number('threads', v.threads, 1, true),
    batch: number('batch', v.batch, 1, true),
    rounds: number('rounds', v.rounds, 0, true),
    seconds: number('seconds', v.seconds, 0, false),
    warmUp: number('warm-up', v['warm-up'], 0, false),
    epochs: number('epochs', v.epochs, 0, true),
    steps: number('steps', v.steps, 1, true),
    most: number('most', v.most, 0, false),
    json: v.json,
    help: v.help,
  }
}
