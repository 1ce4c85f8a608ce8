// A layers model of TensorFlow.js as a .tflite file: float32, or with the grids that training chose.

import type { LayersModel } from '@tensorflow/tfjs-layers'
import { encode } from '../../format/tflite/encode.js'
import type { ModelFile } from '../../model/model.js'
import { compact } from '../../quantize/compact.js'
import type { FloatGraph, FloatModel } from '../../quantize/prepare.js'
import { foldBatchNorm } from '../../quantize/repairs/fold-batch-norm.js'
import { writeOnGrids } from '../../quantize/write-on-grids.js'
import { checkKeys } from '../../session/options.js'
import type { LearnedQuantization } from '../contract.js'
import { fuseActivations } from './fuse-activations.js'
import { learnedGrids } from './learned-grids.js'
import { trace } from './trace.js'

export interface ToTfliteOptions {
  /** Grids for an integer file, as training with fake quantisers gives them. Without: float32. */
  readonly learned?: LearnedQuantization | undefined
  /** Type of the file's own inputs and outputs, with `learned`. `float32`: it quantises and dequantises by itself. Default `integer`. */
  readonly ports?: 'integer' | 'float32' | undefined
  /** Of the file. Default: the model's name. */
  readonly description?: string | undefined
  /** Named blobs of the file. */
  readonly metadata?: Readonly<Record<string, Uint8Array>> | undefined
}

/**
 * Writes a layers model as a `.tflite` file.
 *
 * Tensors are called after the layers that give them, the signature is `serving_default`, the batch is 1 and free.
 * Batch normalisation becomes part of the layer before it, ReLU and ReLU6 part of their operator. With `learned` an
 * operator is integer where the grids of all that it reads and gives are known, and computes in float32 elsewhere.
 *
 * @throws {LowbitError} `OPERATOR_UNSUPPORTED` for a layer that cannot be written, with its name and class;
 *   `SHAPE_MISMATCH` for an input whose shape is not known and for scales that do not fit their weights;
 *   `DTYPE_UNSUPPORTED` for an input that is neither float32 nor int32; `NAME_UNKNOWN` for weights of a layer that is
 *   not in the model; `OPTION_INVALID` for options and grids.
 */
export function toTflite(model: LayersModel, options: ToTfliteOptions = {}): Uint8Array {
  checkKeys(options, ['learned', 'ports', 'description', 'metadata'], 'toTflite')
  const { learned, ports = 'integer', description = model.name, metadata = {} } = options
  const traced = trace(model)
  const graph = fuseActivations(foldBatchNorm(traced.graph).graph)
  const file = fileOf(model, graph, description, metadata)
  if (learned === undefined) return encode(compact(withoutPlaces(file)).file)
  return encode(writeOnGrids(file, learnedGrids(graph, traced, learned), ports))
}

function fileOf(
  { inputNames, outputNames }: LayersModel,
  graph: FloatGraph,
  description: string,
  metadata: Readonly<Record<string, Uint8Array>>,
): FloatModel {
  const port = (names: readonly string[], tensors: readonly number[]) =>
    tensors.map((tensor, i) => ({ name: names[i] as string, tensor }))
  return {
    version: 3,
    description,
    subgraphs: [graph],
    signatures: [
      {
        name: 'serving_default',
        subgraph: 0,
        inputs: port(inputNames, graph.inputs),
        outputs: port(outputNames, graph.outputs),
      },
    ],
    metadata: Object.entries(metadata).map(([name, data]) => ({ name, data })),
    fileBytes: 0,
  }
}

function withoutPlaces(file: FloatModel): ModelFile {
  const [graph] = file.subgraphs
  const operators = graph.operators.map(({ place: _, ...operator }) => operator)
  return { ...file, subgraphs: [{ ...graph, operators }] }
}
