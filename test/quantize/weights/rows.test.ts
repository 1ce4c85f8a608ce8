// Tensors as rows, their inputs as columns, and the way from settings to codes.

import test from 'ava'
import { LayerInputSums } from '#lib/quantize/weights/layer-inputs.js'
import { layerGeometry } from '#lib/quantize/weights/patches.js'
import { quantizeRows, type RowSettings, rowValues } from '#lib/quantize/weights/quantize-rows.js'
import { fromRows, rowLayout, toRows } from '#lib/quantize/weights/rows.js'
import { normals } from '../../helpers/densities.js'

const SETTINGS: RowSettings = {
  bits: 4,
  scheme: 'symmetric',
  granularity: 'channel',
  groupSize: 32,
  method: 'uniform',
  clip: 'mse',
  rounding: 'nearest',
  breakpoint: 'search',
}

test('output channels are rows in every layout, and go back', (t) => {
  t.deepEqual(rowLayout('CONV_2D', [4, 3, 3, 2]), { rows: 4, columns: 18, axis: 0 })
  t.deepEqual(rowLayout('TRANSPOSE_CONV', [4, 3, 3, 2]), { rows: 4, columns: 18, axis: 0 })
  t.deepEqual(rowLayout('FULLY_CONNECTED', [5, 7]), { rows: 5, columns: 7, axis: 0 })
  const layout = rowLayout('DEPTHWISE_CONV_2D', [1, 1, 3, 2])
  t.deepEqual(layout, { rows: 2, columns: 3, axis: 3 })
  const stored = Float32Array.of(1, 2, 3, 4, 5, 6)
  const rows = toRows(stored, layout)
  t.deepEqual(rows, Float32Array.of(1, 3, 5, 2, 4, 6))
  t.deepEqual(fromRows(rows, layout), stored)
  t.deepEqual(fromRows(Int8Array.from(rows), layout), Int8Array.from(stored))
})

/** A layer's output by its columns must be the plain convolution. */
test('rows times columns are the layer', (t) => {
  const options = { padding: 0, strideH: 2, strideW: 1, dilationHFactor: 1, dilationWFactor: 2 }
  const [height, width, channels] = [5, 6, 4]
  const input = normals(1, 2 * height * width * channels)
  for (const [type, shape] of [
    ['CONV_2D', [3, 3, 2, 4]],
    ['CONV_2D', [6, 3, 2, 2]],
    ['DEPTHWISE_CONV_2D', [1, 3, 2, 8]],
  ] as const) {
    const geometry = layerGeometry(type, options, [2, height, width, channels], shape)
    if (geometry === undefined) throw new Error('no geometry')
    const layout = rowLayout(type, shape)
    const [filterHeight, filterWidth] = [shape[1], shape[2]]
    const depth = layout.columns / (filterHeight * filterWidth)
    t.is(geometry.columns, layout.columns)
    t.is(geometry.groups, channels / depth)
    t.is(geometry.places, 2 * 3 * 6)
    const patch = new Float32Array(layout.columns)
    for (let place = 0; place < geometry.places; place++) {
      for (let group = 0; group < geometry.groups; group++) {
        geometry.copy(input, place, group, patch, 0)
        const [batch, y, x] = [Math.floor(place / 18), Math.floor((place % 18) / 6), place % 6]
        const expected: number[] = []
        for (let i = 0; i < filterHeight; i++) {
          for (let j = 0; j < filterWidth; j++) {
            // Same padding: 5 rows by steps of 2 want one row before; 3 columns of reach at steps of 1 want one too.
            const [row, column] = [2 * y - 1 + i, x - 1 + 2 * j]
            for (let c = 0; c < depth; c++) {
              const at = ((batch * height + row) * width + column) * channels + group * depth + c
              expected.push(
                row < 0 || row >= height || column < 0 || column >= width ? 0 : (input[at] as number),
              )
            }
          }
        }
        t.deepEqual([...patch], expected, `${type} ${place} ${group}`)
      }
    }
  }
})

test('moments of many columns come in blocks', (t) => {
  const geometry = layerGeometry('FULLY_CONNECTED', {}, [3, 2050], [4, 2050])
  if (geometry === undefined) throw new Error('no geometry')
  const sums = new LayerInputSums(geometry, { places: 2, seed: 1, products: true })
  sums.add(normals(1, 3 * 2050))
  const { columns, groups } = sums.result()
  t.is(columns, 2050)
  t.deepEqual(
    groups.map((blocks) => blocks.map((block) => block.columns)),
    [[684, 684, 682]],
  )
  t.is(groups[0]?.[0]?.count, 2)
})

test('codes and scales of every granularity give the values back to half a step', (t) => {
  const [rows, columns] = [3, 64]
  const values = normals(9, rows * columns).map((value, i) => value * (1 + Math.floor(i / 32)))
  for (const [granularity, scales] of [
    ['tensor', 1],
    ['channel', 3],
    ['group', 6],
  ] as const) {
    const quantized = quantizeRows(
      values,
      { rows, columns },
      { ...SETTINGS, granularity, clip: 'max', bits: 8 },
    )
    t.is(quantized.scale.length, scales)
    t.is(quantized.type, 'int8')
    const perScale = values.length / scales
    rowValues(quantized).forEach((value, i) => {
      const scale = quantized.scale[Math.floor(i / perScale)] as number
      t.true(Math.abs(value - (values[i] as number)) <= scale * 0.5001)
    })
  }
})

test('the type is the narrowest that the file has; tables say which codes are in use', (t) => {
  const quantized = (settings: Partial<RowSettings>) =>
    quantizeRows(normals(4, 40), { rows: 2, columns: 20 }, { ...SETTINGS, ...settings })
  const types = [2, 3, 4, 5, 6, 8].map((bits) => [
    quantized({ bits }).type,
    quantized({ bits }).tables?.length,
  ])
  t.deepEqual(types, [
    ['int2', undefined],
    ['int4', 2],
    ['int4', undefined],
    ['int8', 2],
    ['int8', 2],
    ['int8', undefined],
  ])
  const piecewise = quantized({ method: 'piecewise' })
  t.is(piecewise.type, 'int8')
  piecewise.codes.forEach((code, i) => {
    t.true(piecewise.tables?.[Math.floor(i / 20)]?.includes(code))
  })
})

test('groups must divide the columns', (t) => {
  const settings = { ...SETTINGS, granularity: 'group', groupSize: 7 } as const
  t.throws(() => quantizeRows(normals(1, 20), { rows: 1, columns: 20 }, settings), { code: 'OPTION_INVALID' })
})

test('adaptive rounding keeps the output nearer, in all blocks and groups', (t) => {
  const cases = [
    ['FULLY_CONNECTED', {}, [200, 1100], [2, 1100], 0.5],
    // Nine weights a row leave little to choose.
    ['DEPTHWISE_CONV_2D', { padding: 1 }, [1, 20, 20, 3], [1, 3, 3, 6], 0.95],
  ] as const
  for (const [type, options, input, shape, most] of cases) {
    const geometry = layerGeometry(type, options, input, shape)
    if (geometry === undefined) throw new Error('no geometry')
    const layout = rowLayout(type, shape)
    const sums = new LayerInputSums(geometry, { places: 1000, seed: 1, products: true })
    const data = normals(
      5,
      input.reduce<number>((a, b) => a * b, 1),
    ).map((value, i, all) => Math.max(value + (all[i - 1] ?? 0), 0))
    sums.add(data)
    const values = normals(6, layout.rows * layout.columns)
    const error = (rounding: 'nearest' | 'adaptive') => {
      const settings = { ...SETTINGS, bits: 3, clip: 'max', rounding } as const
      const statistics = { inputs: sums.result(), isMeanCorrected: false }
      const real = rowValues(quantizeRows(values, layout, settings, statistics))
      const patch = new Float32Array(layout.columns)
      let sum = 0
      for (let place = 0; place < geometry.places; place++) {
        for (let row = 0; row < layout.rows; row++) {
          geometry.copy(data, place, Math.floor((row * geometry.groups) / layout.rows), patch, 0)
          const from = row * layout.columns
          sum +=
            patch.reduce(
              (e, x, c) => e + x * ((values[from + c] as number) - (real[from + c] as number)),
              0,
            ) ** 2
        }
      }
      return sum
    }
    t.true(
      error('adaptive') < most * error('nearest'),
      `${type}: ${error('adaptive')} of ${error('nearest')}`,
    )
  }
})
