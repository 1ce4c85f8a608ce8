// Who runs a model, and how: each contender is a driver, the file that it reads, and the environment that caps it.

import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { output } from './command.js'
import type { Options, Peer } from './options.js'
import type { ContenderName } from './results.js'
import { type CapTools, capEnvironment, cappedCopy } from './smaller-cpu.js'

export interface Launch {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export interface Contender {
  readonly name: ContenderName
  readonly version: string
  /** The file to load for a .tflite model. @throws {Error} if there is none. */
  readonly file: (model: string) => Promise<string>
  /** How to start its driver at a level; `undefined`: with the whole processor. @throws {Error} if it cannot be held to it. */
  readonly launch: (isa: string | undefined) => Promise<Launch>
}

export interface Surroundings {
  readonly root: string
  readonly python: string
  readonly caps: CapTools
  readonly onnx: (model: string) => Promise<string>
}

const tflite = async (model: string) => model
const compiled = (name: string) => join(import.meta.dirname, 'drivers', `${name}.js`)

export function lowbit(version: string, memory: Options['memory']): Contender {
  return {
    name: 'lowbit',
    version,
    file: tflite,
    launch: async (isa) => ({
      command: [process.execPath, compiled('lowbit'), '--memory', memory],
      env: isa === undefined ? {} : { LOWBIT_ISA: isa },
    }),
  }
}

interface PythonPackage {
  readonly name: 'litert' | 'ort'
  readonly distribution: string
  readonly module: string
}

async function python(
  { name, distribution, module }: PythonPackage,
  { root, python, caps, onnx }: Surroundings,
): Promise<Contender> {
  const ask = `from importlib import metadata, util
print(metadata.version("${distribution}"), util.find_spec("${module}").submodule_search_locations[0], sep="\\n")
import numpy, ${module}`
  const said = await output([python, '-c', ask]).catch((error: Error) => {
    throw new Error(
      `${error.message}; to install: python3 -m venv bench-results/venv && bench-results/venv/bin/pip install ${distribution} numpy`,
    )
  })
  const [version = '', folder = ''] = said.trim().split('\n')
  const command = [python, join(root, 'bench/peers/drivers', `${name}.py`)]
  return {
    name,
    version,
    file: name === 'litert' ? tflite : onnx,
    async launch(isa) {
      if (isa === undefined) return { command, env: {} }
      const env = await capEnvironment(isa, caps)
      return { command, env: { ...env, PYTHONPATH: dirname(await cappedCopy(folder, version, caps)) } }
    },
  }
}

async function onnxruntimeNode({ root, caps, onnx }: Surroundings): Promise<Contender> {
  let folder: string
  try {
    folder = dirname(createRequire(join(root, 'package.json')).resolve('onnxruntime-node/package.json'))
  } catch {
    throw new Error(
      'not installed; to install: ONNXRUNTIME_NODE_INSTALL=skip npm install --no-save onnxruntime-node',
    )
  }
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const command = (path: string) => [process.execPath, compiled('ort-node'), '--package', path]
  return {
    name: 'ort-node',
    version,
    file: onnx,
    async launch(isa) {
      if (isa === undefined) return { command: command(folder), env: {} }
      const env = await capEnvironment(isa, caps)
      const copy = await cappedCopy(folder, version, caps)
      // Its other package has no native code and is found from where the first one was.
      return { command: command(copy), env: { ...env, NODE_PATH: dirname(folder) } }
    },
  }
}

const FINDERS: Readonly<Record<Peer, (around: Surroundings) => Promise<Contender>>> = {
  litert: (around) =>
    python({ name: 'litert', distribution: 'ai-edge-litert', module: 'ai_edge_litert' }, around),
  ort: (around) => python({ name: 'ort', distribution: 'onnxruntime', module: 'onnxruntime' }, around),
  'ort-node': onnxruntimeNode,
}

/** @throws {Error} that says what is missing and how to install it. */
export function findPeer(peer: Peer, around: Surroundings): Promise<Contender> {
  return FINDERS[peer](around)
}

/** The Python that was asked for, that of the suite's own environment, or the first on the path. */
export function pythonOf(options: Options): string {
  const own = join(options.out, 'venv/bin/python')
  return options.python ?? (existsSync(own) ? own : 'python3')
}
