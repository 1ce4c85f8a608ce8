// Recipes as they come from users: checked against the schema, key by key, with the place of what is wrong.

import { LowbitError } from '../errors.js'
import { PRESETS } from './presets.js'
import type { Recipe } from './recipe.js'
import { RECIPE_SCHEMA, type Schema } from './schema.js'

/**
 * A recipe from its JSON, or from the name of a preset.
 *
 * @throws {LowbitError} `OPTION_INVALID` for an unknown preset or key, or a value that is not what the key takes.
 */
export function readRecipe(given: unknown): Recipe {
  if (typeof given === 'string') {
    const preset: Recipe | undefined = Object.hasOwn(PRESETS, given)
      ? PRESETS[given as keyof typeof PRESETS]
      : undefined
    if (preset !== undefined) return preset
    throw wrong('recipe', `one of the presets ${Object.keys(PRESETS).join(', ')}, or an object`, given)
  }
  check(given, RECIPE_SCHEMA, 'recipe')
  // A copy, so that what was checked stays so.
  return structuredClone(given) as Recipe
}

function check(given: unknown, schema: Schema, place: string): void {
  if ('enum' in schema) {
    if (!(schema.enum as readonly unknown[]).includes(given)) {
      throw wrong(
        place,
        schema.enum.length === 1 ? `${schema.enum[0]}` : `one of ${schema.enum.join(', ')}`,
        given,
      )
    }
    return
  }
  switch (schema.type) {
    case 'object':
      checkObject(given, schema, place)
      return
    case 'array':
      if (!Array.isArray(given) || given.length < (schema.minItems ?? 0)) {
        throw wrong(place, 'an array', given)
      }
      for (const [i, item] of given.entries()) check(item, schema.items, `${place}[${i}]`)
      return
    case 'string':
      if (typeof given !== 'string' || given.length < (schema.minLength ?? 0))
        throw wrong(place, 'a text', given)
      return
    case 'boolean':
      if (typeof given !== 'boolean') throw wrong(place, 'true or false', given)
      return
    default:
      checkNumber(given, schema, place)
      return
  }
}

function checkObject(given: unknown, schema: Extract<Schema, { type: 'object' }>, place: string): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw wrong(place, 'an object', given)
  const known = Object.keys(schema.properties)
  for (const key of schema.required ?? []) {
    if (!Object.hasOwn(given, key)) throw wrong(`${place}.${key}`, 'a value', undefined)
  }
  for (const [key, value] of Object.entries(given)) {
    const inner = Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined
    if (inner === undefined) {
      const message = `${place}: "${key}" is unknown; there are ${known.join(', ')}`
      throw new LowbitError('OPTION_INVALID', message, { expected: known, actual: key })
    }
    check(value, inner, `${place}.${key}`)
  }
}

function checkNumber(
  given: unknown,
  { type, minimum, maximum }: Extract<Schema, { type: 'integer' | 'number' }>,
  place: string,
): void {
  const isKind = typeof given === 'number' && (type === 'number' || Number.isInteger(given))
  if (isKind && given >= minimum && given <= maximum) return
  throw wrong(
    place,
    `${type === 'integer' ? 'a whole number' : 'a number'} from ${minimum} to ${maximum}`,
    given,
  )
}

function wrong(place: string, expected: string, actual: unknown): LowbitError {
  const given = typeof actual === 'string' ? `"${actual}"` : (JSON.stringify(actual) ?? String(actual))
  return new LowbitError('OPTION_INVALID', `${place} is ${given}; ${expected} expected`, { expected, actual })
}
