// The quantised model: the float one with codes in place of numbers, and conversions where the two meet.

import { LowbitError } from '../errors.js'
import { operatorCode } from '../format/tflite/schema.js'
import type { ModelFile, OperatorRecord, Quantization, Signature, TensorRecord } from '../model/model.js'
import { compact } from './compact.js'
import { codesOfConstant } from './constants.js'
import { codeOperands, type Form } from './forms.js'
import type { LayerTensors } from './layer-tensors.js'
import type { FloatModel, PlacedOperator } from './prepare.js'
import type { Affine, CodeType } from './rules.js'

export interface WriteOptions {
  readonly forms: readonly Form[]
  /** Codes that a tensor has in a type, for those that read it. */
  readonly codes: (tensor: number, type: CodeType) => Affine
  /** Codes that it goes through, from those in which it is made to `codes`. Default: those alone. */
  readonly made?: (tensor: number, type: CodeType) => readonly Affine[]
  /** Weights and bias of the operators that have them, by place among the operators. */
  readonly layers: ReadonlyMap<number, LayerTensors>
  readonly ports: 'integer' | 'float32'
}

/** Options that codes need. */
const INTEGER_OPTIONS: Readonly<Record<string, OperatorRecord['options']>> = {
  ADD: { potScaleInt16: false },
  SUB: { potScaleInt16: false },
  // The type of the accumulator; without any options LiteRT takes none for it.
  FULLY_CONNECTED: { quantizedBiasType: 0 },
}

/** How a tensor is kept: `float32`, or codes. */
type Codes = { readonly type: CodeType } & Affine
type Kept = 'float32' | Codes

export interface Written {
  readonly file: ModelFile
  /** Index of each computed tensor of the float model in the file that was written. */
  readonly tensors: ReadonlyMap<number, number>
}

export function write(model: FloatModel, options: WriteOptions): Written {
  return new Writer(model, options).write()
}

class Writer {
  readonly #model: FloatModel
  readonly #options: WriteOptions
  readonly #tensors: TensorRecord[]
  readonly #operators: OperatorRecord[] = []
  /** How each computed tensor is kept where it is made. */
  readonly #kept = new Map<number, Kept>()
  /** Other forms of tensors, by tensor and form. */
  readonly #forms = new Map<string, number>()
  /** Tensors in their last codes. */
  readonly #lasts = new Map<number, number>()

  constructor(model: FloatModel, options: WriteOptions) {
    this.#model = model
    this.#options = options
    this.#tensors = [...model.subgraphs[0].tensors]
  }

  write(): Written {
    const [main, ...others] = this.#model.subgraphs
    if (this.#options.ports === 'integer') for (const input of main.inputs) this.#quantizeInput(input)
    for (const [i, operator] of main.operators.entries()) this.#add(operator, i)
    const outputs = main.outputs.map((output) =>
      this.#options.ports === 'float32' ? this.#floatOutput(output) : this.#integerOutput(output),
    )
    const graph = { ...main, tensors: this.#tensors, operators: this.#operators, outputs }
    const moved = new Map(main.outputs.map((output, i) => [output, outputs[i] as number]))
    const file = {
      ...this.#model,
      subgraphs: [graph, ...others],
      signatures: this.#model.signatures.map((signature) => withOutputs(signature, moved)),
      metadata: this.#model.metadata.filter(({ name }) => name !== 'min_runtime_version'),
    }
    return compact(file)
  }

  /** The model takes codes itself where an integer operator is the first to read them. */
  #quantizeInput(input: number): void {
    const { operators, tensors } = this.#model.subgraphs[0]
    if (tensors[input]?.dtype !== 'float32') return
    const reader = operators.findIndex(({ inputs }) => inputs.includes(input))
    const form = this.#options.forms[reader]
    if (form?.kind === 'integer') this.#keepAsCodes(input, form.type)
  }

  #add(operator: PlacedOperator, i: number): void {
    const form = this.#options.forms[i] as Form
    const layer = this.#options.layers.get(i)
    if (form.kind === 'integer') this.#addInteger(operator, form, layer)
    else if (form.kind !== 'float') this.#addLayer(operator, form, layer)
    else
      this.#push(
        operator,
        operator.inputs.map((index) => this.#read(index, 'float32')),
      )
  }

  #addInteger(
    operator: PlacedOperator,
    { type, rule }: Extract<Form, { kind: 'integer' }>,
    layer: LayerTensors | undefined,
  ): void {
    const { tensors } = this.#model.subgraphs[0]
    const operands = codeOperands(operator, rule, tensors)
    const outputs = operator.outputs.filter((index) => tensors[index]?.dtype === 'float32')
    const target = rule.law === 'unite' ? outputs[0] : undefined
    const inputs = operator.inputs.map((index) =>
      operands.includes(index)
        ? this.#read(index, { type, ...this.#options.codes(target ?? index, type) })
        : index,
    )
    for (const output of outputs) this.#keepAsCodes(output, type)
    const options = { ...operator.options, ...INTEGER_OPTIONS[operator.type] }
    const version = Math.max(operator.version, rule.versions[type])
    if (rule.layer === undefined || layer === undefined) {
      this.#push({ ...operator, options, version }, inputs)
      return
    }
    inputs[rule.layer.weights] = this.#weights(layer)
    if (layer.bias !== undefined) inputs[rule.layer.bias] = this.#tensor(layer.bias)
    this.#push({ ...operator, options, version: Math.max(version, layer.version) }, inputs)
  }

  /** A layer whose activations stay float32: hybrid, or with weights that are widened before it. */
  #addLayer(
    operator: PlacedOperator,
    form: Extract<Form, { kind: 'dynamic' | 'stored' }>,
    layer: LayerTensors | undefined,
  ): void {
    if (layer === undefined) throw new LowbitError('INTERNAL', `${operator.type} without its weights`)
    const inputs = operator.inputs.map((index) => this.#read(index, 'float32'))
    const weights = this.#weights(layer)
    inputs[form.layer.weights] =
      form.kind === 'dynamic' ? weights : this.#convert(weights, 'float32', layer.version)
    if (layer.bias !== undefined) inputs[form.layer.bias] = this.#tensor(layer.bias)
    const version = form.kind === 'dynamic' ? Math.max(operator.version, layer.version) : operator.version
    const options = { ...operator.options, ...layer.options }
    this.#push({ ...operator, options, version }, inputs)
  }

  #push({ place: _, ...operator }: PlacedOperator, inputs: readonly number[]): void {
    this.#operators.push({ ...operator, inputs })
  }

  #keepAsCodes(tensor: number, type: CodeType): void {
    const codes: Codes = { type, ...(this.#path(tensor, type)[0] as Affine) }
    this.#kept.set(tensor, codes)
    const { quantization: _, ...record } = this.#tensors[tensor] as TensorRecord
    this.#tensors[tensor] = { ...record, dtype: type, quantization: quantizationOf(codes) }
  }

  /** The tensor in another form, converted where it is not kept so. */
  #read(tensor: number, form: Kept): number {
    const record = this.#tensors[tensor]
    if (record === undefined) return tensor
    const kept = this.#kept.get(tensor) ?? 'float32'
    if (keyOf(kept) === keyOf(form) || (kept === 'float32' && record.dtype !== 'float32')) return tensor
    const key = `${tensor} ${keyOf(form)}`
    const known = this.#forms.get(key)
    if (known !== undefined) return known
    const made =
      record.data !== undefined && form !== 'float32'
        ? this.#tensor(codesOfConstant(record, form))
        : this.#converted(tensor, kept, form)
    this.#forms.set(key, made)
    return made
  }

  #converted(tensor: number, kept: Kept, form: Kept): number {
    const type = form === 'float32' ? kept : form
    if (this.#options.made === undefined || type === 'float32') return this.#convert(tensor, form)
    const last = this.#finished(tensor, kept, type.type)
    const { dtype, quantization } = this.#tensors[last] as TensorRecord
    const isThere =
      form !== 'float32' &&
      dtype === form.type &&
      quantization?.scale[0] === form.scale &&
      quantization.zeroPoint[0] === form.zeroPoint
    return isThere ? last : this.#convert(last, form)
  }

  /** The tensor in its last codes, where it goes through several. */
  #finished(tensor: number, kept: Kept, type: CodeType): number {
    const path = this.#path(tensor, type)
    if (path.length === 1) return tensor
    const known = this.#lasts.get(tensor)
    if (known !== undefined) return known
    const steps = kept === 'float32' ? path : path.slice(1)
    const last = steps.reduce((at, codes) => this.#convert(at, { type, ...codes }), tensor)
    this.#lasts.set(tensor, last)
    return last
  }

  #path(tensor: number, type: CodeType): readonly Affine[] {
    return this.#options.made?.(tensor, type) ?? [this.#options.codes(tensor, type)]
  }

  #convert(tensor: number, form: Kept, version?: number): number {
    const { data: _, quantization: __, blockwise: ___, ...record } = this.#tensors[tensor] as TensorRecord
    const isWide = record.dtype === 'int16' || (form !== 'float32' && form.type === 'int16')
    const type = form === 'float32' ? 'float32' : form.type
    const converted = this.#tensor({
      ...record,
      name: `${record.name}_${type}`,
      dtype: type,
      ...(form !== 'float32' && { quantization: quantizationOf(form) }),
    })
    const kind = form === 'float32' ? 'DEQUANTIZE' : 'QUANTIZE'
    const needed = kind === 'DEQUANTIZE' ? (isWide ? 3 : 2) : isWide ? 2 : 1
    this.#operators.push({
      code: operatorCode(kind) as number,
      type: kind,
      version: version ?? needed,
      inputs: [tensor],
      outputs: [converted],
      intermediates: [],
      options: {},
    })
    return converted
  }

  /** An output of the model as float32, under the name that it has. */
  #floatOutput(output: number): number {
    return this.#kept.has(output) ? this.#namedAs(output, this.#read(output, 'float32')) : output
  }

  /** An output of the model in the codes that it is read in. */
  #integerOutput(output: number): number {
    const kept = this.#kept.get(output)
    if (kept === undefined || kept === 'float32') return output
    return this.#namedAs(output, this.#finished(output, kept, kept.type))
  }

  #namedAs(output: number, converted: number): number {
    if (converted === output) return output
    const [codes, real] = [this.#tensors[output] as TensorRecord, this.#tensors[converted] as TensorRecord]
    this.#tensors[output] = { ...codes, name: `${codes.name}_${codes.dtype}` }
    this.#tensors[converted] = { ...real, name: codes.name }
    return converted
  }

  #weights({ weights, blocks }: LayerTensors): number {
    if (blocks === undefined) return this.#tensor(weights)
    const scales = this.#tensor(blocks.scales)
    return this.#tensor({ ...weights, blockwise: { scales, zeroPoints: -1, blockSize: blocks.size } })
  }

  #tensor(record: TensorRecord): number {
    return this.#tensors.push(record) - 1
  }
}

function keyOf(form: Kept): string {
  return form === 'float32' ? form : `${form.type} ${form.scale} ${form.zeroPoint}`
}

function quantizationOf({ scale, zeroPoint }: Affine): Quantization {
  return { scale: Float32Array.of(scale), zeroPoint: Int32Array.of(zeroPoint), axis: 0 }
}

function withOutputs(signature: Signature, moved: ReadonlyMap<number, number>): Signature {
  if (signature.subgraph !== 0) return signature
  const outputs = signature.outputs.map(({ name, tensor }) => ({ name, tensor: moved.get(tensor) ?? tensor }))
  return { ...signature, outputs }
}
