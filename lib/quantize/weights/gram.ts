// What a layer's inputs are like: means and second moments of the columns that its weights multiply.

/** Expected values over all inputs x (one im2col row) of a layer, or of one channel of a depthwise layer. */
export interface InputMoments {
  readonly columns: number
  readonly count: number
  /** E[x]. */
  readonly mean: Float64Array
  /** E[x xᵀ], columns x columns, row-major, both halves; empty if it was not asked for. */
  readonly gram: Float64Array
}

/** Rows that are multiplied at once: a block of them stays in the nearest caches. */
const BLOCK = 32

export class MomentSums {
  readonly #columns: number
  readonly #sum: Float64Array
  /** Upper half. */
  readonly #products: Float64Array
  #count = 0

  constructor(columns: number, { products }: { products: boolean }) {
    this.#columns = columns
    this.#sum = new Float64Array(columns)
    this.#products = new Float64Array(products ? columns * columns : 0)
  }

  /** @param inputs Any number of rows of `columns` values each. */
  add(inputs: Float32Array): void {
    const columns = this.#columns
    const rows = columns === 0 ? 0 : inputs.length / columns
    for (let i = 0; i < rows * columns; i++) {
      const column = i % columns
      this.#sum[column] = (this.#sum[column] as number) + (inputs[i] as number)
    }
    if (this.#products.length > 0) {
      for (let from = 0; from < rows; from += BLOCK) {
        this.#multiply(inputs.subarray(from * columns, Math.min(from + BLOCK, rows) * columns))
      }
    }
    this.#count += rows
  }

  result(): InputMoments {
    const columns = this.#columns
    const count = Math.max(this.#count, 1)
    const gram = new Float64Array(this.#products.length)
    for (let i = 0; gram.length > 0 && i < columns; i++) {
      for (let j = i; j < columns; j++) {
        const value = (this.#products[i * columns + j] as number) / count
        gram[i * columns + j] = value
        gram[j * columns + i] = value
      }
    }
    return { columns, count: this.#count, mean: this.#sum.map((sum) => sum / count), gram }
  }

  #multiply(block: Float32Array): void {
    const columns = this.#columns
    const rows = block.length / columns
    const products = this.#products
    for (let i = 0; i < columns; i++) {
      const out = products.subarray(i * columns, (i + 1) * columns)
      for (let r = 0; r < rows; r++) {
        const factor = block[r * columns + i] as number
        // Inputs behind a ReLU are often 0.
        if (factor === 0) continue
        const row = r * columns
        for (let j = i; j < columns; j++) out[j] = (out[j] as number) + factor * (block[row + j] as number)
      }
    }
  }
}

/** E[x xᵀ] - E[x] E[x]ᵀ: what counts where the bias takes up the mean error. */
export function covariance({ columns, mean, gram }: InputMoments): Float64Array {
  const result = gram.slice()
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < columns; j++) {
      result[i * columns + j] =
        (result[i * columns + j] as number) - (mean[i] as number) * (mean[j] as number)
    }
  }
  return result
}
