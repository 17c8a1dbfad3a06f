/**
 * Pearson's correlation of two equally long lists, or null where it is not defined: fewer than two pairs, or one of them constant.
 */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): number | null {
  const n = Math.min(x.length, y.length)
  if (n < 2) return null
  let meanX = 0
  let meanY = 0
  for (let i = 0; i < n; i++) {
    meanX += x[i]! / n
    meanY += y[i]! / n
  }
  let xx = 0
  let yy = 0
  let xy = 0
  for (let i = 0; i < n; i++) {
    const dx = x[i]! - meanX
    const dy = y[i]! - meanY
    xx += dx * dx
    yy += dy * dy
    xy += dx * dy
  }
  const correlation = xy / Math.sqrt(xx * yy)
  return Number.isFinite(correlation) ? Math.min(1, Math.max(-1, correlation)) : null
}
