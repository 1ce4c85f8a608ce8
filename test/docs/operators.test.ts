// docs/operators.md lists the operators of the registry: all of them, in order, and no others.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { OPS_BY_TYPE } from '#lib/ops/registry.js'
import { ROOT } from '../helpers/cli.js'

test('the table of operators is the registry', (t) => {
  const text = readFileSync(join(ROOT, 'docs/operators.md'), 'utf8')
  const listed = [...text.matchAll(/^\| ([A-Za-z0-9_]*[A-Z][A-Za-z0-9_]*) +\|/gm)].map((match) => match[1])
  t.deepEqual(listed, [...OPS_BY_TYPE.keys()].sort())
})
