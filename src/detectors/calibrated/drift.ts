/**
 * The engine of the calibrated detectors: says by how many standard errors a signal has risen beyond a margin above what it used
 * to be. Works on blocks of iterations, so that neither outliers nor autocorrelation are taken for news.
 *
 * @module
 */
import { type ChangePoint, changePoint } from '../../stats/change-point.ts'
import { type LoudnessState, loudness } from '../../stats/loudness.ts'
import { type ScaleMemoryState, scaleMemory } from '../../stats/scale-memory.ts'
import { meanVariance, type SerialScale, serialScale } from '../../stats/serial-scale.ts'
import { type SlewLimiterState, slewLimiter } from '../../stats/slew-limiter.ts'
import type { Json } from '../detector.ts'

/** Iterations of one block. */
export const BLOCK = 5
/** Blocks before a drift is spoken of. */
export const WARM_UP_BLOCKS = 8
/** Blocks that are remembered: what the scale is estimated from and the onset searched in. */
const MEMORY = 96
/** The newest blocks are left out of the scale where enough others are there: a drift must not hide behind the spread that it makes. */
const SCALE_LAG = 16
/** A settling level's own noise is seen in few blocks that lie close together. */
const SETTLING_SCALE = 48
const SETTLING_LAG = 2
/** Of the blocks that are remembered, the share that is left out of the scale at the start where the signal is learned: that is no noise. */
const LEARNING_SHARE = 0.3
/** Blocks between two estimates of the scale. */
const SCALE_EVERY = 8
/**
 * Blocks at the end of which the mean is compared with the reference: short ones see jumps, long ones slow drifts. A settling level is judged by
 * its growth, which long windows blur.
 */
const WINDOWS = { best: [4, 8, 16, 32], settling: [2, 4, 8, 16] } as const
const LONGEST_WINDOW = 32
/** How much larger the autocorrelation may be than it was estimated: an estimate from few blocks is low more often than high. */
const UNSURE_AUTOCORRELATION = 0.1
const LARGEST_AUTOCORRELATION = 0.95
/** A value may always move by this many of the smallest standard deviations of a block. */
const MIN_STEP = 3
/** Blocks by which the best level lags behind, so that a drift does not become its own reference. */
const BEST_LAG = 4
/**
 * The best level is that of the last ten spans of this many blocks, a thousand iterations: small changes of prompts that add up
 * over a long run are no failure.
 */
const SPAN = 20
const SPANS = 10
/** Blocks that the long mean of a level stretches over. */
const LONG = 24
/** Blocks by which the references of a moving level lag behind: a short one sees fast growth, a long one slow creep. */
const LAGS = [12, 18, 24, 40] as const
/** Blocks in which the highest level of before is searched. */
const HIGHEST_IN = 40
/** Blocks that the short mean of a moving level stretches over. */
const SHORT = 4
/**
 * Standard errors of a block beyond which it says nothing more: one wild block is no drift, however wild. A settling level, which may explode, is
 * given more.
 */
const CLIP = { best: 5.5, settling: 9 } as const
/** Blocks over which the rise before a reference is taken, to say how much further it may have led. */
const SLOPE = 24
/** Blocks between a level that goes on and now, and the blocks that it is the mean of: a quarter of the run, within bounds. */
const GOES_ON_LAGS = [8, 24, 48] as const
const GOES_ON_BLOCKS = [8, LONG] as const
/** Share of the margin that holds beside what a level that goes on leads to. */
const GOES_ON_MARGIN = 0.5
/** Blocks that must lie behind a reference. */
const HISTORY = 8

/** What a drift is measured against. */
export interface DriftOptions {
  /**
   * `best`: the lowest long mean of the last thousand iterations; for what should never get worse. `settling`: for what rises in healthy runs too, ever more
   * slowly; see {@link DriftOptions.fromZero}.
   */
  readonly reference: 'best' | 'settling'
  /**
   * How far a `settling` signal may have risen since an earlier iteration s. A concave curve that begins at x(0) is at t at most at
   * x(s) + (x(s) - x(0)) (t - s) / s. True where the signal is the logarithm of something that begins at 0: then it is x(s) + log(t / s). Nor
   * does it rise faster after s than before.
   */
  readonly fromZero?: boolean
  /**
   * For `best`: how far the signal may rise by going on as it has since the start, as text statistics do in every run that learns. Up to there it must
   * stand above what that leads to, too. Nothing where left out.
   */
  readonly mayGoOn?: number
  /** Blocks at the end of which the mean is compared; the shortest sees jumps, the longest slow drifts. */
  readonly windows?: readonly number[]
  /** Whether the signal falls far while the run learns, much further than its noise; its scale is then taken from what came after. */
  readonly learns?: boolean
  /** Rise that does not matter, in the unit of the signal. */
  readonly margin: number
  /** Smallest standard deviation of a block that is believed, in the unit of the signal. */
  readonly minSd: number
}

/** What is known after a block. */
export interface Drift {
  /** Standard errors beyond reference and margin, less what the length of the run is allowed to bring by chance. */
  readonly statistic: number
  /** Mean of the window that decided. */
  readonly level: number
  readonly reference: number
  /** Iterations of the window that decided. */
  readonly window: number
}

/** A watch's state as JSON; what is not known yet is null. */
export interface DriftState {
  readonly block: readonly number[]
  readonly count: number
  readonly values: readonly number[]
  readonly starts: readonly number[]
  readonly means: readonly number[]
  readonly long: number
  readonly bests: readonly number[]
  readonly excuses: readonly number[]
  readonly excuse: number
  readonly first: number
  readonly firstAt: number
  readonly blocks: number
  readonly sd: number | null
  readonly rho: number
  readonly scales: ScaleMemoryState
  readonly start: number
  readonly limiter: SlewLimiterState
  readonly loud: LoudnessState
  readonly [key: string]: Json
}

/** Watches one signal for a rise. */
export interface DriftWatch {
  /**
   * Takes the signal of an iteration, undefined where there is none. Gives the drift when that closed a block.
   *
   * @param excuse how far the signal may stand above where it was when this was 0, in the unit of the signal: a `settling` signal may rise by
   *   as much as its excuse does since the reference.
   * @param limit a level beyond which the signal is wrong wherever it was before, in its unit; none where left out.
   */
  update(value: number | undefined, iteration: number, excuse?: number, limit?: number): Drift | null
  /** Since when the newest drift goes on, in iterations. */
  onset(drift: Drift): { readonly estimate: number; readonly interval: readonly [number, number] }
  /** Forgets what the signal used to be: something is known to have changed. */
  reanchor(): void
  snapshot(): DriftState
  restore(state: DriftState): void
}

/**
 * Iterations that log a signal before it is first compared: a level that settles needs some history behind its nearest reference, a limit needs none.
 */
export function driftAfter(reference: DriftOptions['reference'], hasLimit: boolean): number {
  return BLOCK * (reference === 'best' || hasLimit ? WARM_UP_BLOCKS : LAGS[0] + HISTORY + 1)
}

/** Makes a {@link DriftWatch}. */
export function driftWatch(options: DriftOptions): DriftWatch {
  const limiter = slewLimiter(MIN_STEP * options.minSd)
  const loud = loudness()
  const windows = options.windows ?? WINDOWS[options.reference]
  const clip = CLIP[options.reference]
  let block: number[] = []
  /** Iterations of the open block. */
  let count = 0
  let start = -1
  /** The newest blocks with the iterations that they began at, oldest first. */
  let values: number[] = []
  let starts: number[] = []
  /** For `best`: the long mean after each of the last blocks. For `settling`: the short mean after each block in memory. */
  let means: number[] = []
  /** For `settling`: the excuse at the end of each of the same blocks. */
  let excuses: number[] = []
  let excuse = 0
  let long = 0
  /** Lowest long mean of each of the last spans, the newest last. */
  let bests: number[] = []
  /** Level of the first blocks, and the iteration in their middle. */
  let first = 0
  let firstAt = 0
  let blocks = 0
  let sd = Number.NaN
  let rho = 0
  /** Of a level that should not move. */
  const scales = scaleMemory()
  /** An absolute limit of the signal, where there is one. */
  let absolute = Number.NaN
  /** Variance of the mean of n blocks, by n, for the autocorrelation `rho`. */
  let variances: readonly number[] = meanVariances(unsure(0))

  function close(iteration: number): Drift | null {
    const value = trimmedMean(block)
    block = []
    count = 0
    if (value === null) return null
    values.push(value)
    starts.push(start < 0 ? iteration : start)
    start = -1
    blocks++
    if (values.length > MEMORY) {
      values.shift()
      starts.shift()
    }
    if (options.reference === 'best') {
      if (blocks <= WARM_UP_BLOCKS) {
        first += (value - first) / blocks
        firstAt = 1 + (starts[0]! + starts[starts.length - 1]! + BLOCK - 1) / 2
      }
      long += (value - long) / Math.min(blocks, LONG)
      means.push(long)
      if (means.length > BEST_LAG) {
        const lagged = means.shift()!
        if (blocks - BEST_LAG >= SHORT) {
          if (bests.length === 0 || blocks % SPAN === 0) bests.push(lagged)
          else bests[bests.length - 1] = Math.min(bests.at(-1)!, lagged)
          if (bests.length > SPANS) bests.shift()
        }
      }
    } else {
      means.push(newestMean())
      excuses.push(excuse)
      if (means.length > MEMORY) {
        means.shift()
        excuses.shift()
      }
      if (blocks <= SHORT) {
        first = means.at(-1)!
        firstAt = centre(means.length - 1)
      }
    }
    if (blocks < WARM_UP_BLOCKS) return null
    if (Number.isNaN(sd) || blocks % SCALE_EVERY === 0) {
      const settling = options.reference === 'settling'
      const until = options.learns
        ? values.length - Math.min(SCALE_LAG, Math.floor(values.length / 4))
        : Math.max(Math.min(values.length, 2 * SCALE_LAG), values.length - SCALE_LAG)
      const from = options.learns ? Math.floor(until * LEARNING_SHARE) : 0
      const scale = settling
        ? serialScale(values.slice(Math.max(0, until - SETTLING_SCALE), until), SETTLING_LAG)
        : serialScale(values.slice(from, until))
      estimated(scale)
    }
    return measure()
  }

  /** One estimate is from a hundred blocks at most; a level that should not move allows to take the mean of several. */
  function estimated(newest: SerialScale): void {
    let rhoNow = newest.autocorrelation
    if (options.reference === 'best') {
      scales.add(newest)
      sd = scales.sd()
      rhoNow = onGrid(scales.autocorrelation())
    } else sd = newest.sd
    if (rhoNow !== rho) {
      rho = rhoNow
      variances = meanVariances(unsure(rho))
    }
  }

  function measure(): Drift | null {
    const noise = Math.max(sd * loud.factor() * smallSample(Math.min(blocks, MEMORY - SCALE_LAG)), options.minSd)
    if (!(noise > 0)) return null
    const allowance = 0.5 * Math.log1p(blocks / 200)
    let drift: Drift | null = null
    const n = values.length
    for (const [reference, margin, variance] of references()) {
      const zero = reference + margin
      const limit = clip * noise * Math.sqrt(1 + variance)
      let sum = 0
      let summed = 0
      for (const window of windows) {
        if (window > n - 4) break
        while (summed < window) sum += Math.max(-limit, Math.min(limit, values[n - ++summed]! - zero))
        const error = noise * Math.sqrt(variances[window]! + variance)
        const statistic = sum / window / error - allowance
        if (drift === null || statistic > drift.statistic)
          drift = { statistic, level: zero + sum / window, reference, window: window * BLOCK }
      }
    }
    return drift
  }

  /** Reference levels with their margin and their variance, in that of a block. */
  function references(): readonly (readonly [number, number, number])[] {
    const found: (readonly [number, number, number])[] = []
    if (!Number.isNaN(absolute)) found.push([absolute, 0, 0])
    if (options.reference === 'best') {
      if (bests.length === 0) return found
      const best = Math.min(...bests)
      const still = [best, options.margin, variances[Math.min(blocks, LONG)]!] as const
      if (options.mayGoOn === undefined) {
        found.push(still)
        return found
      }
      // However the rise began, there is an end to what it may come to.
      found.push([best + options.mayGoOn, options.margin, still[2]])
      for (const lag of GOES_ON_LAGS) {
        const onwards = goingOn(lag)
        if (onwards === null) break
        found.push(onwards[0] + onwards[1] > best + options.margin ? onwards : still)
      }
      return found
    }
    for (const lag of LAGS) {
      const last = means.length - 1 - lag
      if (last < HISTORY) continue
      // The margin holds for what a rise of the reward does not excuse; half of it also for how badly that rise is known.
      const excused = excuse - excuses[last]! + options.margin / 2
      const [level, variance] = settlingReference(last)
      found.push([level, Math.max(options.margin, excused), variance])
    }
    return found
  }

  /** Where the signal would be now, had it gone on rising as it did from the start until a while ago; null while that is not known. */
  function goingOn(lag: number): readonly [number, number, number] | null {
    const last = values.length - 1 - lag
    const size = Math.min(GOES_ON_BLOCKS[1], Math.max(GOES_ON_BLOCKS[0], Math.floor(blocks / 4)))
    const from = last - size + 1
    if (from < 0) return null
    let level = 0
    for (let i = from; i <= last; i++) level += values[i]! / size
    const then = (starts[from]! + starts[last]! + BLOCK - 1) / 2 + 1
    const since = then - firstAt
    const ahead = starts[starts.length - 1]! + BLOCK - then
    const known = variances[size]!
    if (!(since > 0 && ahead > 0 && level > first)) return [level, GOES_ON_MARGIN * options.margin, known]
    const further = ahead / since
    const variance = known * (1 + further) ** 2 + variances[WARM_UP_BLOCKS]! * further ** 2
    return [level + (level - first) * further, GOES_ON_MARGIN * options.margin, variance]
  }

  function newestMean(): number {
    const from = Math.max(0, values.length - SHORT)
    let sum = 0
    for (let i = from; i < values.length; i++) sum += values[i]!
    return sum / (values.length - from)
  }

  /** The iteration, counted from 1, in the middle of the blocks that one of {@link means} is of. */
  function centre(index: number): number {
    return 1 + (starts[Math.max(0, index - SHORT + 1)]! + starts[index]! + BLOCK - 1) / 2
  }

  /** The highest level up to a block, or what a curve that settles may have made of it by now; and the variance of that. */
  function settlingReference(last: number): readonly [number, number] {
    const known = variances[SHORT]!
    let highest = Number.NEGATIVE_INFINITY
    for (let i = Math.max(0, last - HIGHEST_IN); i <= last; i++) highest = Math.max(highest, means[i]!)
    const level = means[last]!
    const then = centre(last)
    const ahead = starts[starts.length - 1]! + BLOCK - then
    const since = then - (options.fromZero ? 0 : firstAt)
    // A run that was put back, or one whose steps were repeated, has no time to speak of.
    if (!(ahead > 0 && since > 0)) return [highest, known]
    const onwards = (before: number, distance: number): readonly [number, number] => {
      const further = ahead / distance
      const rise = (level - before) * further
      return rise > 0 ? [rise, known * ((1 + further) ** 2 + further ** 2)] : [0, known]
    }
    let [allowed, variance] = options.fromZero ? [Math.log1p(ahead / then), known] : onwards(first, since)
    const distance = last >= SLOPE ? then - centre(last - SLOPE) : 0
    if (distance > 0) {
      const [rise, itsVariance] = onwards(means[last - SLOPE]!, distance)
      if (rise < allowed) [allowed, variance] = [rise, itsVariance]
    }
    return level + allowed > highest ? [level + allowed, variance] : [highest, known]
  }

  function forget(): void {
    block = []
    values = []
    starts = []
    means = []
    excuses = []
    excuse = 0
    count = 0
    start = -1
    long = 0
    bests = []
    first = 0
    firstAt = 0
    blocks = 0
    sd = Number.NaN
    rho = 0
    scales.reset()
    absolute = Number.NaN
    variances = meanVariances(unsure(rho))
    limiter.reset()
    loud.reset()
  }

  return {
    update(value, iteration, excusedNow = 0, limit = Number.NaN) {
      excuse = excusedNow
      absolute = limit
      if (value !== undefined && Number.isFinite(value)) {
        if (start < 0) start = iteration
        loud.update(value)
        block.push(limiter.update(value))
      }
      return ++count >= BLOCK ? close(iteration) : null
    },
    onset() {
      // A settling level moved before, too: only what the references cannot explain is looked at.
      const skipped = options.reference === 'settling' ? Math.max(0, values.length - HIGHEST_IN) : 0
      const place: ChangePoint = changePoint(values.slice(skipped))
      const at = (index: number) => starts[Math.max(0, Math.min(starts.length - 1, skipped + index))] ?? 0
      const estimate = at(place.index + 1)
      return { estimate, interval: [Math.min(estimate, at(place.from)), Math.max(estimate, at(place.to + 1))] }
    },
    reanchor: forget,
    snapshot: () => ({
      block: [...block],
      count,
      values: [...values],
      starts: [...starts],
      means: [...means],
      excuses: [...excuses],
      excuse,
      long,
      bests: [...bests],
      first,
      firstAt,
      blocks,
      sd: Number.isNaN(sd) ? null : sd,
      rho,
      scales: scales.snapshot(),
      start,
      limiter: limiter.snapshot(),
      loud: loud.snapshot(),
    }),
    restore(state) {
      block = [...state.block]
      count = state.count
      values = [...state.values]
      starts = [...state.starts]
      means = [...state.means]
      excuses = [...state.excuses]
      excuse = state.excuse
      long = state.long
      bests = [...state.bests]
      first = state.first
      firstAt = state.firstAt
      blocks = state.blocks
      sd = state.sd ?? Number.NaN
      rho = state.rho
      scales.restore(state.scales)
      variances = meanVariances(unsure(rho))
      start = state.start
      limiter.restore(state.limiter)
      loud.restore(state.loud)
    },
  }
}

const MEAN_VARIANCES = new Map<number, readonly number[]>()

/** {@link meanVariance} of 0 to {@link LONGEST_WINDOW} blocks; the twenty autocorrelations that `serialScale` gives are remembered. */
function meanVariances(rho: number): readonly number[] {
  let known = MEAN_VARIANCES.get(rho)
  if (!known) {
    known = Array.from({ length: LONGEST_WINDOW + 1 }, (_, n) => meanVariance(Math.max(1, n), rho))
    MEAN_VARIANCES.set(rho, known)
  }
  return known
}

function unsure(rho: number): number {
  return Math.min(LARGEST_AUTOCORRELATION, onGrid(rho + UNSURE_AUTOCORRELATION))
}

/** A twentieth, as `serialScale` gives them: few enough that their variances can be remembered. */
function onGrid(rho: number): number {
  return Math.round(rho * 20) / 20
}

/** Mean without the smallest and the largest where there are four or more; null for none. */
function trimmedMean(values: readonly number[]): number | null {
  const n = values.length
  if (n === 0) return null
  let sum = 0
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (const value of values) {
    sum += value
    if (value < min) min = value
    if (value > max) max = value
  }
  return n >= 4 ? (sum - min - max) / (n - 2) : sum / n
}

/** A scale from few blocks is unsure, most of all in autocorrelated noise: it is made larger, more so than Student's t does. */
function smallSample(blocks: number): number {
  return 1 + (20 / blocks) ** 1.5
}
