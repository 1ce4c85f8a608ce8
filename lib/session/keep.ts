// Intermediate tensors that a run gives beside its outputs: which ones the caller means, and the result with them.

import { LowbitError } from '../errors.js'
import type { ModelFile } from '../model/model.js'
import type { Tensor } from '../tensor/tensor.js'

/** What a run with `keep` gives: the outputs, and the kept tensors by the names that were asked for. */
export type TensorsWithKept = Tensor[] & { readonly kept: Readonly<Record<string, Tensor>> }

/** @throws {LowbitError} `OPTION_INVALID`. */
export function keptNames(keep: unknown): readonly string[] {
  if (Array.isArray(keep) && keep.every((name) => typeof name === 'string')) return keep
  throw new LowbitError('OPTION_INVALID', 'keep: an array of names of tensors expected', { actual: keep })
}

/**
 * The tensors of subgraph 0 that are meant, in the order of their indices, each with the names that mean it. Of several
 * tensors of one name the first is meant; `#7` is the tensor of index 7 unless one has that name.
 *
 * @throws {LowbitError} `NAME_UNKNOWN` for a name that no tensor has, or a tensor that nothing computes.
 */
export function keptValues(
  file: ModelFile,
  names: readonly string[],
): ReadonlyMap<number, readonly string[]> {
  const { tensors = [], inputs = [], operators = [] } = file.subgraphs[0] ?? {}
  const indices = new Map(tensors.map(({ name }, index) => [name, index] as const).reverse())
  const computed = new Set([...inputs, ...operators.flatMap(({ outputs }) => outputs)])
  const found = new Map<number, string[]>()
  for (const name of new Set(names)) {
    const numbered = /^#(\d{1,9})$/.exec(name)?.[1]
    const index = (name === '' ? undefined : indices.get(name)) ?? Number(numbered ?? -1)
    const tensor = tensors[index]
    if (tensor === undefined) throw unknown(name, `the model has no tensor "${name}"`)
    if (!computed.has(index) && tensor.data === undefined) {
      throw unknown(name, `tensor "${name}" is computed by nothing in the main graph`)
    }
    found.set(index, [...(found.get(index) ?? []), name])
  }
  return new Map([...found].sort(([a], [b]) => a - b))
}

/** The last tensors as `kept`, each by its names. */
export function withKept(tensors: readonly Tensor[], names: readonly (readonly string[])[]): TensorsWithKept {
  const outputs = tensors.slice(0, tensors.length - names.length)
  const kept = names.flatMap((several, i) =>
    several.map((name) => [name, tensors[outputs.length + i] as Tensor] as const),
  )
  return Object.assign(outputs, { kept: Object.fromEntries(kept) })
}

function unknown(name: string, message: string): LowbitError {
  return new LowbitError('NAME_UNKNOWN', message, { tensor: name, actual: name })
}
