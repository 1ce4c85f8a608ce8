// docs/quantize.md and docs/recipe.schema.json say what the recipe language is.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { PRESETS } from '#lib/recipe/presets.js'
import { readRecipe } from '#lib/recipe/read.js'
import { RECIPE_SCHEMA, type Schema } from '#lib/recipe/schema.js'
import { ROOT } from '../helpers/cli.js'

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const text = read('docs/quantize.md')

test('the schema file is the schema', (t) => {
  t.deepEqual(JSON.parse(read('docs/recipe.schema.json')), RECIPE_SCHEMA)
})

function keysOf(schema: Schema): readonly string[] {
  if ('items' in schema) return keysOf(schema.items)
  if (!('properties' in schema)) return []
  return Object.entries(schema.properties).flatMap(([key, inner]) => [key, ...keysOf(inner)])
}

function choicesOf(schema: Schema): readonly (string | number)[] {
  if ('enum' in schema) return schema.enum
  if ('items' in schema) return choicesOf(schema.items)
  return 'properties' in schema ? Object.values(schema.properties).flatMap(choicesOf) : []
}

const words = new Set([...text.matchAll(/`([^`\n]+)`/g)].flatMap(([, code = '']) => code.split(/[^\w-]+/)))

test('every key, every choice and every preset is explained', (t) => {
  const choices = choicesOf(RECIPE_SCHEMA).filter((choice) => typeof choice === 'string')
  const wanted = [...keysOf(RECIPE_SCHEMA), ...choices, ...Object.keys(PRESETS)]
  t.deepEqual(
    wanted.filter((word) => !words.has(word)),
    [],
  )
})

test('recipes of the text are recipes', (t) => {
  const blocks = [...text.matchAll(/```json\n([\s\S]*?)```/g)].map(
    ([, code = '']) => JSON.parse(code) as object,
  )
  const recipes = blocks.filter((block) => 'rules' in block)
  t.true(recipes.length > 0)
  for (const recipe of recipes) t.notThrows(() => readRecipe(recipe))
})
