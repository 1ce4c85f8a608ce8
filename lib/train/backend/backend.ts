// The backend `lowbit` of TensorFlow.js: its CPU backend, whose float32 kernels that matter are native.

import type { DataType, KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import { ArrayPool } from './memory.js'
import { type Attributes, type Dense, runStep } from './steps.js'
import { type CoreModule, type CpuBackend, type CpuModule, requireTfjs } from './tfjs.js'

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
}

/** The class of the backend, made of the class that the installed package has. */
export function backendClass({ MathBackendCPU }: CpuModule): new () => NativeBackend {
  return class LowbitBackend extends MathBackendCPU implements NativeBackend {
    readonly #pool = new ArrayPool()

    constructor() {
      super()
      this.firstUse = false
    }

    dense(tensor: TensorInfo, shape: readonly number[] = tensor.shape): Dense {
      return { shape, data: this.data.get(tensor.dataId).values as Float32Array }
    }

    run(
      kind: string,
      attributes: Attributes,
      inputs: readonly Dense[],
      shape: readonly number[],
      seen = shape,
    ): TensorInfo {
      const data = this.#pool.take(shape.reduce((count, extent) => count * extent, 1))
      runStep(kind, attributes, inputs, { shape: seen, data })
      const dataId = super.write(data, [...shape], 'float32')
      return { dataId, shape: [...shape], dtype: 'float32' }
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
      const values = this.data.has(dataId) ? this.data.get(dataId).values : undefined
      const isGone = super.disposeData(dataId, force)
      if (isGone) this.#pool.give(values)
      return isGone
    }
  }
}

/** A kernel, and whether it takes these inputs; the CPU backend's has the others. */
export interface NativeKernel {
  readonly name: string
  fits(inputs: Readonly<Record<string, TensorInfo>>, attrs: Readonly<Record<string, unknown>>): boolean
  run(
    inputs: Readonly<Record<string, TensorInfo>>,
    attrs: Readonly<Record<string, unknown>>,
    backend: NativeBackend,
    core: CoreModule,
  ): TensorInfo
}

/** Registers the backend, all kernels of the CPU backend under its name, and the native ones over them. */
export function registerBackend(name: string, kernels: readonly NativeKernel[]): void {
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

function withFallback(
  kernel: NativeKernel,
  config: KernelConfig,
  core: CoreModule,
): KernelConfig['kernelFunc'] {
  return (params) => {
    const inputs = params.inputs as Record<string, TensorInfo>
    const attrs = (params.attrs ?? {}) as Record<string, unknown>
    if (!kernel.fits(inputs, attrs)) return config.kernelFunc(params)
    return kernel.run(inputs, attrs, params.backend as NativeBackend, core)
  }
}
