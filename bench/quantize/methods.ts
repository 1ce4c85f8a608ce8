// What is compared with what: one table a method, one column a file.

export interface Method {
  readonly title: string
  /** `float`, `given`, or the ending of files in `made`: NAME.COLUMN.tflite. */
  readonly columns: readonly string[]
}

export const METHODS: readonly Method[] = [
  { title: 'Full integer, 8 bits', columns: ['float', 'given', 'aeq-int8', 'tf-int8', 'lowbit-int8'] },
  {
    title: 'Full integer, 8 bits: what repairs give',
    columns: [
      'float',
      'lowbit-int8-plain',
      'lowbit-int8-bias',
      'lowbit-int8-adaptive',
      'lowbit-int8-adaptive-bias',
    ],
  },
  {
    title: 'Activations 16 bits, weights 8 bits',
    columns: ['float', 'aeq-int16x8', 'tf-int16x8', 'lowbit-int16x8'],
  },
  {
    title: 'Weights 8 bits, activations quantised in the run',
    columns: ['float', 'aeq-dynamic8', 'lowbit-int8-dynamic'],
  },
  { title: 'Weights 8 bits, activations float32', columns: ['float', 'aeq-weights8', 'lowbit-weights8'] },
  {
    title: 'Weights 4 bits; activations float32, quantised in the run, 8 bits',
    columns: [
      'float',
      'aeq-weights4',
      'aeq-weights4-mse',
      'aeq-weights4-octav',
      'aeq-dynamic4',
      'lowbit-int4-dynamic',
      'lowbit-int4-weights',
      'lowbit-pwlq4',
    ],
  },
]
