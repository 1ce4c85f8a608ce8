// Arenas of whole networks against what their steps need at once.

import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import test from 'ava'
import type { Plan } from '#lib/plan/plan.js'
import { prepare } from '#lib/session/load.js'
import { passWithoutShared, shared } from '../helpers/shared.js'

const NETWORKS = ['mobilenet_v1_int8', 'mobilenet_v2_int8', 'effnet_lite0_int8', 'resnet50_int8', 'vww_int8']

const planOf = (path: string): Plan =>
  prepare(new Uint8Array(readFileSync(path)), { memory: 2 ** 32, steps: 1000 }).plan

/** Bytes of the inputs and outputs of a step, those in the same place once. */
function stepBytes({ tensors, steps }: Plan, at: number): number {
  const step = steps[at]
  const places = new Map<number, number>()
  for (const index of [...(step?.inputs ?? []), ...(step?.outputs ?? [])]) {
    const tensor = tensors[index]
    if (tensor?.place.where === 'arena') places.set(tensor.place.offset, tensor.bytes)
  }
  return [...places.values()].reduce((sum, bytes) => sum + bytes, 0)
}

for (const name of NETWORKS) {
  test(`the arena of ${name} is at most 1.25 times its largest step`, (t) => {
    const path = shared('bench/models', `${name}.tflite`)
    if (path === undefined) {
      passWithoutShared(t)
      return
    }
    const plan = planOf(path)
    const most = Math.max(...plan.steps.map((_, at) => stepBytes(plan, at)))
    t.log(`${basename(path)}: ${plan.arenaBytes} bytes, the largest step ${most}`)
    t.true(plan.arenaBytes >= most && plan.arenaBytes <= 1.25 * most)
  })
}
