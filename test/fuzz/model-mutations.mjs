// Changes of decoded models, which are then written as files again: the file itself stays sound, so that these reach
// operators, planner and kernels. Extents, types, operands, options, scales and constants are changed.
import { source } from './file-mutations.mjs'

const DTYPES = ['int8', 'uint8', 'int16', 'int32', 'int64', 'float32', 'float16', 'bool', 'int4', 'int2']
const ENDS = [-1, 0, 1, 2, 127, 128, 255, 256, 32768, 65536, 2 ** 20, 2 ** 24, 2 ** 31 - 1, -(2 ** 31)]
const REALS = [0, -0, 1, -1, 1e-30, 1e30, 1e-45, 3e38, Number.NaN, Number.POSITIVE_INFINITY]

/** A model like the given one, with a few changes. */
export function mutateModel(model, next) {
  const { below, pick } = source(next)
  const place = below(3) ? 0 : below(model.subgraphs.length)
  const graph = model.subgraphs[place]
  const tensors = graph.tensors.map((tensor) => ({ ...tensor }))
  const operators = graph.operators.map((operator) => ({ ...operator }))
  const number = (old) =>
    pick([old + 1, old - 1, old * 2, old >> 1, -old, below(6), below(6), below(40), pick(ENDS)])
  const changed = (list, change = number) => list.with(below(list.length), change(pick(list)))

  const changes = {
    extent: (tensor) => {
      if (tensor.shape.length === 0 || below(8) === 0) {
        tensor.shape = pick([[], [1, ...tensor.shape], tensor.shape.slice(1), [...tensor.shape, 1]])
      } else {
        tensor.shape = changed(tensor.shape, (old) => pick([old + 1, old - 1, 1, 0, old * 2, number(old)]))
      }
      tensor.shapeSignature = tensor.shape
    },
    // The same extent wherever it occurs, so that operands go on fitting together.
    extents: () => {
      const old = pick(pick(tensors).shape)
      const to = pick([old + 1, old - 1, 1, 0, old * 2, below(20)])
      for (const tensor of tensors) {
        if (tensor.data !== undefined && below(2)) continue
        tensor.shape = tensor.shape.map((extent) => (extent === old ? to : extent))
        tensor.shapeSignature = tensor.shape
      }
    },
    dtype: (tensor) => {
      tensor.dtype = pick(DTYPES)
    },
    dtypes: (tensor) => {
      const [old, to] = [tensor.dtype, pick(DTYPES)]
      for (const other of tensors) if (other.dtype === old) other.dtype = to
    },
    quantization: (tensor) => {
      const { scale, zeroPoint, axis } = tensor.quantization ?? { scale: [1], zeroPoint: [0], axis: 0 }
      const real = (old) => pick([old * 2, old / 3, old * 1000, old / 1000, pick(REALS)])
      tensor.quantization = {
        scale: Float32Array.from(below(2) ? scale : scale.length > 0 ? changed([...scale], real) : [real(1)]),
        zeroPoint: Int32Array.from(below(2) || zeroPoint.length === 0 ? zeroPoint : changed([...zeroPoint])),
        axis: below(4) ? axis : below(5),
      }
      if (below(10) === 0) delete tensor.quantization
    },
    // Words of constants: axes, shapes and paddings among them; or bytes of weights.
    data: (tensor) => {
      if (tensor.data === undefined || tensor.data.length === 0) return
      const data = new Uint8Array(tensor.data)
      const view = new DataView(data.buffer)
      if (data.length >= 4 && below(4)) {
        const at = 4 * below(data.length >> 2)
        view.setInt32(at, number(view.getInt32(at, true)), true)
      } else {
        data[below(data.length)] = pick([0, 1, 127, 128, 255])
      }
      tensor.data = data
    },
    constant: (tensor) => {
      if (tensor.data !== undefined) delete tensor.data
      else tensor.data = new Uint8Array(below(64)).fill(below(256))
    },
    operand: (_, operator) => {
      const list = below(5) ? 'inputs' : 'outputs'
      if (operator[list].length === 0) return
      operator[list] = changed(operator[list], () => below(tensors.length + 1) - 1)
    },
    arity: (_, operator) => {
      operator.inputs = pick([
        operator.inputs.slice(1),
        operator.inputs.slice(0, -1),
        [...operator.inputs, -1],
      ])
    },
    type: (_, operator) => {
      const { code, type, options } = pick(operators)
      Object.assign(operator, { code, type, ...(below(2) && { options }) })
    },
    option: (_, operator) => {
      const entries = Object.entries(operator.options)
      if (entries.length === 0) return
      const [name, old] = pick(entries)
      const value =
        typeof old === 'boolean'
          ? !old
          : typeof old === 'number'
            ? pick([number(old | 0), number(old | 0), old / 2])
            : Array.isArray(old) && old.length > 0
              ? changed(old)
              : old
      operator.options = { ...operator.options, [name]: value }
    },
  }
  const kinds = [
    'extent',
    'extents',
    'extents',
    'dtype',
    'dtypes',
    'quantization',
    'data',
    'data',
    'constant',
  ]
  const all = [...kinds, 'operand', 'arity', 'type', 'option', 'option', 'option', 'option']
  for (
    let left = pick([1, 1, 1, 2, 2, 3, 5]);
    left > 0 && tensors.length > 0 && operators.length > 0;
    left--
  ) {
    changes[pick(all)](pick(tensors), pick(operators))
  }
  return { ...model, subgraphs: model.subgraphs.with(place, { ...graph, tensors, operators }) }
}
