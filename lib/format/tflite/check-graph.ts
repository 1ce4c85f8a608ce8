// Checks that need more than one record of a model: who produces and reads each tensor, who calls which subgraph.

import { type ErrorFacts, LowbitError } from '../../errors.js'
import type { OperatorRecord, Subgraph } from '../../model/model.js'
import { tensorLabel } from './decode-tensor.js'
import { BUILTIN_OPERATORS } from './schema.js'
import { optionTable } from './schema-options.js'

function fail(message: string, facts: ErrorFacts = {}): LowbitError {
  return new LowbitError('FILE_INVALID', `file: ${message}`, facts)
}

function operatorLabel(operator: OperatorRecord, index: number): string {
  return `${operator.type} #${index}`
}

/**
 * Checks the flow of data in a subgraph: each tensor is a graph input, a constant, a variable or the output of exactly
 * one operator, which stands before all that read it; scales of the tensors in use are above zero.
 *
 * @param report Takes an error, `FILE_INVALID`, for each that is not so; it may throw.
 */
export function checkFlow(subgraph: Subgraph, place: number, report: (error: LowbitError) => void): void {
  const { tensors, inputs, outputs, operators } = subgraph
  const where = `subgraph ${place}`
  const label = (tensor: number) => tensorLabel(tensors[tensor]?.name ?? '', tensor)
  const ready = tensors.map((tensor) => tensor.data !== undefined || tensor.isVariable)
  // Found once a tensor, since many operators may read one with many scales.
  const wrongScales = tensors.map(({ quantization }) => quantization && wrongScale(quantization.scale))
  const checkScale = (index: number, facts: ErrorFacts) => {
    const wrong = wrongScales[index]
    if (wrong === undefined) return
    wrongScales[index] = undefined
    const message = `tensor ${label(index)}: a scale is ${wrong}, above 0 expected`
    report(fail(message, { ...facts, tensor: label(index) }))
  }

  const isInput = tensors.map(() => false)
  for (const tensor of inputs) {
    const facts = { tensor: label(tensor) }
    if (isInput[tensor]) report(fail(`${where}: tensor ${label(tensor)} is an input twice`, facts))
    if (tensors[tensor]?.data !== undefined) {
      report(fail(`${where}: input ${label(tensor)} has constant data`, facts))
    }
    checkScale(tensor, {})
    isInput[tensor] = true
    ready[tensor] = true
  }

  const producer = tensors.map((): string | undefined => undefined)
  for (const [index, operator] of operators.entries()) {
    const name = operatorLabel(operator, index)
    for (const tensor of operator.inputs) {
      if (tensor < 0) continue
      if (!ready[tensor]) {
        const facts = { operator: name, tensor: label(tensor) }
        report(fail(`${name}: input ${label(tensor)} is nowhere produced before it`, facts))
      }
      checkScale(tensor, { operator: name })
    }
    for (const tensor of operator.outputs) {
      const facts = { operator: name, tensor: label(tensor) }
      if (producer[tensor] !== undefined) {
        report(fail(`${name}: output ${label(tensor)} is already written by ${producer[tensor]}`, facts))
      }
      if (isInput[tensor]) report(fail(`${name}: output ${label(tensor)} is an input of ${where}`, facts))
      if (tensors[tensor]?.data !== undefined) {
        report(fail(`${name}: output ${label(tensor)} is a constant`, facts))
      }
      checkScale(tensor, { operator: name })
      producer[tensor] = name
      ready[tensor] = true
    }
  }

  for (const missing of new Set(outputs.filter((tensor) => !ready[tensor]))) {
    const message = `${where}: output ${label(missing)} is produced by no operator`
    report(fail(message, { tensor: label(missing) }))
  }
}

/**
 * The first that is not above zero. A scale is exactly if its bits, as an integer, are; of integers cut to 0..255 a search
 * that calls nothing finds a 0. A network has some ten thousand scales.
 */
function wrongScale(scale: Float32Array): number | undefined {
  const bits = new Int32Array(scale.buffer, scale.byteOffset, scale.length)
  return new Uint8ClampedArray(bits).includes(0) ? scale.find((value) => value <= 0) : undefined
}

/** Subgraphs that an operator calls. */
function calledSubgraphs(operator: OperatorRecord): readonly number[] {
  const name = BUILTIN_OPERATORS[operator.code]?.options
  const fields = (name === undefined ? undefined : optionTable(name))?.fields ?? []
  return fields
    .filter((field) => field.kind === 'subgraph' || field.kind === '[subgraph]')
    .flatMap((field) => (operator.options[field.name] ?? []) as number | readonly number[])
}

/**
 * Checks that no subgraph calls itself, straight or through others.
 *
 * @throws {LowbitError} `FILE_INVALID`.
 */
export function checkCalls(subgraphs: readonly Subgraph[]): void {
  const calls = subgraphs.map((subgraph) => [...new Set(subgraph.operators.flatMap(calledSubgraphs))])
  const callers = subgraphs.map(() => 0)
  for (const callee of calls.flat()) callers[callee] = (callers[callee] ?? 0) + 1
  // Kahn's topological order: whatever is never free of callers stands on a cycle, or is called from one.
  const free = callers.flatMap((count, place) => (count === 0 ? [place] : []))
  for (const place of free) {
    for (const callee of calls[place] ?? []) {
      const left = (callers[callee] ?? 0) - 1
      callers[callee] = left
      if (left === 0) free.push(callee)
    }
  }
  if (free.length < subgraphs.length) {
    const place = callers.findIndex((count) => count > 0)
    throw fail(`subgraph ${place} is part of a cycle of calls, or called from one`)
  }
}
