// ONNX forms of the models: the ones of a folder, or made by the scripts of ../shared/bench/peers, which need TensorFlow.

import { existsSync, mkdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { output } from './command.js'

export interface OnnxTools {
  readonly folder: string
  readonly scripts: string
  readonly python: string
  readonly progress: (text: string) => void
}

const INSTALL = 'pip install "tensorflow-cpu<2.20" tf2onnx sympy onnxruntime'

/** `mobilenet_v2_int8.tflite` is a form of `mobilenet_v2`, whose ONNX form has uint8 activations and int8 weights. */
export function onnxName(model: string): { readonly base: string; readonly file: string } {
  const base = basename(model, '.tflite').replace(/_(int8|dyn)$/, '')
  return { base, file: model.endsWith('_dyn.tflite') ? `${base}_dynq.onnx` : `${base}_u8s8.onnx` }
}

async function make(model: string, path: string, { folder, scripts, python, progress }: OnnxTools) {
  const { base } = onnxName(model)
  const script = (name: string) => {
    const file = join(scripts, name)
    if (!existsSync(file)) throw new Error(`${path} is missing, and so is ${file}, which makes it`)
    return file
  }
  const [models, onnx] = ['make_models.py', 'make_onnx.py'].map(script) as [string, string]
  await output([python, '-c', 'import tensorflow, tf2onnx, sympy']).catch(() => {
    throw new Error(`${path} is missing; to make it: ${python} -m ${INSTALL}`)
  })
  mkdirSync(folder, { recursive: true })
  // Quantisation starts from float weights. The scripts know the networks by name and make the same ones each time.
  let source = dirname(model)
  if (!existsSync(join(source, `${base}_f32.tflite`))) {
    source = join(folder, 'tflite')
    progress(`making ${base}_f32.tflite\n`)
    if (!existsSync(join(source, `${base}_f32.tflite`))) await output([python, models, source, base])
  }
  progress(`making ${basename(path)}\n`)
  const said = await output([python, onnx, source, folder, base])
  if (!existsSync(path)) throw new Error(`make_onnx.py made no ${basename(path)}: ${said.trim()}`)
}

/** Finds or makes the ONNX form of a .tflite file, trying once for each. */
export function onnxForms(tools: OnnxTools): (model: string) => Promise<string> {
  const tried = new Map<string, Promise<string>>()
  const find = async (model: string) => {
    const path = join(tools.folder, onnxName(model).file)
    if (!existsSync(path)) await make(model, path, tools)
    return path
  }
  return (model) => {
    const form = tried.get(model) ?? find(model)
    tried.set(model, form)
    return form
  }
}
