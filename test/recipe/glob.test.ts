import test from 'ava'
import { globMatcher } from '#lib/recipe/glob.js'

const CASES: readonly (readonly [glob: string, name: string, matches: boolean])[] = [
  ['conv', 'conv', true],
  ['conv', 'conv1', false],
  ['conv', 'aconv', false],
  ['*conv*', 'model/block/conv2d/Relu;x', true],
  ['conv?', 'conv1', true],
  ['conv?', 'conv', false],
  ['CONV_2D #?', 'CONV_2D #3', true],
  ['CONV_2D #?', 'CONV_2D #13', false],
  ['{CONV_2D,DEPTHWISE_CONV_2D} #*', 'DEPTHWISE_CONV_2D #1', true],
  ['{CONV_2D,DEPTHWISE_CONV_2D} #*', 'FULLY_CONNECTED #1', false],
  ['a{b*,c?}d', 'abxxd', true],
  ['a{b*,c?}d', 'acxd', true],
  ['a{b*,c?}d', 'acd', false],
  ['a{,b}', 'a', true],
  ['a{', 'a{', true],
  ['a}', 'a}', true],
  ['a.c', 'abc', false],
  ['a.c', 'a.c', true],
  ['a+(b)[c]^$|\\', 'a+(b)[c]^$|\\', true],
  ['*', '', true],
  ['a*b', 'a\nb', true],
]

for (const [glob, name, matches] of CASES) {
  test(`${glob} ${matches ? 'means' : 'does not mean'} ${JSON.stringify(name)}`, (t) => {
    t.is(globMatcher(glob)(name), matches)
  })
}
