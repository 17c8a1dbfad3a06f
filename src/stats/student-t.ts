/** Upper 2.5 % quantile of Student's t for 1 to 30 degrees of freedom. */
const T975 = [
  12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281, 2.201, 2.1788, 2.1604, 2.1448, 2.1314,
  2.1199, 2.1098, 2.1009, 2.093, 2.086, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
]
const Z975 = 1.959964

/** Half-width of a 95 % interval in standard errors: Student's t with `degrees` degrees of freedom, at least 1. */
export function t975(degrees: number): number {
  const exact = T975[Math.floor(degrees) - 1]
  if (exact !== undefined) return exact
  // Cornish and Fisher's expansion, right to four digits from 30 on.
  const z = Z975
  return z + (z ** 3 + z) / (4 * degrees) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2)
}

/** Mean of paired changes with its 95 % interval; null for fewer than three finite ones. */
export function meanInterval(
  changes: readonly number[],
): { readonly mean: number; readonly interval: readonly [number, number]; readonly n: number } | null {
  const finite = changes.filter(Number.isFinite)
  const n = finite.length
  if (n < 3) return null
  const mean = finite.reduce((a, b) => a + b, 0) / n
  const variance = finite.reduce((sum, change) => sum + (change - mean) ** 2, 0) / (n - 1)
  const half = t975(n - 1) * Math.sqrt(variance / n)
  return { mean, interval: [mean - half, mean + half], n }
}
