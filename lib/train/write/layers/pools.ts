// Pools, over windows and over all of an image or sequence.

import type { Shape } from '../../../tensor/shape.js'
import type { LayerCall, LayerWriter } from '../layer-call.js'
import { paddingOf } from './convolutions.js'

type Pair = readonly [number, number]
type PoolType = 'MAX_POOL_2D' | 'AVERAGE_POOL_2D'

function pool(
  call: LayerCall,
  type: PoolType,
  { input, shape, size, strides }: { input: number; shape: Shape; size: Pair; strides: Pair },
): number {
  const options = {
    padding: paddingOf(call),
    filterHeight: size[0],
    filterWidth: size[1],
    strideH: strides[0],
    strideW: strides[1],
    fusedActivationFunction: 0,
  }
  return call.add(type, [input], shape, { options })
}

const pool2d =
  (type: PoolType): LayerWriter =>
  (call) => {
    call.needChannelsLast()
    const [size, strides] = [call.numbers('poolSize') as Pair, call.numbers('strides') as Pair]
    return pool(call, type, { input: call.input, shape: call.outputShape, size, strides })
  }

/** An image of one row. */
const pool1d =
  (type: PoolType): LayerWriter =>
  (call) => {
    const [batch = 1, ...inner] = call.inputShape
    const [, ...outer] = call.outputShape
    const input = call.reshape(call.input, [batch, 1, ...inner])
    const [size = 1] = [call.config['poolSize'] as number | number[]].flat()
    const [stride = size] = [call.config['strides'] as number | number[]].flat()
    const window = { input, shape: [batch, 1, ...outer], size: [1, size], strides: [1, stride] } as const
    return call.reshape(pool(call, type, window), call.outputShape)
  }

const whole =
  (type: 'MEAN' | 'REDUCE_MAX', axes: readonly number[]): LayerWriter =>
  (call) => {
    call.needChannelsLast()
    const operands = [call.input, call.ints('axes', axes)]
    return call.add(type, operands, call.outputShape, { options: { keepDims: false } })
  }

export const POOL_LAYERS: Readonly<Record<string, LayerWriter>> = {
  MaxPooling1D: pool1d('MAX_POOL_2D'),
  MaxPooling2D: pool2d('MAX_POOL_2D'),
  AveragePooling1D: pool1d('AVERAGE_POOL_2D'),
  AveragePooling2D: pool2d('AVERAGE_POOL_2D'),
  GlobalMaxPooling1D: whole('REDUCE_MAX', [1]),
  GlobalMaxPooling2D: whole('REDUCE_MAX', [1, 2]),
  GlobalAveragePooling1D: whole('MEAN', [1]),
  GlobalAveragePooling2D: whole('MEAN', [1, 2]),
}
