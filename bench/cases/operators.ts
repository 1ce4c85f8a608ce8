// Operators of real models that multiply no weights, as rows: what the bench times beside the layers.

export type OperatorDtype = 'int8' | 'int16' | 'float32'

export interface OperatorCase {
  readonly kind: 'operator'
  readonly name: string
  /** As graphs name it (`add`), and its attributes there. */
  readonly op: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly dtype: OperatorDtype
  readonly inputs: readonly (readonly number[])[]
  readonly output: readonly number[]
  /** Constants that follow the inputs. */
  readonly constants?: readonly (readonly number[])[]
  /** Scales of the inputs and of the output, for codes. */
  readonly scales?: readonly number[]
}

const PLAIN = { activation: 0, powerOfTwoScales: false }
const SCALES = [0.0231, 0.0187, 0.0302]
const bytes = { kind: 'operator', dtype: 'int8', attributes: PLAIN, scales: SCALES } as const
const reals = { kind: 'operator', dtype: 'float32', attributes: PLAIN } as const
const same = (shape: readonly number[], inputs = 1) => ({
  inputs: Array.from({ length: inputs }, () => shape),
  output: shape,
})

export const OPERATORS: readonly OperatorCase[] = [
  { ...bytes, name: 'resnet8 add 32x32x16', op: 'add', ...same([1, 32, 32, 16], 2) },
  { ...bytes, name: 'resnet50 add 28x28x512', op: 'add', ...same([1, 28, 28, 512], 2) },
  {
    ...bytes,
    name: 'mobilenet_v3s excite 56x56x16',
    op: 'mul',
    inputs: [
      [1, 56, 56, 16],
      [1, 1, 1, 16],
    ],
    output: [1, 56, 56, 16],
    scales: [0.0028, 0.00208, 0.00139],
  },
  { ...bytes, name: 'mobilenet_v3s hard swish 112x112x16', op: 'hard_swish', ...same([1, 112, 112, 16]) },
  {
    ...bytes,
    name: 'movenet resize 24x24-48x48 x64',
    op: 'resize_bilinear',
    attributes: { alignCorners: false, halfPixelCenters: true },
    inputs: [[1, 24, 24, 64]],
    output: [1, 48, 48, 64],
    constants: [[48, 48]],
    scales: [0.02, 0.02],
  },
  { ...bytes, dtype: 'int16', name: 'resnet8 add 32x32x16 int16', op: 'add', ...same([1, 32, 32, 16], 2) },
  { ...reals, name: 'bert add 128x256', op: 'add', ...same([1, 128, 256], 2) },
  {
    ...reals,
    name: 'bert gelu 128x1024',
    op: 'gelu',
    attributes: { approximate: true },
    ...same([1, 128, 1024]),
  },
  {
    ...reals,
    name: 'bert softmax 4x128x128',
    op: 'softmax',
    attributes: { beta: 1 },
    ...same([1, 4, 128, 128]),
  },
  {
    ...reals,
    name: 'bert attention 4x128x64',
    op: 'batch_matmul',
    attributes: { adjointA: false, adjointB: true },
    inputs: [
      [4, 128, 64],
      [4, 128, 64],
    ],
    output: [4, 128, 128],
  },
]
