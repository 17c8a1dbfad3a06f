import type { Glyphs } from './glyphs.ts'

/**
 * A series as one row of bars between its smallest and its largest value: a column a value while they fit, then the mean of
 * equal shares. Places without a finite value are marked; a constant series is drawn half high.
 *
 * @param width columns, at least 0.
 */
export function sparkline(values: ArrayLike<number>, width: number, glyphs: Glyphs): string {
  const columns = Math.min(Math.floor(width), values.length)
  if (!(columns > 0)) return ''
  const means: number[] = []
  for (let column = 0; column < columns; column++) {
    const from = Math.floor((column * values.length) / columns)
    const to = Math.floor(((column + 1) * values.length) / columns)
    let mean = 0
    let count = 0
    for (let i = from; i < to; i++) {
      const value = values[i]!
      // Divided before they are subtracted: the difference of two huge values must not overflow.
      if (Number.isFinite(value)) mean += value / ++count - mean / count
    }
    means.push(count > 0 ? mean : Number.NaN)
  }
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (const mean of means) {
    if (mean < min) min = mean
    if (mean > max) max = mean
  }
  // 0 also for two values that differ by less than can be halved.
  const span = max / 2 - min / 2
  const top = glyphs.spark.length - 1
  return means
    .map((mean) => {
      if (!Number.isFinite(mean)) return glyphs.gap
      const share = span > 0 ? (mean / 2 - min / 2) / span : 0.5
      return glyphs.spark[Math.min(top, Math.floor(share * (top + 1)))]!
    })
    .join('')
}
