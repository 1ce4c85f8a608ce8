// Shapes: lists of extents, row-major, outermost first.

export type Shape = readonly number[]

/** Most dimensions of a tensor. */
export const MAX_RANK = 8

/** Number of elements; 1 for a scalar (rank 0). */
export function elementCount(shape: Shape): number {
  return shape.reduce((product, extent) => product * extent, 1)
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, i) => extent === b[i])
}

/** `[1, 224, 224, 3]` */
export function shapeText(shape: Shape): string {
  return `[${shape.join(', ')}]`
}
