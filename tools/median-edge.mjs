// The median edge prediction of LOCO-I / JPEG-LS, by which packed pictures are kept: every byte is its difference
// (modulo 256) from a guess by its left and upper neighbours.

/** Undoes the prediction of one plane in place; `at` is its first byte. */
export function restorePlane(bytes, at, height, width) {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const here = at + y * width + x
      let guess = 0
      if (x > 0 && y > 0) {
        const left = bytes[here - 1]
        const up = bytes[here - width]
        const plane = left + up - bytes[here - width - 1]
        guess = Math.max(Math.min(left, up), Math.min(Math.max(left, up), plane))
      } else if (x > 0) {
        guess = bytes[here - 1]
      } else if (y > 0) {
        guess = bytes[here - width]
      }
      bytes[here] += guess // a Uint8Array wraps modulo 256
    }
  }
}
