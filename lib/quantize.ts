// The entry `lowbit/quantize`: a float model becomes an integer one.

export { type ErrorCode, LowbitError } from './errors.js'
export type { Progress, QuantizeOptions } from './quantize/options.js'
export { type QuantizeResult, quantize } from './quantize/quantize.js'
export type { Sample, Samples } from './quantize/read-samples.js'
export type {
  Change,
  Histogram,
  LayerReport,
  OutputReport,
  QuantizeReport,
  Range,
  RepairReport,
  WeightReport,
} from './quantize/report.js'
export { PRESETS, type PresetName } from './recipe/presets.js'
export { readRecipe } from './recipe/read.js'
export type {
  ActivationSettings,
  RangeMethod,
  Recipe,
  Repairs,
  Rule,
  WeightSettings,
} from './recipe/recipe.js'
export { RECIPE_SCHEMA } from './recipe/schema.js'
