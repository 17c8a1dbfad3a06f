import { medianInPlace } from './median.ts'

/** How a series varies around a level that may move slowly. */
export interface SerialScale {
  /** Standard deviation of one value around the level; NaN for fewer than four values. */
  readonly sd: number
  /** Lag-1 autocorrelation, 0 to 0.95. */
  readonly autocorrelation: number
}

const LAGS = [1, 2, 4, 8] as const
/** Robust standard deviations beyond which a difference counts as that much. */
const WINSOR = 3
/** Autocorrelations that are tried, with the variance of the differences over each lag, in units of the series' variance. */
const GRID = Array.from({ length: 20 }, (_, i) => ({
  rho: i / 20,
  shapes: LAGS.map((lag) => 2 * (1 - (i / 20) ** lag)),
}))

/**
 * Scale and autocorrelation of a series from its differences, which a slow trend hardly changes: in a first-order autoregressive series those
 * over a lag k have the variance 2 sd^2 (1 - rho^k), and the pair (sd, rho) that fits the lags 1, 2, 4 and 8 best is taken. Outliers are
 * winsorised at three robust standard deviations.
 *
 * @param longestLag of the differences; a short one keeps a level that moves out of the estimate.
 */
export function serialScale(values: ArrayLike<number>, longestLag = 8): SerialScale {
  const n = values.length
  if (n < 4) return { sd: Number.NaN, autocorrelation: 0 }
  const variances: number[] = []
  const weights: number[] = []
  for (const lag of LAGS) {
    if (n - lag < 3 || lag > longestLag) break
    variances.push(differenceVariance(values, lag))
    weights.push((n - lag) / lag)
  }
  let best = { loss: Number.POSITIVE_INFINITY, variance: variances[0]! / 2, rho: 0 }
  for (const { rho, shapes } of GRID) {
    // For a given rho the variance that fits best has a closed form.
    let over = 0
    let under = 0
    for (let i = 0; i < variances.length; i++) {
      const shape = shapes[i]!
      over += weights[i]! * shape * variances[i]!
      under += weights[i]! * shape * shape
    }
    const variance = over / under
    let loss = 0
    for (let i = 0; i < variances.length; i++) {
      loss += weights[i]! * (variance * shapes[i]! - variances[i]!) ** 2
    }
    if (loss < best.loss) best = { loss, variance, rho }
  }
  return { sd: Math.sqrt(Math.max(0, best.variance)), autocorrelation: best.rho }
}

/** Reused, since this runs in every detector: allocating would cost more than computing. */
let differences = new Float64Array(128)
let distances = new Float64Array(128)

/** Winsorised variance of the differences over a lag, around their median. */
function differenceVariance(values: ArrayLike<number>, lag: number): number {
  const n = values.length - lag
  if (n > differences.length) {
    differences = new Float64Array(2 * n)
    distances = new Float64Array(2 * n)
  }
  for (let i = 0; i < n; i++) differences[i] = values[i + lag]! - values[i]!
  const centre = medianInPlace(differences, n)
  for (let i = 0; i < n; i++) {
    differences[i] = Math.abs(differences[i]! - centre)
    distances[i] = differences[i]!
  }
  const spread = 1.4826 * medianInPlace(distances, n)
  // More than half of the differences are equal: nothing says what an outlier would be.
  const limit = spread > 0 ? WINSOR * spread : Number.POSITIVE_INFINITY
  let sum = 0
  for (let i = 0; i < n; i++) sum += Math.min(differences[i]!, limit) ** 2
  return sum / n
}

/**
 * Variance of the mean of n successive values of a first-order autoregressive series, for values of variance 1.
 *
 * @param autocorrelation lag-1, at least 0 and below 1.
 */
export function meanVariance(n: number, autocorrelation: number): number {
  const rho = autocorrelation
  if (rho === 0) return 1 / n
  const long = (1 + rho) / (1 - rho)
  return Math.min(1, long / n - (2 * rho * (1 - rho ** n)) / (n * n * (1 - rho) ** 2))
}
