// All that keeps a model from running, for `lowbit inspect --strict`: every operator of every subgraph is looked at by
// itself, and the model as a whole.

import { LowbitError } from '../errors.js'
import { decode, defectsOf } from '../format/tflite/decode.js'
import { readMetadata } from '../format/tflite/metadata.js'
import { advance, graphOf, open } from '../graph/build.js'
import type { ModelFile, Subgraph } from '../model/model.js'
import { OPS_BY_NAME, OPS_BY_TYPE } from '../ops/registry.js'
import { lower } from '../plan/lower.js'
import { compile, sourceOf } from '../session/compile.js'
import type { LoadSettings } from '../session/options.js'
import { portOf } from '../session/tensor-data.js'
import { byteLength } from '../tensor/dtype.js'

/** One problem, as `--json` prints it. */
export interface Finding {
  readonly code: string
  readonly message: string
  /** `CONV_2D #12` */
  readonly operator?: string
  readonly tensor?: string
  /** Index of the subgraph; absent where the file as a whole is meant. */
  readonly subgraph?: number
}

/**
 * @returns `isReadable` is false if the file cannot be decoded; the findings are then its defects alone, since operators
 *   of a broken file mean nothing.
 */
export function findingsOf(
  bytes: Uint8Array,
  settings: LoadSettings,
): { isReadable: boolean; findings: readonly Finding[] } {
  let file: ModelFile
  try {
    file = decode(bytes)
  } catch (error) {
    if (!(error instanceof LowbitError)) throw error
    return { isReadable: false, findings: defectsOf(bytes).map(findingOf) }
  }
  const metadata = attempt(() => readMetadata(file, bytes))
  const parts = file.subgraphs.flatMap((subgraph, place) => subgraphFindings(file, subgraph, place, settings))
  const found = [...metadata, ...parts]
  const whole = attempt(() => compile(sourceOf(file, settings), { subgraph: 0 }).program.dispose())
  // What one operator by itself has shown is not said again of the whole.
  const fresh = whole.filter(({ code, operator }) =>
    found.every((one) => one.subgraph !== 0 || one.code !== code || one.operator !== operator),
  )
  return { isReadable: true, findings: [...found, ...fresh.map((one) => ({ ...one, subgraph: 0 }))] }
}

function subgraphFindings(
  file: ModelFile,
  graph: Subgraph,
  place: number,
  { limits }: LoadSettings,
): readonly Finding[] {
  const ends = [...new Set([...graph.inputs, ...graph.outputs])].flatMap((index) => {
    const tensor = graph.tensors[index]
    return tensor === undefined ? [] : attempt(() => portOf(tensor))
  })
  const foldable = foldableTensors(graph)
  const operators = graph.operators.flatMap(({ inputs }, only) =>
    attempt(() => {
      const options = { ops: OPS_BY_TYPE, only }
      const { nodes, end, stop } = advance(file, open(file, options, { subgraph: place }), options)
      // What a run decides on is planned in the run.
      if (stop !== undefined) return
      const built = graphOf(end, nodes)
      const isLarge = built.values.some(
        ({ dtype, shape, data }) => data === undefined && (byteLength(dtype, shape) ?? 0) > limits.memory,
      )
      // Tables may be as large as outputs; and what is folded before it is lowered cannot be lowered by itself.
      if (!isLarge && !inputs.some((index) => foldable.has(index))) lower(built, OPS_BY_NAME)
    }),
  )
  return [...ends, ...operators].map((finding) => ({ ...finding, subgraph: place }))
}

/** Computed tensors that depend on constants alone. */
function foldableTensors({ tensors, operators }: Subgraph): ReadonlySet<number> {
  const known = new Set<number>()
  for (const { inputs, outputs } of operators) {
    const isConstant = (index: number) => index < 0 || known.has(index) || tensors[index]?.data !== undefined
    if (inputs.every(isConstant)) for (const index of outputs) known.add(index)
  }
  return known
}

function attempt(look: () => unknown): readonly Finding[] {
  try {
    look()
    return []
  } catch (error) {
    return [findingOf(error)]
  }
}

/** @throws Whatever is no `LowbitError`. */
function findingOf(error: unknown): Finding {
  if (!(error instanceof LowbitError)) throw error
  const { code, message, operator, tensor } = error
  return {
    code,
    message,
    ...(operator !== undefined && { operator }),
    ...(tensor !== undefined && { tensor }),
  }
}
