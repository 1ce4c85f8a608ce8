// Layer shapes of real models, as rows: what the bench times.

/** [height, width, channels] of the input, filter and stride; batch 1, `same` padding. */
export interface WindowCase {
  readonly kind: 'conv' | 'depthwise'
  readonly name: string
  readonly input: readonly [number, number, number]
  readonly filter: number
  readonly stride: number
  /** Output channels; those of the input for depthwise. */
  readonly channels: number
}

export interface GemmCase {
  readonly kind: 'gemm'
  readonly name: string
  readonly m: number
  readonly n: number
  readonly k: number
}

export type LayerCase = WindowCase | GemmCase

const conv = (
  name: string,
  input: readonly [number, number, number],
  filter: number,
  stride: number,
  channels: number,
): WindowCase => ({ kind: 'conv', name, input, filter, stride, channels })

const depthwise = (
  name: string,
  input: readonly [number, number, number],
  filter: number,
  stride: number,
): WindowCase => ({ kind: 'depthwise', name, input, filter, stride, channels: input[2] })

const gemm = (name: string, m: number, n: number, k: number): GemmCase => ({ kind: 'gemm', name, m, n, k })

export const CASES: readonly LayerCase[] = [
  conv('mobilenet_v1 stem 3x3 s2', [224, 224, 3], 3, 2, 32),
  conv('mobilenet_v1 1x1 112x112 32-64', [112, 112, 32], 1, 1, 64),
  conv('mobilenet_v1 1x1 56x56 128-128', [56, 56, 128], 1, 1, 128),
  conv('mobilenet_v1 1x1 14x14 512-512', [14, 14, 512], 1, 1, 512),
  conv('mobilenet_v1 1x1 7x7 1024-1024', [7, 7, 1024], 1, 1, 1024),
  conv('mobilenet_v2 expand 56x56 24-144', [56, 56, 24], 1, 1, 144),
  conv('mobilenet_v2 project 14x14 576-96', [14, 14, 576], 1, 1, 96),
  conv('mobilenet_v2 head 7x7 320-1280', [7, 7, 320], 1, 1, 1280),
  depthwise('mobilenet_v1 dw 112x112x32', [112, 112, 32], 3, 1),
  depthwise('mobilenet_v1 dw 112x112x64 s2', [112, 112, 64], 3, 2),
  depthwise('mobilenet_v1 dw 14x14x512', [14, 14, 512], 3, 1),
  depthwise('mobilenet_v1 dw 14x14x512 s2', [14, 14, 512], 3, 2),
  depthwise('mobilenet_v2 dw 56x56x144', [56, 56, 144], 3, 1),
  depthwise('mobilenet_v2 dw 7x7x960', [7, 7, 960], 3, 1),
  depthwise('efficientnet_lite0 dw5 28x28x240', [28, 28, 240], 5, 1),
  depthwise('mobilenet_v3s dw5 28x28x96 s2', [28, 28, 96], 5, 2),
  depthwise('mobilenet_v3s dw5 7x7x576', [7, 7, 576], 5, 1),
  depthwise('dscnn_kws dw 25x5x64', [25, 5, 64], 3, 1),
  depthwise('vww dw 48x48x8', [48, 48, 8], 3, 1),
  conv('resnet8 3x3 32x32 16-16', [32, 32, 16], 3, 1, 16),
  conv('resnet8 3x3 8x8 64-64', [8, 8, 64], 3, 1, 64),
  conv('resnet50 3x3 56x56 64-64', [56, 56, 64], 3, 1, 64),
  conv('resnet50 3x3 28x28 128-128', [28, 28, 128], 3, 1, 128),
  conv('resnet50 3x3 14x14 256-256', [14, 14, 256], 3, 1, 256),
  conv('resnet50 3x3 7x7 512-512', [7, 7, 512], 3, 1, 512),
  conv('3x3 112x112 32-32', [112, 112, 32], 3, 1, 32),
  conv('3x3 28x28 192-96', [28, 28, 192], 3, 1, 96),
  conv('3x3 17x17 128-192', [17, 17, 128], 3, 1, 192),
  gemm('mobilenet_v1 head 1x1024-1001', 1, 1001, 1024),
  gemm('ad_fc 1x640-128', 1, 128, 640),
  gemm('bert 128x768-3072', 128, 3072, 768),
]
