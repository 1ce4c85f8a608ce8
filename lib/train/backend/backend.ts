// The backend `lowbit` of TensorFlow.js: its CPU backend, whose float32 kernels that matter are native.

import type { DataType, KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import { elementCount } from '../../tensor/shape.js'
import { type LaterStep, LaterSteps } from './later.js'
import { ArrayPool } from './memory.js'
import { type Attributes, type Dense, dropPrograms, runStep } from './steps.js'
import { type CoreModule, type CpuBackend, type CpuModule, requireTfjs } from './tfjs.js'

/** A tensor that a step makes. `seen` is how the step sees its shape. */
export interface Output {
  readonly shape: readonly number[]
  readonly seen?: readonly number[]
  readonly dtype?: 'float32' | 'bool'
}

/** What the kernels see of the backend. */
export interface NativeBackend extends CpuBackend {
  /** A tensor's numbers with its shape, or another one of as many elements. */
  dense(tensor: TensorInfo, shape?: readonly number[]): Dense
  /** Runs a native step into a new tensor of type float32. `seen` is how the step sees its shape. */
  run(
    kind: string,
    attributes: Attributes,
    inputs: readonly Dense[],
    shape: readonly number[],
    seen?: readonly number[],
  ): TensorInfo
  /** As `run`, once somebody asks for the numbers; `shape` is the tensor's. */
  runLater(step: LaterStep, shape?: readonly number[]): TensorInfo
  /** The step that a tensor waits for. */
  waiting(tensor: TensorInfo): LaterStep | undefined
  /** Runs a native step into new tensors. */
  runInto(
    kind: string,
    attributes: Attributes,
    inputs: readonly Dense[],
    outputs: readonly Output[],
  ): TensorInfo[]
}

/** The class of the backend, made of the class that the installed package has. */
export function backendClass({ MathBackendCPU }: CpuModule): new () => NativeBackend {
  return class LowbitBackend extends MathBackendCPU implements NativeBackend {
    readonly #pool = new ArrayPool()
    readonly #later = new LaterSteps(this.#pool)

    constructor() {
      super()
      this.firstUse = false
    }

    dense(tensor: TensorInfo, shape: readonly number[] = tensor.shape): Dense {
      const { values } = this.data.get(tensor.dataId)
      return { shape, data: arrayOf(values, tensor.dtype) }
    }

    run(
      kind: string,
      attributes: Attributes,
      inputs: readonly Dense[],
      shape: readonly number[],
      seen = shape,
    ): TensorInfo {
      return this.runInto(kind, attributes, inputs, [{ shape, seen }])[0] as TensorInfo
    }

    runInto(
      kind: string,
      attributes: Attributes,
      inputs: readonly Dense[],
      outputs: readonly Output[],
    ): TensorInfo[] {
      const made = outputs.map(({ shape, seen = shape, dtype }) => {
        const count = elementCount(shape)
        return { shape: seen, data: dtype === 'bool' ? new Uint8Array(count) : this.#pool.take(count) }
      })
      runStep(kind, attributes, inputs, made)
      return outputs.map(({ shape, dtype = 'float32' }, i) => {
        const dataId = super.write(made[i]?.data as never, [...shape], dtype)
        return { dataId, shape: [...shape], dtype }
      })
    }

    runLater(step: LaterStep, shape = step.shape): TensorInfo {
      const dataId = super.write(undefined as never, [...shape], 'float32')
      this.#later.put(dataId, this.data.get(dataId), step)
      return { dataId, shape: [...shape], dtype: 'float32' }
    }

    waiting({ dataId }: TensorInfo): LaterStep | undefined {
      return this.#later.of(dataId)
    }

    // Kernels in JavaScript may hand on memory of their inputs.
    override write(values: never, shape: number[], dtype: DataType): object {
      this.#pool.keep(values)
      return super.write(values, shape, dtype)
    }

    override readSync(dataId: object): never {
      this.#pool.keep(this.data.get(dataId).values)
      return super.readSync(dataId) as never
    }

    override disposeData(dataId: object, force = false): boolean {
      const waits = this.#later.of(dataId) !== undefined
      const values = waits || !this.data.has(dataId) ? undefined : this.data.get(dataId).values
      const isGone = super.disposeData(dataId, force)
      if (isGone) {
        this.#later.drop(dataId)
        this.#pool.give(values)
      }
      return isGone
    }

    override dispose(): void {
      this.#pool.clear()
      dropPrograms()
    }
  }
}

// The CPU backend's casts to a wider type only rename it: a float32 may hold whatever it was before.
function arrayOf(values: unknown, dtype: DataType): Dense['data'] {
  if (dtype === 'float32')
    return values instanceof Float32Array ? values : Float32Array.from(values as number[])
  if (dtype === 'int32') return values instanceof Int32Array ? values : Int32Array.from(values as number[])
  return values instanceof Uint8Array ? values : Uint8Array.from(values as number[])
}

/** A kernel, and whether it takes these inputs; the CPU backend's has the others. */
export interface NativeKernel<Made extends TensorInfo | TensorInfo[] = TensorInfo> {
  readonly name: string
  fits(
    inputs: Readonly<Record<string, TensorInfo>>,
    attrs: Readonly<Record<string, unknown>>,
    backend: NativeBackend,
    core: CoreModule,
  ): boolean
  run(
    inputs: Readonly<Record<string, TensorInfo>>,
    attrs: Readonly<Record<string, unknown>>,
    backend: NativeBackend,
    core: CoreModule,
  ): Made
}

type AnyKernel = NativeKernel<TensorInfo | TensorInfo[]>

/** Registers the backend, all kernels of the CPU backend under its name, and the native ones over them. */
export function registerBackend(name: string, kernels: readonly AnyKernel[]): void {
  const core = requireTfjs<CoreModule>('core')
  const cpu = requireTfjs<CpuModule>('backend-cpu')
  const Backend = backendClass(cpu)
  core.registerBackend(name, () => new Backend(), 3)
  const native = new Map(kernels.map((kernel) => [kernel.name, kernel]))
  for (const config of core.getKernelsForBackend('cpu')) {
    const kernel = native.get(config.kernelName)
    native.delete(config.kernelName)
    core.registerKernel({
      ...config,
      backendName: name,
      ...(kernel && { kernelFunc: withFallback(kernel, config, core) }),
    })
  }
  for (const kernel of native.values()) {
    core.registerKernel({
      kernelName: kernel.name,
      backendName: name,
      kernelFunc: ({ inputs, attrs, backend }) =>
        kernel.run(inputs as never, (attrs ?? {}) as never, backend as NativeBackend, core),
    })
  }
}

function withFallback(kernel: AnyKernel, config: KernelConfig, core: CoreModule): KernelConfig['kernelFunc'] {
  return (params) => {
    const inputs = params.inputs as Record<string, TensorInfo>
    const attrs = (params.attrs ?? {}) as Record<string, unknown>
    const backend = params.backend as NativeBackend
    if (!kernel.fits(inputs, attrs, backend, core)) return config.kernelFunc(params)
    return kernel.run(inputs, attrs, backend, core)
  }
}
