// The complementary error function, which JavaScript does not have.

/**
 * erfc(x) = 2 / sqrt(pi) times the integral of exp(-t^2) from x to infinity, with a relative error below 1e-13.
 *
 * @see Abramowitz and Stegun 1964, 7.1.6 (series near zero) and 7.1.14 (continued fraction beyond).
 */
export function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x)
  if (x < 2) return 1 - series(x)
  return x > 27 ? 0 : (Math.exp(-x * x) / Math.sqrt(Math.PI)) * continuedFraction(x)
}

/** erf(x) = 2 / sqrt(pi) exp(-x^2) times the sum of 2^n x^(2n+1) / (1 * 3 * … * (2n+1)): no term is negative. */
function series(x: number): number {
  let [term, sum] = [x, x]
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
}

/** 1 / (x + (1/2) / (x + 1 / (x + (3/2) / (x + …)))), from the far end. */
function continuedFraction(x: number): number {
  let rest = x
  for (let n = 120; n > 0; n--) rest = x + n / 2 / rest
  return 1 / rest
}
