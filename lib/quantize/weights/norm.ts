// The norm that adaptive rounding makes small: the second moments of a layer's inputs, damped and factored.

export interface ErrorNorm {
  readonly columns: number
  /** Symmetric and positive definite, row-major. */
  readonly matrix: Float64Array
  /** Columns from the smallest diagonal entry to the largest. */
  readonly order: Uint32Array
  /** R, upper triangular, row-major: `matrix` in that order is Rᵀ R. */
  readonly factor: Float64Array
}

/** Share of the mean of the diagonal that is added to it: samples are few, and columns may be alike or always 0. */
const DAMPING = 0.01
/** Where no input is ever other than 0, all errors are alike. */
const LEAST = 2 ** -100

/** @param moments Symmetric and positive semidefinite, columns x columns, such as E[x xᵀ]. */
export function errorNorm(moments: Float64Array, columns: number): ErrorNorm {
  const matrix = moments.slice()
  let trace = 0
  for (let i = 0; i < columns; i++) trace += matrix[i * columns + i] as number
  const damping = Math.max((trace / columns) * DAMPING, LEAST)
  for (let i = 0; i < columns; i++) matrix[i * columns + i] = (matrix[i * columns + i] as number) + damping
  const diagonal = (i: number) => matrix[i * columns + i] as number
  const order = Uint32Array.from({ length: columns }, (_, i) => i).sort((a, b) => diagonal(a) - diagonal(b))
  return { columns, matrix, order, factor: factorise(matrix, columns, order) }
}

/** Cholesky's factor, row by row; each row of it then is taken off the rows below, where both are read in order. */
function factorise(matrix: Float64Array, n: number, order: Uint32Array): Float64Array {
  const factor = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    const from = (order[i] as number) * n
    for (let j = i; j < n; j++) factor[i * n + j] = matrix[from + (order[j] as number)] as number
  }
  for (let i = 0; i < n; i++) {
    const pivot = factor.subarray(i * n, (i + 1) * n)
    const inverse = 1 / Math.sqrt(pivot[i] as number)
    for (let j = i; j < n; j++) pivot[j] = (pivot[j] as number) * inverse
    for (let k = i + 1; k < n; k++) {
      const share = pivot[k] as number
      if (share === 0) continue
      const row = k * n
      for (let j = k; j < n; j++) factor[row + j] = (factor[row + j] as number) - share * (pivot[j] as number)
    }
  }
  return factor
}
