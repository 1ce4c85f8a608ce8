// Writes docs/recipe.schema.json from the schema in lib/recipe/schema.ts; after `npm run build`.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RECIPE_SCHEMA } from '../dist/esm/recipe/schema.js'

const file = join(import.meta.dirname, '../docs/recipe.schema.json')
writeFileSync(file, `${JSON.stringify(RECIPE_SCHEMA, null, 2)}\n`)
