// The recipe language: what is read, what is refused, and which rule wins.

import test from 'ava'
import type { ErrorCode } from '#lib/errors.js'
import { DEFAULT_ACTIVATIONS, DEFAULT_REPAIRS, DEFAULT_SEED, DEFAULT_WEIGHTS } from '#lib/recipe/defaults.js'
import { PRESETS } from '#lib/recipe/presets.js'
import { readRecipe } from '#lib/recipe/read.js'
import type { Recipe, Rule } from '#lib/recipe/recipe.js'
import { resolve } from '#lib/recipe/resolve.js'
import { RECIPE_SCHEMA, type Schema } from '#lib/recipe/schema.js'

const OPERATORS = [
  { type: 'CONV_2D', place: 0, outputs: ['stem/Relu6'] },
  { type: 'CONV_2D', place: 1, outputs: ['head/conv'] },
  { type: 'SPLIT', place: 2, outputs: ['left', 'right'] },
]
const settings = (...rules: readonly Rule[]) => resolve({ version: 1, rules }, OPERATORS)
const bits = (...rules: readonly Rule[]) => settings(...rules).map(({ weights }) => weights.bits)

test('without rules all is as by default', (t) => {
  const defaults = { skip: false, weights: DEFAULT_WEIGHTS, activations: DEFAULT_ACTIVATIONS }
  t.deepEqual(settings(), [defaults, defaults, defaults])
})

test('rules match outputs, numbered operators and types; both where both are given', (t) => {
  t.deepEqual(bits({ match: 'stem/*', weights: { bits: 4 } }), [4, 8, 8])
  t.deepEqual(bits({ match: 'CONV_2D #1', weights: { bits: 4 } }), [8, 4, 8])
  t.deepEqual(bits({ match: 'right', weights: { bits: 4 } }), [8, 8, 4])
  t.deepEqual(bits({ ops: ['SPLIT', 'ADD'], weights: { bits: 4 } }), [8, 8, 4])
  t.deepEqual(bits({ ops: ['SPLIT'], match: 'head*', weights: { bits: 4 } }), [8, 8, 8])
})

test('the last rule that says a thing wins, others of its settings stay', (t) => {
  const [first] = settings(
    { weights: { bits: 4, clip: 'mse' }, skip: true },
    { match: 'stem*', weights: { bits: 6 }, skip: false },
  )
  t.like(first, { skip: false, weights: { bits: 6, clip: 'mse', granularity: 'channel' } })
})

const REFUSED: Readonly<Record<string, readonly [unknown, RegExp, ErrorCode?]>> = {
  'no rules': [{ version: 1 }, /recipe\.rules is undefined/],
  'no version': [{ rules: [] }, /recipe\.version/],
  'a later version': [{ version: 2, rules: [] }, /recipe\.version is 2; 1 expected/],
  'an unknown key': [
    { version: 1, rules: [], rule: [] },
    /recipe: "rule" is unknown; there are version, name/,
  ],
  'an unknown key of a rule': [{ version: 1, rules: [{}, { bits: 4 }] }, /recipe\.rules\[1\]: "bits"/],
  'a key of all objects': [
    { version: 1, rules: [{ weights: { toString: 1 } }] },
    /rules\[0\]\.weights: "toString"/,
  ],
  'bits beyond': [
    { version: 1, rules: [{ weights: { bits: 9 } }] },
    /weights\.bits is 9; a whole number from 2 to 8/,
  ],
  'bits of a kind': [{ version: 1, rules: [{ weights: { bits: '4' } }] }, /weights\.bits is "4"/],
  'broken bits': [{ version: 1, rules: [{ weights: { bits: 4.5 } }] }, /4\.5/],
  'an unknown type': [
    { version: 1, rules: [{ activations: { type: 'int4' } }] },
    /activations\.type is "int4"; one of int8/,
  ],
  'a list that is none': [{ version: 1, rules: {} }, /recipe\.rules is \{\}; an array/],
  'no operators': [{ version: 1, rules: [{ ops: [] }] }, /ops is \[\]/],
  'a text for a truth': [{ version: 1, rules: [{ skip: 'yes' }] }, /skip is "yes"; true or false/],
  'an empty match': [{ version: 1, rules: [{ match: '' }] }, /match is ""/],
  'an array': [[], /recipe is \[\]; an object/],
  'an unknown preset': ['fp8', /recipe is "fp8"; one of the presets int8/],
  'a name of all objects': ['constructor', /recipe is "constructor"/],
}

for (const [title, [given, message, code = 'OPTION_INVALID']] of Object.entries(REFUSED)) {
  test(`refused: ${title}`, (t) => {
    t.throws(() => readRecipe(given), { code, message })
  })
}

const CLASHES: readonly (readonly [Rule, RegExp])[] = [
  [{ weights: { type: 'float16' } }, /CONV_2D #0: weights float16 need activations float32/],
  [{ weights: { granularity: 'group' } }, /groups need activations dynamic or float32, not int8/],
  [{ weights: { method: 'piecewise', scheme: 'asymmetric' } }, /piecewise weights have the scheme symmetric/],
  [{ weights: { method: 'piecewise', bits: 2 } }, /3 bits or more/],
]
for (const [rule, message] of CLASHES) {
  test(`contradiction: ${JSON.stringify(rule)}`, (t) => {
    t.throws(() => settings(rule), { code: 'OPTION_INVALID', message })
    t.notThrows(() => settings({ ...rule, skip: true }))
  })
}

test('what is read cannot be changed from outside', (t) => {
  const given = { version: 1, rules: [{ weights: { bits: 4 } }] }
  const read = readRecipe(given)
  ;(given.rules[0] as { weights: { bits: number } }).weights.bits = 5
  t.is(read.rules[0]?.weights?.bits, 4)
})

test('presets are recipes', (t) => {
  for (const [name, preset] of Object.entries(PRESETS)) {
    t.is(readRecipe(name), preset as Recipe)
    t.deepEqual(readRecipe(structuredClone(preset)), preset as Recipe)
    t.notThrows(() => resolve(preset, OPERATORS))
  }
})

test('the schema has every setting, with its default', (t) => {
  const defaults = (schema: Schema | undefined) => {
    if (schema === undefined || !('properties' in schema)) return undefined
    return Object.fromEntries(
      Object.entries(schema.properties).map(([key, inner]) => [
        key,
        'default' in inner ? inner.default : undefined,
      ]),
    )
  }
  const { rules, repairs, seed } = RECIPE_SCHEMA.properties
  const rule: Extract<Schema, { type: 'object' }> = rules.items as never
  // Sizes of groups are a list of numbers, for which the schema names no default.
  t.deepEqual(defaults(rule.properties['weights']), { ...DEFAULT_WEIGHTS, groupSize: undefined })
  t.deepEqual(defaults(rule.properties['activations']), { ...DEFAULT_ACTIVATIONS })
  t.deepEqual(defaults(repairs), { ...DEFAULT_REPAIRS })
  t.is(seed.default, DEFAULT_SEED)
})
