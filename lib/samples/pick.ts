// Chooses some of many, evenly: so that all classes of a folder are among them, and so that runs can be repeated.

/** At most `limit` of the indices below `count`, ascending, evenly spread. */
export function evenly(count: number, limit: number): readonly number[] {
  if (count <= limit) return Array.from({ length: count }, (_, i) => i)
  return Array.from({ length: limit }, (_, i) => Math.floor(((i + 0.5) * count) / limit))
}
