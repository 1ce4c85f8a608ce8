// Layers models on disk: what is saved is loaded again, and broken files are named.

import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Tensor } from '@tensorflow/tfjs-core'
import test from 'ava'
import { type ErrorCode, LowbitError } from '#lib/index.js'
import { loadLayersModel, saveLayersModel } from '#lib/train/write/model-json.js'
import { filled, inputsOf, predict, tfl } from '../../helpers/layers-models.js'

const { layers } = tfl

function smallModel(seed = 7) {
  const model = tfl.sequential({
    layers: [
      layers.conv2d({ filters: 3, kernelSize: 2, inputShape: [4, 4, 2] }),
      layers.batchNormalization({}),
      layers.flatten(),
      layers.dense({ units: 2, activation: 'softmax' }),
    ],
  })
  return filled(model, seed)
}

function folder(t: { teardown(end: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), 'lowbit-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}

test('a model comes back as it was saved, also over another one', async (t) => {
  const at = join(folder(t), 'deeper')
  for (const seed of [7, 8]) {
    const model = smallModel(seed)
    await saveLayersModel(model, at)
    t.is(readdirSync(at).length, 2, 'model.json and its weights, nothing else')
    for (const path of [at, join(at, 'model.json')]) {
      const loaded = await loadLayersModel(path)
      const inputs = inputsOf(model)
      t.deepEqual(predict(loaded, inputs), predict(model, inputs))
      loaded.dispose()
    }
    model.dispose()
  }
})

test('weights in several files, some of them as codes', async (t) => {
  const at = folder(t)
  const model = tfl.sequential({ layers: [layers.dense({ units: 2, inputShape: [3], name: 'only' })] })
  writeFileSync(join(at, 'a.bin'), Uint8Array.of(0, 1, 2, 3))
  writeFileSync(join(at, 'b.bin'), Uint8Array.of(4, 5))
  writeFileSync(join(at, 'c.bin'), new Uint8Array(Float32Array.of(10, 20).buffer))
  const quantization = { dtype: 'uint8', scale: 0.5, min: -1 }
  const json = {
    modelTopology: model.toJSON(null, false),
    weightsManifest: [
      {
        paths: ['a.bin', 'b.bin'],
        weights: [{ name: 'only/kernel', shape: [3, 2], dtype: 'float32', quantization }],
      },
      { paths: ['c.bin'], weights: [{ name: 'only/bias', shape: [2], dtype: 'float32' }] },
    ],
  }
  writeFileSync(join(at, 'model.json'), JSON.stringify(json))
  const loaded = await loadLayersModel(at)
  const [kernel, bias] = loaded.getWeights()
  t.deepEqual([...(kernel as Tensor).dataSync()], [-1, -0.5, 0, 0.5, 1, 1.5])
  t.deepEqual([...(bias as Tensor).dataSync()], [10, 20])
})

type Json = {
  format?: string
  modelTopology?: unknown
  weightsManifest: { paths: string[]; weights: { dtype: string; shape: unknown }[] }[]
}
const BROKEN: readonly (readonly [string, ErrorCode, (json: Json, at: string) => unknown])[] = [
  ['no JSON', 'FILE_INVALID', () => '{'],
  [
    'a graph model',
    'FILE_INVALID',
    (json) => ({ ...json, format: 'graph-model', modelTopology: { node: [] } }),
  ],
  ['no topology', 'FILE_INVALID', () => ({})],
  [
    'a layer that is not known',
    'FILE_INVALID',
    (json) => JSON.stringify(json).replace('"Flatten"', '"Flat"'),
  ],
  ['a path out of the folder', 'FILE_INVALID', (json) => withGroup(json, { paths: ['../../etc/passwd'] })],
  ['an absolute path', 'FILE_INVALID', (json) => withGroup(json, { paths: ['/etc/passwd'] })],
  [
    'weights of no size',
    'FILE_INVALID',
    (json) => withGroup(json, { weights: [{ name: 'a', shape: [-1], dtype: 'float32' }] }),
  ],
  [
    'weights of a strange type',
    'FILE_INVALID',
    (json) => withGroup(json, { weights: [{ name: 'a', shape: [1], dtype: 'float8' }] }),
  ],
  ['weights that are missing', 'DATA_INVALID', (json) => withGroup(json, { paths: ['none.bin'] })],
  [
    'weights that end early',
    'FILE_TRUNCATED',
    (json, at) => {
      truncateSync(join(at, json.weightsManifest[0]?.paths[0] as string), 17)
      return json
    },
  ],
  [
    'too few weights for the layers',
    'FILE_INVALID',
    (json, at) => {
      writeFileSync(join(at, 'x.bin'), new Uint8Array(4))
      return withGroup(json, { paths: ['x.bin'], weights: [{ name: 'a', shape: [1], dtype: 'float32' }] })
    },
  ],
]
const withGroup = (json: Json, group: object) => ({
  ...json,
  weightsManifest: [{ ...json.weightsManifest[0], ...group }],
})

for (const [title, code, change] of BROKEN) {
  test(`${title}: ${code}`, async (t) => {
    const at = folder(t)
    await saveLayersModel(smallModel(), at)
    const file = join(at, 'model.json')
    const changed = change(JSON.parse(readFileSync(file, 'utf8')) as Json, at)
    writeFileSync(file, typeof changed === 'string' ? changed : JSON.stringify(changed))
    const error = await t.throwsAsync(() => loadLayersModel(at), { instanceOf: LowbitError })
    t.is(error?.code, code, error?.message)
  })
}

test('a folder without a model', async (t) => {
  const error = await t.throwsAsync(() => loadLayersModel(folder(t)), { instanceOf: LowbitError })
  t.is(error?.code, 'DATA_INVALID')
})
