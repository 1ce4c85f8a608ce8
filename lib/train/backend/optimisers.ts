// The optimisers of TensorFlow.js take one native step a variable where they would take some fifteen kernels. They keep
// their state as before, and their results are the same bits: every operation is rounded as theirs are.

import type { NamedTensorMap, Optimizer, Tensor, TensorInfo, Variable } from '@tensorflow/tfjs-core'
import type { NativeKernel } from './backend.js'
import { BACKEND } from './name.js'
import { type CoreModule, requireTfjs } from './tfjs.js'

/** Method of `native/kernels/update_f32`. */
export const METHODS = { sgd: 0, momentum: 1, nesterov: 2, adam: 3 }

interface Attributes {
  readonly method: number
  /** As the native contract lists them. */
  readonly numbers: Float32Array
}

/** Inputs w, g, m, v, as far as the method has them; outputs the new w, m, v. No kernel of TensorFlow.js. */
export const UPDATE = 'UpdateVariable'
export const update: NativeKernel<TensorInfo[]> = {
  name: UPDATE,
  fits: () => true,
  run: (inputs, attrs, backend) => {
    const { method, numbers } = attrs as unknown as Attributes
    const names = ['w', 'g', 'm', 'v'].filter((name) => inputs[name] !== undefined)
    const arrays = names.map((name) => backend.dense(inputs[name] as Tensor))
    const outputs = arrays.slice(1).map(({ shape }) => ({ shape }))
    return backend.runInto(
      'update',
      { method },
      [{ shape: [numbers.length], data: numbers }, ...arrays],
      outputs,
    )
  },
}

type Gradients = Parameters<Optimizer['applyGradients']>[0]

interface State {
  readonly originalName: string
  variable: Variable
}

/** The fields of the optimisers that their steps work with. */
interface Steps {
  incrementIterations(): void
}
interface Sgd extends Steps {
  readonly c: Tensor
}
interface Momentum extends Sgd {
  readonly m: Tensor
  readonly useNesterov: boolean
  readonly accumulations: State[]
}
interface Adam extends Steps {
  readonly learningRate: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly accBeta1: Variable
  readonly accBeta2: Variable
  readonly accumulatedFirstMoment: State[]
  readonly accumulatedSecondMoment: State[]
}

/** Replaces what the optimisers do on the backend `lowbit`; on others they do as before. */
export function registerOptimisers(): void {
  const core = requireTfjs<CoreModule>('core')
  replace<Sgd>(core, core.SGDOptimizer, (optimiser, each) => {
    const numbers = optimiser.c.dataSync<'float32'>()
    each((w, g) => step(core, { method: METHODS.sgd, numbers }, [w], g))
  })
  replace<Momentum>(core, core.MomentumOptimizer, (optimiser, each) => {
    const numbers = Float32Array.of(numberOf(optimiser.c), numberOf(optimiser.m))
    const method = optimiser.useNesterov ? METHODS.nesterov : METHODS.momentum
    each((w, g, i) => {
      const m = stateOf(core, optimiser.accumulations, i, w, 'momentum')
      step(core, { method, numbers }, [w, m], g)
    })
  })
  replace<Adam>(core, core.AdamOptimizer, (optimiser, each) => {
    const { learningRate, beta1, beta2, epsilon, accBeta1, accBeta2 } = optimiser
    const correction = (power: Variable) => 1 - numberOf(power)
    const numbers = Float32Array.of(
      ...[-learningRate, beta1, 1 - beta1, correction(accBeta1)],
      ...[beta2, 1 - beta2, correction(accBeta2), epsilon],
    )
    each((w, g, i) => {
      const m = stateOf(core, optimiser.accumulatedFirstMoment, i, w, 'm')
      const v = stateOf(core, optimiser.accumulatedSecondMoment, i, w, 'v')
      step(core, { method: METHODS.adam, numbers }, [w, m, v], g)
    })
    accBeta1.assign(core.mul(accBeta1, beta1))
    accBeta2.assign(core.mul(accBeta2, beta2))
  })
}

type Each = (work: (w: Variable, g: Tensor | undefined, i: number) => void) => void

function replace<T extends Steps>(
  core: CoreModule,
  optimiser: { readonly prototype: Optimizer },
  apply: (optimiser: T, each: Each) => void,
): void {
  const prototype = optimiser.prototype as unknown as { applyGradients(this: T, gradients: Gradients): void }
  const before = prototype.applyGradients
  prototype.applyGradients = function (gradients) {
    const all = pairs(core, gradients)
    const isOurs = all.every(([w, g]) => w.dtype === 'float32' && (g == null || g.dtype === 'float32'))
    if (core.getBackend() !== BACKEND || !isOurs) return before.call(this, gradients)
    core.tidy(() =>
      apply(this, (work) => {
        for (const [i, [w, g]] of all.entries()) work(w, g, i)
      }),
    )
    this.incrementIterations()
  }
}

function pairs(core: CoreModule, gradients: Gradients): (readonly [Variable, Tensor | undefined])[] {
  const named = Array.isArray(gradients)
    ? gradients.map(({ name, tensor }) => [name, tensor] as const)
    : Object.entries(gradients as NamedTensorMap)
  return named.map(([name, tensor]) => [core.engine().registeredVariables[name] as Variable, tensor])
}

/** One step for a variable and its states. A variable without a gradient stays as it is. */
function step(core: CoreModule, attrs: Attributes, [w, m, v]: Variable[], g: Tensor | undefined): void {
  if (g == null) return
  const inputs = { w, g, ...(m && { m }), ...(v && { v }) } as NamedTensorMap
  const made = core.engine().runKernel(UPDATE, inputs, attrs as never) as Tensor[]
  for (const [i, variable] of [w, m, v].entries()) if (variable) variable.assign(made[i] as Tensor)
}

/** The state of variable `i`, 0 at first. */
function stateOf(core: CoreModule, states: State[], i: number, of: Variable, name: string): Variable {
  states[i] ??= { originalName: `${of.name}/${name}`, variable: core.variable(core.zerosLike(of), false) }
  return states[i].variable
}

function numberOf(scalar: Tensor): number {
  return scalar.dataSync()[0] as number
}
