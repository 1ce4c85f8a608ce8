// An inspection as text: facts, operators, tensors, the memory plan.

import { memoryChart } from '../report/memory-chart.js'
import { facts, table } from '../report/table.js'
import { bytesText, macsText } from '../report/units.js'
import { shapeText } from '../tensor/shape.js'
import type { Finding } from './inspect-findings.js'
import type { InspectedTensor, Inspection } from './inspect-model.js'
import { heading } from './output.js'

export function inspectText(inspection: Inspection, width: number): string {
  const { run } = inspection
  const sections = [
    factsText(inspection),
    `${heading('Operators')}\n${operatorsText(inspection, width)}`,
    `${heading('Tensors')}\n${tensorsText(inspection, width)}`,
  ]
  if (run) {
    const chart = memoryChart(run.arena, run.memory.arenaBytes, Math.min(width, 100))
    sections.push(`${heading('Memory plan')} (step -1: an input is written)\n${chart}`)
  }
  return sections.join('\n\n')
}

function factsText(inspection: Inspection): string {
  const { run, metadata, tensors } = inspection
  const shown = (indices: readonly number[]) =>
    indices.map((i) => `${tensors[i]?.name} ${tensorText(tensors[i])}`).join('; ')
  const rows: [string, string][] = [
    ['model', inspection.model],
    ['file', `${bytesText(inspection.fileBytes)}, schema version ${inspection.schemaVersion}`],
  ]
  if (inspection.description !== '') rows.push(['written by', inspection.description])
  rows.push(['inputs', shown(inspection.inputs)], ['outputs', shown(inspection.outputs)])
  for (const { name, inputs, outputs } of inspection.signatures) {
    const names = (list: readonly { readonly name: string }[]) => list.map((item) => item.name).join(', ')
    rows.push(['signature', `${name}: ${names(inputs)} -> ${names(outputs)}`])
  }
  for (const [key, value] of Object.entries(metadata)) rows.push([`metadata ${key}`, metadataText(value)])
  for (const { name, operators } of inspection.subgraphs) {
    rows.push(['subgraph', `${name}: ${operators.length} operators`])
  }
  if (run) {
    const { arenaBytes, scratchBytes, weightBytes, packedBytes } = run.memory
    rows.push(
      [
        'runs',
        `${run.steps} steps${run.isComplete ? '' : ' before it decides on shapes'}, ${macsText(run.macs)}, ${run.isa}, threads ${run.threads}`,
      ],
      ['memory', `arena ${bytesText(arenaBytes)}, scratch ${bytesText(scratchBytes)}`],
      ['weights', `${bytesText(weightBytes)}, packed ${bytesText(packedBytes)}`],
    )
  } else {
    const unsupported =
      inspection.unsupported.length > 0
        ? `; operators not supported: ${inspection.unsupported.join(', ')}`
        : ''
    rows.push(['runs', `no (${inspection.error?.code ?? 'unknown'})${unsupported}`])
  }
  return facts(rows)
}

function metadataText(value: unknown): string {
  if (Array.isArray(value))
    return `${value.length}: ${value.slice(0, 3).join(', ')}${value.length > 3 ? ', …' : ''}`
  return typeof value === 'string' ? (value.split('\n')[0] ?? '') : JSON.stringify(value)
}

function tensorText(tensor: InspectedTensor | undefined): string {
  return tensor ? `${tensor.dtype}${shapeText(tensor.shape).replaceAll(' ', '')}` : '-'
}

function operatorsText({ operators, tensors, run }: Inspection, width: number): string {
  const operands = (indices: readonly number[]) => indices.map((i) => tensorText(tensors[i])).join(' ')
  const rows = operators.map((op) => [
    op.index,
    op.type,
    op.version,
    `${operands(op.inputs)} -> ${operands(op.outputs)}`,
    op.supported ? op.kernels.join(', ') || (run ? '-' : '') : 'not supported',
    op.macs > 0 ? macsText(op.macs) : '',
  ])
  const columns = [
    { title: '#', align: 'right' as const },
    { title: 'type', shrinkTo: 10 },
    { title: 'v', align: 'right' as const },
    { title: 'operands', shrinkTo: 20 },
    { title: 'kernel', shrinkTo: 14 },
    { title: 'work', align: 'right' as const },
  ]
  return table(columns, rows, { width, head: heading })
}

function quantizationText({ quantization }: InspectedTensor): string {
  if (!quantization) return ''
  const { scale, zeroPoint, axis } = quantization
  if (scale.length === 1) return `${Number(scale[0]?.toPrecision(6))}, zero ${zeroPoint[0] ?? 0}`
  return `${scale.length} scales along axis ${axis}`
}

function tensorsText({ tensors }: Inspection, width: number): string {
  const rows = tensors.map((tensor) => [
    tensor.index,
    tensor.dtype,
    shapeText(tensor.shape).replaceAll(' ', ''),
    tensor.constantBytes === null ? '' : bytesText(tensor.constantBytes),
    quantizationText(tensor),
    tensor.name,
  ])
  const columns = [
    { title: '#', align: 'right' as const },
    { title: 'type' },
    { title: 'shape' },
    { title: 'constant', align: 'right' as const },
    { title: 'quantisation', shrinkTo: 12 },
    { title: 'name', shrinkTo: 10 },
  ]
  return table(columns, rows, { width, head: heading })
}

/** What `--strict` found, one line each. */
export function findingsText(findings: readonly Finding[]): string {
  const title = heading('Findings')
  if (findings.length === 0) return `${title}\nnone`
  const lines = findings.map(({ code, message, subgraph }) =>
    subgraph ? `${code}  subgraph ${subgraph}: ${message}` : `${code}  ${message}`,
  )
  return [title, ...lines].join('\n')
}
