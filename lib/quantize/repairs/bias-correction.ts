// The mean error of a layer's output, taken off its bias.
//
// Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019, section 4.2. A row
// of weights w becomes w', its inputs x become x'; its output then errs by E[w x] - E[w' x'] in the mean, which a bias
// takes up. `analytic`: x' is taken for x, so that one pass over the float model is enough. `empirical`: E[x'] is that of
// the quantised model, with the errors of all that comes before the layer.

import { columnMeans, type LayerInputs } from '../weights/layer-inputs.js'

/** Weights as rows, and the inputs that they are multiplied with. */
export interface WeighedInputs {
  readonly values: Float32Array
  readonly inputs: LayerInputs
}

/** E[w x] - E[w' x'] for each of `rows` rows: what is to be added to the bias. */
export function meanError(before: WeighedInputs, after: WeighedInputs, rows: number): Float64Array {
  const [wanted, given] = [meanOutputs(before, rows), meanOutputs(after, rows)]
  return wanted.map((mean, row) => mean - (given[row] as number))
}

function meanOutputs({ values, inputs }: WeighedInputs, rows: number): Float64Array {
  const { columns, groups } = inputs
  const means = groups.map((_, group) => columnMeans(inputs, group))
  return Float64Array.from({ length: rows }, (_, row) => {
    const mean = means[Math.floor((row * groups.length) / rows)] as Float64Array
    let sum = 0
    for (let c = 0; c < columns; c++) sum += (values[row * columns + c] as number) * (mean[c] as number)
    return sum
  })
}
