// Tensors that must have the same codes: groups of them, and what decides on the codes of each.

import type { ActivationSettings } from '../recipe/recipe.js'
import type { Settings } from '../recipe/resolve.js'
import { codeOperands, type Form } from './forms.js'
import type { FloatGraph } from './prepare.js'
import type { Affine, CodeType } from './rules.js'

export interface Group {
  /** Computed tensors whose ranges together are the group's, and how they are to be found. */
  readonly observed: Map<number, ActivationSettings>
  /** Constants that operators need in the same codes. */
  readonly constants: Set<number>
  /** Where an operator prescribes the codes of its output. */
  fixed?: Partial<Readonly<Record<CodeType, Affine>>>
}

/** The group of each float32 tensor that some operator reads or writes as codes; constants have groups of their own. */
export function groupTensors(
  graph: FloatGraph,
  forms: readonly Form[],
  settings: readonly Settings[],
): ReadonlyMap<number, Group> {
  const groups = new Map<number, Group>()
  const { tensors, operators } = graph
  const groupOf = (tensor: number, activations: ActivationSettings, isObserved = true) => {
    let group = groups.get(tensor)
    if (group === undefined) {
      group = { observed: new Map(), constants: new Set() }
      groups.set(tensor, group)
      if (tensors[tensor]?.data !== undefined) group.constants.add(tensor)
      else if (isObserved) group.observed.set(tensor, activations)
    }
    return group
  }
  const join = (into: Group, from: Group) => {
    for (const [tensor, activations] of from.observed) into.observed.set(tensor, activations)
    for (const tensor of from.constants) into.constants.add(tensor)
    for (const [tensor, group] of groups) if (group === from) groups.set(tensor, into)
  }

  for (const [i, operator] of operators.entries()) {
    const form = forms[i] as Form
    if (form.kind !== 'integer') continue
    const { activations } = settings[i] as Settings
    const operands = codeOperands(operator, form.rule, tensors)
    const outputs = operator.outputs.filter((index) => tensors[index]?.dtype === 'float32')
    const from = operands.map((tensor) => groupOf(tensor, activations))
    const { law, fixed } = form.rule
    if (law === 'follow') {
      // Their values are some of the input's, or lie between them.
      for (const output of outputs) groups.set(output, from[0] as Group)
      continue
    }
    const to = outputs.map((tensor) => groupOf(tensor, activations))
    if (law === 'fixed' && fixed !== undefined) {
      for (const group of to) group.fixed = fixed
    }
    if (law === 'unite') unite(to[0] as Group, operands, groups, join, tensors)
  }
  return groups
}

function unite(
  group: Group,
  operands: readonly number[],
  groups: Map<number, Group>,
  join: (into: Group, from: Group) => void,
  tensors: FloatGraph['tensors'],
): void {
  for (const operand of operands) {
    const from = groups.get(operand) as Group
    // A constant that several operators read has other codes for each.
    if (tensors[operand]?.data !== undefined) group.constants.add(operand)
    // Prescribed codes are converted before the operator.
    else if (from !== group && from.fixed === undefined) join(group, from)
  }
}
