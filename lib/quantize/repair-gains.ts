// What each repair of a recipe gains: the model is built without any, then with one more at a time.

import { loadBinding } from '../native/load.js'
import type { Recipe, WeightSettings } from '../recipe/recipe.js'
import { openModel } from '../session/load.js'
import { loadSettings } from '../session/options.js'
import type { Session } from '../session/session.js'
import { build, type Work } from './build.js'
import { compareModels } from './compare-models.js'
import { Comparison } from './measure.js'
import { foldBatchNorm } from './repairs/fold-batch-norm.js'
import type { RepairReport } from './report.js'

interface Repair {
  readonly name: string
  /** The recipe without it; the same object if it has none. */
  readonly without: (recipe: Recipe) => Recipe
}

/** In the order in which they are done. */
const REPAIRS: readonly Repair[] = [
  {
    name: 'batch-norm folding',
    without: (recipe) =>
      recipe.repairs?.foldBatchNorm === false ? recipe : withRepairs(recipe, { foldBatchNorm: false }),
  },
  {
    name: 'cross-layer equalisation',
    without: (recipe) => (recipe.repairs?.equalise ? withRepairs(recipe, { equalise: false }) : recipe),
  },
  { name: 'clipping by squared error', without: (recipe) => withWeights(recipe, 'clip', 'max') },
  { name: 'adaptive rounding', without: (recipe) => withWeights(recipe, 'rounding', 'nearest') },
  {
    name: 'bias correction',
    without: (recipe) =>
      (recipe.repairs?.biasCorrection ?? 'none') === 'none'
        ? recipe
        : withRepairs(recipe, { biasCorrection: 'none' }),
  },
]

interface Quality {
  readonly sqnrDb: number | null
  /** Share of right answers, where labels are given. */
  readonly accuracy: number | undefined
}

/**
 * @param float The model as it was given.
 * @param bytes The model with all repairs.
 */
export async function repairGains(
  work: Work,
  float: Session,
  bytes: Uint8Array,
  labels: readonly number[] | undefined,
): Promise<readonly RepairReport[]> {
  const used = repairsOf(work)
  if (used.length === 0 || work.samples.length === 0) return []
  const qualities: Quality[] = []
  const onBuilt = work.during('repairs', used.length)
  for (let done = 0; done < used.length; done++) {
    const recipe = used.slice(done).reduce((left, { without }) => without(left), work.recipe)
    const quiet = { ...work, recipe, during: () => () => undefined }
    qualities.push(await qualityOf((await build(quiet)).bytes, quiet, float, labels))
    onBuilt(done + 1)
  }
  qualities.push(await qualityOf(bytes, work, float, labels))
  return used.map(({ name }, i) => reportOf(name, qualities[i] as Quality, qualities[i + 1] as Quality))
}

function repairsOf({ recipe, model }: Work): readonly Repair[] {
  const used = REPAIRS.filter(({ without }) => without(recipe) !== recipe)
  return foldBatchNorm(model.subgraphs[0]).folded > 0 ? used : used.filter((repair) => repair !== REPAIRS[0])
}

function reportOf(name: string, without: Quality, with_: Quality): RepairReport {
  return {
    name,
    sqnrDb: { without: without.sqnrDb, with: with_.sqnrDb },
    ...(without.accuracy !== undefined &&
      with_.accuracy !== undefined && { accuracy: { without: without.accuracy, with: with_.accuracy } }),
  }
}

async function qualityOf(
  bytes: Uint8Array,
  { samples, signal }: Work,
  float: Session,
  labels: readonly number[] | undefined,
): Promise<Quality> {
  const after = openModel(bytes, loadSettings({}, process.env, loadBinding().cpu()))
  try {
    const first = new Comparison({ min: 0, max: 0 })
    const models = { before: float, after }
    const accuracy = await compareModels(models, samples, [], [first], labels, { signal })
    return { sqnrDb: first.sqnrDb, accuracy: accuracy?.after }
  } finally {
    after.dispose()
  }
}

function withRepairs(recipe: Recipe, repairs: Recipe['repairs']): Recipe {
  return { ...recipe, repairs: { ...recipe.repairs, ...repairs } }
}

function withWeights<Key extends 'clip' | 'rounding'>(
  recipe: Recipe,
  key: Key,
  value: WeightSettings[Key],
): Recipe {
  const isUsed = ({ weights }: Recipe['rules'][number]) =>
    weights?.[key] !== undefined && weights[key] !== value
  if (!recipe.rules.some(isUsed)) return recipe
  return {
    ...recipe,
    rules: recipe.rules.map((rule) =>
      isUsed(rule) ? { ...rule, weights: { ...rule.weights, [key]: value } } : rule,
    ),
  }
}
