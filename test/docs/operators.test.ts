// docs/operators.md lists the operators of the registry: all of them, in order, and no others.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { BUILTIN_OPERATORS } from '#lib/format/tflite/schema.js'
import { OPS_BY_TYPE } from '#lib/ops/registry.js'
import { ROOT } from '../helpers/cli.js'

test('the table of operators is the registry', (t) => {
  const text = readFileSync(join(ROOT, 'docs/operators.md'), 'utf8')
  const listed = [...text.matchAll(/^\| ([A-Za-z0-9_]*[A-Z][A-Za-z0-9_]*) +\|/gm)].map((match) => match[1])
  t.deepEqual(listed, [...OPS_BY_TYPE.keys()].sort())
})

/** Resolved while a model is loaded, so that no graph has them. */
const RESOLVED = ['CALL', 'STABLEHLO_COMPOSITE', 'VAR_HANDLE']

test('every builtin operator runs or is argued', (t) => {
  const text = readFileSync(join(ROOT, 'docs/operators.md'), 'utf8')
  const rows = [...text.slice(text.indexOf('## Not supported')).matchAll(/^\| (`[^|]*) \| [^|]+ \|$/gm)]
  const argued = rows.flatMap(([, names = '']) =>
    [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name as string),
  )
  const open = BUILTIN_OPERATORS.map(({ name }) => name).filter(
    (name) => !OPS_BY_TYPE.has(name) && !RESOLVED.includes(name),
  )
  t.deepEqual(argued.toSorted(), open.toSorted())
})
