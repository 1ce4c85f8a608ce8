// Kernels that go element by element, with broadcasting, and casts.

import type { DataType, TensorInfo } from '@tensorflow/tfjs-core'
import type { NativeBackend, NativeKernel } from './backend.js'
import { addedLater, clampedNow } from './fused.js'
import { type Attrs, CLAMPS, FREE, type Inputs, kernel, sizeOf, take } from './kernel.js'
import type { Dense } from './steps.js'

/** Extents that steps with broadcasting take. */
const MOST_RANK = 6

/** Op of the step `binary`; those of TensorFlow.js give NaN where either operand is. */
const BINARY = {
  Add: 0,
  Sub: 1,
  Multiply: 2,
  RealDiv: 5,
  SquaredDifference: 6,
  Prelu: 10,
  Maximum: 14,
  Minimum: 15,
}
const PRELU_OPERANDS = ['x', 'alpha'] as const

function binary(name: string, op: number): NativeKernel {
  const [left, right] = name === 'Prelu' ? PRELU_OPERANDS : (['a', 'b'] as const)
  return kernel(
    name,
    (inputs, _attrs, backend, core) => {
      const [a, b] = [take(inputs, left), take(inputs, right)]
      const shape = core.backend_util.assertAndGetBroadcastShape(a.shape, b.shape)
      const added = name === 'Add' ? addedLater(backend, a, b) : undefined
      if (added !== undefined) return added
      return backend.run('binary', { op, clamp: FREE }, [backend.dense(a), backend.dense(b)], shape)
    },
    (inputs) => areLow(inputs, left, right),
  )
}

const areLow = (inputs: Inputs, ...names: string[]) =>
  names.every((name) => take(inputs, name).shape.length <= MOST_RANK)

/** Function of the step `unary`. */
const UNARY = {
  Relu: 0,
  Relu6: 1,
  LeakyRelu: 4,
  Abs: 6,
  Neg: 7,
  Square: 8,
  Ceil: 9,
  Floor: 10,
  Round: 11,
  Sqrt: 12,
  Rsqrt: 13,
  Sigmoid: 14,
  Tanh: 15,
  Exp: 16,
  Log: 17,
  Sin: 18,
  Cos: 19,
  Elu: 20,
  Sign: 23,
}

function unary(name: string, op: number): NativeKernel {
  return kernel(name, (inputs, attrs, backend) => {
    const x = take(inputs, 'x')
    const clamp = CLAMPS[name.toLowerCase()]
    const clamped = clamp && clampedNow(backend, x, clamp)
    if (clamped !== undefined) return clamped
    const parameter = Float32Array.of((attrs['alpha'] as number | undefined) ?? 0)
    return backend.run('unary', { op, parameter }, [flatOf(backend, x)], x.shape, [sizeOf(x.shape)])
  })
}

const flatOf = (backend: NativeBackend, x: TensorInfo): Dense => backend.dense(x, [sizeOf(x.shape)])

const ZERO: Dense = { shape: [], data: Float32Array.of(0) }

/** By the clamp behind a sum. */
const clip = kernel('ClipByValue', (inputs, attrs, backend) => {
  const x = take(inputs, 'x')
  const clamp = Float32Array.of(attrs['clipValueMin'] as number, attrs['clipValueMax'] as number)
  const flat = [sizeOf(x.shape)]
  return backend.run('binary', { op: 0, clamp }, [flatOf(backend, x), ZERO], x.shape, flat)
})

/** dx of an activation that clamps to (low, high]; no kernel of TensorFlow.js. */
export const CLAMP_GRADIENT = 'ClampGradient'
const clampGradient = kernel(CLAMP_GRADIENT, (inputs, attrs, backend) => {
  const [x, dy] = [take(inputs, 'x'), take(inputs, 'dy')]
  const clamp = Float32Array.of(attrs['low'] as number, attrs['high'] as number)
  const operands = [flatOf(backend, x), flatOf(backend, dy)]
  return backend.run('clamp_gradient', { clamp }, operands, x.shape, [sizeOf(x.shape)])
})

/** Op of the step `compare`. */
const COMPARE = {
  Equal: 0,
  NotEqual: 1,
  Greater: 2,
  GreaterEqual: 3,
  Less: 4,
  LessEqual: 5,
  LogicalAnd: 6,
  LogicalOr: 7,
}

/** All but the logical ones take float32 alone here. */
function compare(name: string, op: number): NativeKernel {
  const dtype: DataType = name.startsWith('Logical') ? 'bool' : 'float32'
  return {
    name,
    fits: (inputs) =>
      [take(inputs, 'a'), take(inputs, 'b')].every((x) => x.dtype === dtype && sizeOf(x.shape) > 0) &&
      areLow(inputs, 'a', 'b'),
    run: (inputs, _attrs, backend, core) => {
      const [a, b] = [take(inputs, 'a'), take(inputs, 'b')]
      const shape = core.backend_util.assertAndGetBroadcastShape(a.shape, b.shape)
      const operands = [backend.dense(a), backend.dense(b)]
      return backend.runInto('compare', { op }, operands, [{ shape, dtype: 'bool' }])[0] as TensorInfo
    },
  }
}

/** Operands of one shape; a condition of one dimension chooses whole slices of the first. */
const select: NativeKernel = {
  name: 'Select',
  fits: (inputs) => {
    const [condition, t, e] = [take(inputs, 'condition'), take(inputs, 't'), take(inputs, 'e')]
    const areFloats = condition.dtype === 'bool' && t.dtype === 'float32' && e.dtype === 'float32'
    return areFloats && sizeOf(t.shape) > 0 && areLow(inputs, 't') && condition.shape.length > 0
  },
  run: (inputs, _attrs, backend) => {
    const [condition, t, e] = [take(inputs, 'condition'), take(inputs, 't'), take(inputs, 'e')]
    const seen = t.shape.map((extent, axis) => (axis < condition.shape.length ? extent : 1))
    return backend.run(
      'select',
      {},
      [backend.dense(condition, seen), backend.dense(t), backend.dense(e)],
      t.shape,
    )
  },
}

/** Bools and integers to float32, float32 to bool. Others, and casts that change nothing, are the CPU backend's. */
const cast: NativeKernel = {
  name: 'Cast',
  fits: (inputs, attrs) => {
    const { dtype, shape } = take(inputs, 'x')
    const to = attrs['dtype'] as DataType
    const widens = (dtype === 'bool' || dtype === 'int32') && to === 'float32'
    return (widens || (dtype === 'float32' && to === 'bool')) && sizeOf(shape) > 0
  },
  run: (inputs, attrs: Attrs, backend: NativeBackend) => {
    const x = take(inputs, 'x')
    const dtype = attrs['dtype'] as 'float32' | 'bool'
    const output = { shape: x.shape, seen: [sizeOf(x.shape)], dtype }
    return backend.runInto('cast', {}, [flatOf(backend, x)], [output])[0] as TensorInfo
  },
}

const each = (table: Readonly<Record<string, number>>, make: (name: string, op: number) => NativeKernel) =>
  Object.entries(table).map(([name, op]) => make(name, op))

export const ELEMENTWISE_KERNELS: readonly NativeKernel[] = [
  ...each(BINARY, binary),
  ...each(UNARY, unary),
  ...each(COMPARE, compare),
  clip,
  clampGradient,
  select,
  cast,
]
