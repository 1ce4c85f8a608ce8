// The native kernels of the backend: how each kernel of TensorFlow.js becomes a step. Here those that go element by
// element; the others by theme in files of their own.

import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { NativeKernel } from './backend.js'
import { CONV_KERNELS } from './conv.js'
import { FREE, kernel, sizeOf, take } from './kernel.js'
import { MATMUL_KERNELS } from './matmul.js'
import { POOL_KERNELS } from './pool.js'

function binary(name: string, op: number): NativeKernel {
  return kernel(
    name,
    (inputs, _attrs, backend, core) => {
      const [a, b] = [take(inputs, 'a'), take(inputs, 'b')]
      const shape = core.backend_util.assertAndGetBroadcastShape(a.shape, b.shape)
      return backend.run('binary', { op, clamp: FREE }, [backend.dense(a), backend.dense(b)], shape)
    },
    ({ a, b }) => (a as TensorInfo).shape.length <= 6 && (b as TensorInfo).shape.length <= 6,
  )
}

function unary(name: string, op: number): NativeKernel {
  return kernel(name, (inputs, _attrs, backend) => {
    const x = take(inputs, 'x')
    const flat = [sizeOf(x.shape)]
    return backend.run(
      'unary',
      { op, parameter: Float32Array.of(0) },
      [backend.dense(x, flat)],
      x.shape,
      flat,
    )
  })
}

const sum = kernel('Sum', (inputs, attrs, backend, core) => {
  const x = take(inputs, 'x')
  const axes = core.util.parseAxisParam(attrs['axis'] as number[], x.shape)
  const kept = x.shape.filter((_, axis) => !axes.includes(axis))
  const shape = attrs['keepDims'] ? x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent)) : kept
  const marks = Int32Array.from(x.shape, (_, axis) => Number(axes.includes(axis)))
  return backend.run('reduce', { op: 0, axes: marks }, [backend.dense(x)], shape, kept)
})

/** dx of an activation that clamps to (low, high]; no kernel of TensorFlow.js. */
export const CLAMP_GRADIENT = 'ClampGradient'
const clampGradient = kernel(CLAMP_GRADIENT, (inputs, attrs, backend) => {
  const [x, dy] = [take(inputs, 'x'), take(inputs, 'dy')]
  const clamp = Float32Array.of(attrs['low'] as number, attrs['high'] as number)
  const flat = [sizeOf(x.shape)]
  return backend.run(
    'clamp_gradient',
    { clamp },
    [backend.dense(x, flat), backend.dense(dy, flat)],
    x.shape,
    flat,
  )
})

export const KERNELS: readonly NativeKernel[] = [
  ...CONV_KERNELS,
  ...MATMUL_KERNELS,
  ...POOL_KERNELS,
  sum,
  clampGradient,
  ...[
    ['Add', 0],
    ['Sub', 1],
    ['Multiply', 2],
    ['Maximum', 3],
    ['Minimum', 4],
    ['RealDiv', 5],
    ['SquaredDifference', 6],
  ].map(([name, op]) => binary(name as string, op as number)),
  ...[
    ['Relu', 0],
    ['Relu6', 1],
    ['Abs', 6],
    ['Neg', 7],
    ['Square', 8],
    ['Sqrt', 12],
    ['Rsqrt', 13],
  ].map(([name, op]) => unary(name as string, op as number)),
]
