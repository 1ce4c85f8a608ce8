// Writes .npy files.

import type { TypedArray } from '#lib/tensor/dtype.js'

export interface NpyOptions {
  readonly descr?: string
  readonly version?: number
  readonly fortran?: boolean
}

export function npy(data: TypedArray, shape: readonly number[], options: NpyOptions = {}): Uint8Array {
  const { descr = '<f4', version = 1, fortran = false } = options
  const extents = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${extents}), }\n`
  const start = version === 1 ? 10 : 12
  const bytes = new Uint8Array(start + text.length + data.byteLength)
  bytes.set([0x93, ...Buffer.from('NUMPY'), version, 0])
  const view = new DataView(bytes.buffer)
  if (version === 1) view.setUint16(8, text.length, true)
  else view.setUint32(8, text.length, true)
  bytes.set(Buffer.from(text), start)
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start + text.length)
  return bytes
}
