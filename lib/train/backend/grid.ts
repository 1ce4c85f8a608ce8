// Fake quantisation on a grid of one scale as native steps; grids of many scales are computed in JavaScript.

import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { NativeBackend } from './backend.js'
import { type Attrs, type Inputs, sizeOf, take } from './kernel.js'
import type { Dense } from './steps.js'

/** Whether the native step takes these inputs of a fake quantiser. */
export function isOneGrid(inputs: Inputs): boolean {
  const [x, scale] = [take(inputs, 'x'), take(inputs, 'scale')]
  return (
    Object.values(inputs).every(({ dtype }) => dtype === 'float32') &&
    sizeOf(scale.shape) === 1 &&
    sizeOf(x.shape) > 0
  )
}

/** `x` on its grid, or with `dy` the gradient that passes. */
export function quantizeNatively(inputs: Inputs, attrs: Attrs, backend: NativeBackend): TensorInfo {
  const first = (name: string) => backend.dense(take(inputs, name)).data[0] as number
  const [low, high] = [attrs['low'] as number, attrs['high'] as number]
  const zeroPoint = first('zeroPoint')
  const grid: Dense = {
    shape: [3],
    data: Float32Array.of(first('scale'), low - zeroPoint, high - zeroPoint),
  }
  const { shape } = take(inputs, 'x')
  const flat = (name: string) => backend.dense(take(inputs, name), [sizeOf(shape)])
  const operands = inputs['dy'] === undefined ? [flat('x')] : [flat('x'), flat('dy')]
  return backend.run('fake_quantize', { gradient: operands.length - 1 }, [grid, ...operands], shape, [
    sizeOf(shape),
  ])
}
