// Which tensors are laid on a grid, and which share one: the law of `quantize` (`lib/quantize/rules.ts`), on a network.

import { type Affine, OPERATOR_RULES } from '../../quantize/rules.js'
import type { ActivationSettings } from '../../recipe/recipe.js'
import { CLAMPS, type Network, type Node } from './network.js'
import type { NodeSettings } from './settings.js'

/** Tensors that share a grid. */
export interface Group {
  /** Of the first node that it has. */
  readonly name: string
  readonly activations: ActivationSettings
  /** Where the operator prescribes the grid. */
  readonly prescribed?: Affine
  readonly isInput: boolean
  /** Whether nothing is below zero. */
  readonly isRectified: boolean
  /** Nodes whose outputs are laid on the grid; the others of the group are on it already. */
  readonly points: Set<string>
}

/** Operators that compute new numbers on the grid of their input; others of that law only move some. */
const AVERAGING = new Set(['AVERAGE_POOL_2D', 'RESIZE_BILINEAR'])
/** Operators of a file that clamp their results, besides those with weights. */
const CLAMPING = new Set(['ADD', 'MUL'])

/** The group of the output of each node that has a grid. */
export function placeQuantizers(
  { nodes, outputs }: Network,
  settings: ReadonlyMap<string, NodeSettings>,
): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>()
  for (const node of nodes) {
    const readers = nodes.filter(({ inputs }) => inputs.includes(node.name))
    const place = new Place(node, readers, outputs.includes(node.name), settings, groups)
    const group = place.group()
    if (group !== undefined) groups.set(node.name, group)
  }
  return groups
}

class Place {
  readonly #node: Node
  readonly #readers: readonly Node[]
  readonly #isOutput: boolean
  readonly #settings: ReadonlyMap<string, NodeSettings>
  readonly #groups: Map<string, Group>

  constructor(
    node: Node,
    readers: readonly Node[],
    isOutput: boolean,
    settings: ReadonlyMap<string, NodeSettings>,
    groups: Map<string, Group>,
  ) {
    this.#node = node
    this.#readers = readers
    this.#isOutput = isOutput
    this.#settings = settings
    this.#groups = groups
  }

  group(): Group | undefined {
    const { operator = '', type, inputs } = this.#node
    const from = inputs.map((name) => this.#groups.get(name))
    if (type === 'InputLayer') return this.#isRead() ? this.#own(true) : undefined
    if (OPERATOR_RULES[operator] === undefined) return from[0] // computes nothing in a file
    if (this.#skips(this.#node)) return this.#isRead() ? this.#own(true) : undefined
    const { law, fixed } = OPERATOR_RULES[operator]
    if (law === 'follow') return this.#follow(from[0])
    if (law === 'unite') return this.#unite(from)
    // What a model gives at its end in a prescribed grid is rounded by the file alone: the loss sees real numbers.
    if (law === 'fixed') return this.#own(!this.#isOutput, fixed?.int8)
    return this.#isClampedByReader() ? undefined : this.#own(true)
  }

  #skips({ name }: Node): boolean {
    return this.#settings.get(name)?.skip ?? false
  }

  /** Whether something reads codes. */
  #isRead(): boolean {
    return this.#readers.some((reader) => !this.#skips(reader))
  }

  #own(isPoint: boolean, prescribed?: Affine): Group {
    const { name, type, operator, config } = this.#node
    const { activations } = this.#settings.get(name) as NodeSettings
    return {
      name,
      activations,
      ...(prescribed && { prescribed }),
      isInput: type === 'InputLayer',
      isRectified: CLAMPS.has(operator) || String(config['activation']).startsWith('relu'),
      points: new Set(isPoint ? [name] : []),
    }
  }

  #follow(from: Group | undefined): Group {
    if (from === undefined) return this.#own(true)
    if (AVERAGING.has(this.#node.operator as string)) from.points.add(this.#node.name)
    return from
  }

  /** Operands and the output share a grid; what is on a prescribed one is converted. */
  #unite(from: readonly (Group | undefined)[]): Group {
    const free = new Set(from.filter((group) => group !== undefined && group.prescribed === undefined))
    const [first, ...others] = free as Set<Group>
    const group = first ?? this.#own(true)
    for (const other of others) {
      for (const point of other.points) group.points.add(point)
      for (const [name, one] of this.#groups) if (one === other) this.#groups.set(name, group)
    }
    if (from.some((one) => one === undefined || one.prescribed !== undefined))
      group.points.add(this.#node.name)
    return group
  }

  /** A clamp behind it is part of the operator: its output never is a tensor of the file. */
  #isClampedByReader(): boolean {
    const { operator = '', weights, config } = this.#node
    const [reader] = this.#readers
    if (reader === undefined || this.#readers.length > 1 || this.#isOutput || this.#skips(reader))
      return false
    const isLinear = weights !== undefined && (config['activation'] ?? 'linear') === 'linear'
    return CLAMPS.has(reader.operator) && (isLinear || CLAMPING.has(operator))
  }
}
