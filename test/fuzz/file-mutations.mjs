// Changes of .tflite files: of bytes, and of what a flatbuffer is made of (offsets, tables, vectors, their lengths).
// All by one seeded source of random numbers, so that a seed gives the same file again.

const ENDS = [0, 1, 2, 3, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff]

/** Random integers, below `limit` each. */
export function source(next) {
  const below = (limit) => (limit > 0 ? next() % limit : 0)
  return { below, pick: (list) => list[below(list.length)] }
}

/**
 * Places of a flatbuffer by what they hold, found by following everything that looks like a table: `offset` (u32 that
 * points forwards), `length` (u32 before a vector), `slot` (u16 of a vtable), `scalar` (a field of a table), `item` (an
 * element of a vector that is not an offset). At most `most` tables are visited.
 */
export function flatbufferPlaces(bytes, most = 4000) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const places = { offset: [], length: [], slot: [], scalar: [], item: [] }
  const seen = new Set()
  const fits = (at, size) => at >= 0 && at + size <= bytes.length
  const queue = []
  const follow = (at) => {
    if (!fits(at, 4)) return
    const to = at + view.getUint32(at, true)
    if (!fits(to, 4) || seen.has(to)) return
    queue.push(to)
    seen.add(to)
  }
  const isTable = (at) => {
    const vtable = at - view.getInt32(at, true)
    if (!fits(vtable, 4) || vtable === at) return false
    const size = view.getUint16(vtable, true)
    return (
      size >= 4 && size % 2 === 0 && size < 200 && fits(vtable, size) && view.getUint16(vtable + 2, true) >= 4
    )
  }
  places.offset.push(0)
  follow(0)
  for (let visited = 0; queue.length > 0 && visited < most; visited++) {
    const at = queue.pop()
    if (isTable(at)) {
      const vtable = at - view.getInt32(at, true)
      const size = view.getUint16(vtable, true)
      for (let slot = vtable; slot < vtable + size; slot += 2) {
        places.slot.push(slot)
        const field = at + view.getUint16(slot, true)
        if (slot < vtable + 4 || field === at || !fits(field, 4)) continue
        const to = field + view.getUint32(field, true)
        const isOffset = field % 4 === 0 && to > field && fits(to, 4) && view.getUint32(field, true) > 3
        places[isOffset ? 'offset' : 'scalar'].push(field)
        if (isOffset) follow(field)
      }
      continue
    }
    // A vector: of offsets, or of plain elements.
    const count = view.getUint32(at, true)
    places.length.push(at)
    for (let i = 0; i < Math.min(count, 64); i++) {
      const item = at + 4 + 4 * i
      if (!fits(item, 4)) break
      const to = item + view.getUint32(item, true)
      if (view.getUint32(item, true) > 3 && fits(to, 4) && isTable(to)) {
        places.offset.push(item)
        follow(item)
      } else {
        places.item.push(item)
      }
    }
  }
  return places
}

/** @param other Another file, for splices. */
export function mutate(file, places, other, next) {
  const { below, pick } = source(next)
  let bytes = file.slice()
  const u32 = (at, value) => {
    if (at + 4 <= bytes.length) new DataView(bytes.buffer).setUint32(at, value >>> 0, true)
  }
  const old = (at) => (at + 4 <= bytes.length ? new DataView(bytes.buffer).getUint32(at, true) : 0)
  const number = (value) =>
    pick([
      value + 1,
      value - 1,
      value * 2,
      value >>> 1,
      -value,
      below(8),
      below(8),
      pick(ENDS),
      next() >>> below(32),
    ])

  const changes = {
    bit: () => {
      bytes[below(bytes.length)] ^= 1 << below(8)
    },
    byte: () => {
      bytes[below(bytes.length)] = pick([0, 1, 127, 128, 255, next() & 255])
    },
    scalar: () => {
      const at = pick(places.scalar)
      if (at === undefined) return
      // Enums and flags are one byte.
      if (below(2)) bytes[at] = pick([bytes[at] + 1, bytes[at] - 1, below(160), next()]) & 255
      else u32(at, number(old(at)))
    },
    // Extents, operands, paddings, zero points, scales.
    item: () => {
      const at = pick(places.item)
      if (at !== undefined) u32(at, number(old(at)))
    },
    length: () => {
      const at = pick(places.length)
      if (at !== undefined) u32(at, number(old(at)))
    },
    offset: () => {
      const at = pick(places.offset)
      const to = pick([...places.offset.slice(0, 50), pick(places.offset), pick(places.length)])
      if (at === undefined || to === undefined) return
      // What another offset points at, or anything.
      u32(at, below(3) ? to + (below(2) ? old(to) : 0) - at : number(old(at)))
    },
    slot: () => {
      const at = pick(places.slot)
      if (at === undefined || at + 2 > bytes.length) return
      const value = new DataView(bytes.buffer).getUint16(at, true)
      new DataView(bytes.buffer).setUint16(
        at,
        pick([0, 4, value + 4, value - 4, value ^ (1 << below(16))]),
        true,
      )
    },
    // A piece of the same or another file over this one.
    splice: () => {
      const from = below(2) ? other : file
      const length = Math.min(1 + below(pick([8, 64, 1024])), bytes.length, from.length)
      const at = below(from.length - length + 1)
      bytes.set(from.subarray(at, at + length), (below(bytes.length - length + 1) >> 2) << 2)
    },
    swap: () => {
      const list = pick([places.item, places.scalar, places.item])
      const [a, b] = [pick(list), pick(list)]
      if (a === undefined || b === undefined) return
      const [x, y] = [old(a), old(b)]
      u32(a, y)
      u32(b, x)
    },
    cut: () => {
      bytes = bytes.slice(0, 1 + below(bytes.length))
    },
    join: () => {
      const head = bytes.subarray(0, 4 * below(bytes.length >> 2))
      bytes = new Uint8Array(Buffer.concat([head, other.subarray(Math.min(head.length, other.length))]))
    },
  }
  // One change of a field as a rule: most files with more are refused at once.
  const kinds = [
    ...[
      'scalar',
      'scalar',
      'scalar',
      'scalar',
      'item',
      'item',
      'item',
      'item',
      'item',
      'item',
      'item',
      'item',
    ],
    ...['swap', 'swap', 'bit', 'byte', 'byte', 'length', 'offset', 'slot', 'splice'],
  ]
  for (let left = pick([1, 1, 1, 2, 2, 3, 5]); left > 0; left--) {
    if (bytes.length < 8) break
    changes[below(60) === 0 ? pick(['cut', 'join']) : pick(kinds)]()
  }
  return bytes
}
