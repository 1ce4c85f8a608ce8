// The entry `lowbit/kernels`: bare integer kernels for people with a graph of their own.

export {
  type Cpu,
  conv2d,
  cpu,
  depthwiseConv2d,
  fullyConnected,
  gemm,
  type ShapedOutput,
} from './bare/kernels.js'
export type { Conv2dOptions, DepthwiseConv2dOptions, GemmOptions } from './bare/layers.js'
export type { KernelActivation, OutputOptions } from './bare/output-codes.js'
export { type ErrorCode, LowbitError } from './errors.js'
