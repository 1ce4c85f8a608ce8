// All test tables, by operator.

import { ELEMENTWISE } from './elementwise.js'
import { INDEXING } from './indexing.js'
import { LAYERS } from './layers.js'
import { MOVEMENT } from './movement.js'
import { NUMBERS } from './numbers.js'
import { REDUCTIONS } from './reductions.js'
import type { Table } from './table.js'

export const TABLES: Table = {
  ...ELEMENTWISE,
  ...INDEXING,
  ...LAYERS,
  ...MOVEMENT,
  ...NUMBERS,
  ...REDUCTIONS,
}
