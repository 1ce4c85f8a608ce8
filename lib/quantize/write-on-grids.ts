// The integer form of a float model whose grids are known: training found them, nothing is measured here.

import { LowbitError } from '../errors.js'
import type { ModelFile, TensorRecord } from '../model/model.js'
import { quantizeAffine } from '../numerics/affine.js'
import type { QuantizedRows } from './codes.js'
import { floatsOf } from './constants.js'
import { extremes } from './find-codes.js'
import { codeOperands, type Form, unfit } from './forms.js'
import type { LayerTensors } from './layer-tensors.js'
import { storedType } from './layer-weights.js'
import { maskConstants } from './masks.js'
import type { FloatModel, PlacedOperator } from './prepare.js'
import { floatLayer, withTensors } from './quantize-layers.js'
import { affineOf } from './ranges/affine.js'
import { type Affine, CODE_RANGES, OPERATOR_RULES, type OperatorRule } from './rules.js'
import { write } from './write.js'

/** real = scale * (code - zeroPoint), with signed codes of `bits` bits. */
export interface ActivationGrid extends Affine {
  readonly bits: number
}

/** Symmetric: real = scale * code. One scale, or one for each output channel. */
export interface WeightGrid {
  readonly bits: number
  readonly scales: Float32Array
}

/** By index of the tensor; undefined where no grid is known. */
export interface KnownGrids {
  readonly activation: (tensor: number) => ActivationGrid | undefined
  readonly weights: (tensor: number) => WeightGrid | undefined
}

/**
 * Writes a float model with int8 activations on known grids. An operator computes with integers if the grids of all that
 * it reads and gives are known, prescribed, or those of its input; else in float32, with its weights on their grid.
 *
 * Activations of fewer bits are kept as int8 and clamped to their codes by conversions (`narrowed`).
 *
 * @throws {LowbitError} `SHAPE_MISMATCH` for another number of scales than output channels.
 */
export function writeOnGrids(
  model: FloatModel,
  grids: KnownGrids,
  ports: 'integer' | 'float32' = 'integer',
): ModelFile {
  const [graph] = model.subgraphs
  const made = new MadeCodes(model, grids)
  const forms = graph.operators.map((operator) => made.formOf(operator))
  const layers = new Map<number, LayerTensors>()
  for (const [i, operator] of graph.operators.entries()) {
    const form = forms[i] as Form
    if (form.kind !== 'float') addLayer(model, { grids, made, layers }, operator, form, i)
  }
  const codes = (tensor: number) => made.of(tensor).at(-1) as Affine
  return write(model, { forms, codes, made: (tensor) => made.of(tensor), layers, ports }).file
}

/** The codes that each tensor has, found from the inputs on. */
class MadeCodes {
  readonly #tensors: readonly TensorRecord[]
  readonly #grids: KnownGrids
  readonly #masks: ReadonlySet<number>
  /** Codes that a tensor goes through: those in which it is made first, those in which it is read last. */
  readonly #codes = new Map<number, readonly Affine[]>()

  constructor({ subgraphs: [graph] }: FloatModel, grids: KnownGrids) {
    this.#tensors = graph.tensors
    this.#grids = grids
    this.#masks = maskConstants(graph)
    for (const input of graph.inputs) this.#takeGrid(input, false)
  }

  of(tensor: number): readonly Affine[] {
    const known = this.#codes.get(tensor)
    if (known !== undefined) return known
    const record = this.#tensors[tensor]
    if (record?.data === undefined) throw new LowbitError('INTERNAL', `tensor ${tensor} has no codes`)
    return [this.#ofConstant(tensor, record)]
  }

  formOf(operator: PlacedOperator): Form {
    const rule = OPERATOR_RULES[operator.type]
    const outputs = operator.outputs.filter((index) => this.#tensors[index]?.dtype === 'float32')
    const why = this.#whyFloat(operator, rule, outputs)
    if (rule !== undefined && why === undefined) {
      for (const output of outputs) this.#codes.set(output, this.#path(operator, rule, output))
      return { kind: 'integer', type: 'int8', rule }
    }
    for (const output of outputs) this.#takeGrid(output, false)
    const weights = operator.inputs[rule?.layer?.weights ?? -1] ?? -1
    if (rule?.layer !== undefined && this.#grids.weights(weights) !== undefined) {
      return { kind: 'stored', layer: rule.layer }
    }
    return { kind: 'float', why: why ?? '' }
  }

  #whyFloat(
    operator: PlacedOperator,
    rule: OperatorRule | undefined,
    outputs: readonly number[],
  ): string | undefined {
    if (rule === undefined || !rule.types.includes('int8'))
      return `no integer form of ${operator.type} is known`
    const why = unfit(operator, rule, this.#tensors)
    if (why !== undefined) return why
    const { layer } = rule
    if (layer !== undefined && this.#grids.weights(operator.inputs[layer.weights] ?? -1) === undefined) {
      return 'its weights have no grid'
    }
    for (const operand of codeOperands(operator, rule, this.#tensors)) {
      if (this.#masks.has(operand)) return 'it works on a mask'
      if (!this.#codes.has(operand) && this.#tensors[operand]?.data === undefined)
        return 'an input has no grid'
    }
    const isFree = rule.law === 'free' || rule.law === 'unite'
    if (isFree && outputs.some((output) => this.#grids.activation(output) === undefined))
      return 'its output has no grid'
    return undefined
  }

  /** The codes of an integer operator's output, from those in which it is made. */
  #path(operator: PlacedOperator, { law, fixed }: OperatorRule, output: number): readonly Affine[] {
    const grid = this.#grids.activation(output)
    const isClamped = Number(operator.options['fusedActivationFunction'] ?? 0) !== 0
    if (law === 'free') return narrowed(grid as ActivationGrid, isClamped)
    const operands = codeOperands(operator, OPERATOR_RULES[operator.type] as OperatorRule, this.#tensors)
    if (law === 'unite') return this.#unitedPath(operands, grid as ActivationGrid)
    const [input = -1] = operands
    const start = law === 'fixed' ? (fixed?.int8 as Affine) : (this.of(input).at(-1) as Affine)
    // Prescribed codes are as good as any others of 8 bits.
    if (grid === undefined || (law === 'fixed' && grid.bits === 8)) return [start]
    const path = narrowed(grid, false)
    return isSame(start, path.at(-1) as Affine) ? [start] : [start, ...path]
  }

  /** Operands are converted to the codes that the output is read in, so that it is made in them. */
  #unitedPath(operands: readonly number[], grid: ActivationGrid): readonly Affine[] {
    const path = narrowed(grid, false)
    const last = path.at(-1) as Affine
    const isConverted = operands.some((operand) => !isSame(this.of(operand).at(-1) as Affine, last))
    return grid.bits < 8 && isConverted ? [last, ...path] : [last]
  }

  #takeGrid(tensor: number, isClamped: boolean): void {
    const grid = this.#grids.activation(tensor)
    if (grid !== undefined) this.#codes.set(tensor, narrowed(grid, isClamped))
  }

  /** Of a table its own grid, if it is one for all; else such that its numbers are covered. */
  #ofConstant(tensor: number, record: TensorRecord): Affine {
    const grid = this.#grids.weights(tensor)
    if (grid?.scales.length === 1) return { scale: grid.scales[0] as number, zeroPoint: 0 }
    return affineOf(extremes(floatsOf(record)), 'int8', 'asymmetric')
  }
}

const isSame = (a: Affine, b: Affine) => a.scale === b.scale && a.zeroPoint === b.zeroPoint

/**
 * How the codes of a grid are had in int8. With 8 bits they are it. With fewer the highest code is put on 127, so that
 * what is above is clamped as the tensor is made; a conversion that changes the zero point alone then puts the lowest
 * on -128, and clamps what is below. It is exact: its factor is 1.
 *
 * @param isClamped Whether the operator clamps at zero itself.
 */
function narrowed({ bits, scale, zeroPoint }: ActivationGrid, isClamped: boolean): readonly Affine[] {
  if (bits === 8) return [{ scale, zeroPoint }]
  const [low, high] = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1]
  const { int8 } = CODE_RANGES
  const above = { scale, zeroPoint: zeroPoint + int8.high - high }
  if (isClamped && zeroPoint === low) return [above]
  return [above, { scale, zeroPoint: zeroPoint + int8.low - low }]
}

interface Layers {
  readonly grids: KnownGrids
  readonly made: MadeCodes
  readonly layers: Map<number, LayerTensors>
}

function addLayer(
  { subgraphs: [graph] }: FloatModel,
  { grids, made, layers }: Layers,
  operator: PlacedOperator,
  form: Exclude<Form, { kind: 'float' }>,
  i: number,
): void {
  const operands = form.kind === 'integer' ? form.rule.layer : form.layer
  if (operands === undefined) return
  const grid = grids.weights(operator.inputs[operands.weights] ?? -1) as WeightGrid
  const { layer, values } = floatLayer(graph, operator, form, operands)
  const rows = onGrid(values, layer.layout, grid, layer.weights.name)
  const type = storedType({ bits: grid.bits, method: 'uniform' }, operator.type, form)
  const input = operator.inputs[operands.input] as number
  const scale = form.kind === 'integer' ? (made.of(input).at(-1) as Affine).scale : undefined
  const { tensors } = withTensors({
    layer,
    values,
    rows: { ...rows, type },
    ...(scale !== undefined && { inputScale: scale }),
  })
  layers.set(i, tensors)
}

/** Codes of weights, nearest, halves away from zero. Of 8 bits the lowest is left out, as TFLite asks for it. */
function onGrid(
  values: Float32Array,
  { rows, columns }: { readonly rows: number; readonly columns: number },
  { bits, scales }: WeightGrid,
  name: string,
): Omit<QuantizedRows, 'type'> {
  if (scales.length !== 1 && scales.length !== rows) {
    const message = `weights "${name}": 1 scale expected or one for each of ${rows} output channels, ${scales.length} given`
    throw new LowbitError('SHAPE_MISMATCH', message, { tensor: name, expected: rows, actual: scales.length })
  }
  const high = 2 ** (bits - 1) - 1
  const low = bits === 8 ? -high : -high - 1
  const codes = new Int8Array(values.length)
  const perScale = values.length / scales.length
  for (const [i, scale] of scales.entries()) {
    const part = [i * perScale, (i + 1) * perScale] as const
    quantizeAffine(values.subarray(...part), { scale, zeroPoint: 0, low, high }, codes.subarray(...part))
  }
  return { codes, rows, columns, scale: scales, zeroPoint: new Int32Array(scales.length) }
}
