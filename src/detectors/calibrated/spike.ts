/**
 * A loss or gradient norm that leaves its range and does not come back.
 *
 * @module
 */
import { median } from '../../stats/median.ts'
import { ESTIMATES, type ScaleMemoryState, scaleMemory } from '../../stats/scale-memory.ts'
import { serialScale } from '../../stats/serial-scale.ts'
import type { AlertKind, Detector, Evidence, Json, Observation } from '../detector.ts'
import { severityOf, type Thresholds } from './ladder.ts'

/** What {@link spike} watches. */
export interface SpikeOptions {
  readonly name: string
  readonly kind: AlertKind
  readonly series: readonly string[]
  readonly thresholds: Thresholds
  /** Compared in logarithms: for a norm, whose noise is a factor. */
  readonly log: boolean
}

/** Values that make the usual range. */
const MEMORY = 64
const WARM_UP = 20
/** Values between two estimates of the range. */
const EVERY = 20
/** An autocorrelation that is taken for as many estimates as it says, before there are any; and how unsure a range from few values is. */
const PRIOR = { autocorrelation: 0.5, estimates: 2 } as const
const FEW = 40
/** Of the last six values five must be out of the range: a single spike is a note in the curve, not a failure. */
const LAST = 6
const NEEDED = 5
/** Values beyond this many standard deviations do not widen the range that they are judged by. */
const LEFT_OUT = 4
/** Values before the statistic can say anything: those that make the first range, and those that must lie out of it. */
export const SPIKE_AFTER = WARM_UP + NEEDED
/** The range is learned anew after this many such values: the level has changed, and was reported. */
const ACCEPT_AFTER = 200
/** Share of the statistic that a fully autocorrelated series loses: there, five values in a row far away are one, seen five times. */
const SERIAL = 0.75
/** A value must also be this many times the median. */
const TIMES = 3

interface State {
  readonly usual: readonly number[]
  readonly recent: readonly number[]
  readonly iterations: readonly number[]
  readonly centre: number
  readonly sd: number
  readonly autocorrelation: number
  readonly scales: ScaleMemoryState
  readonly seen: number
  readonly outside: number
  readonly open: Json
  readonly [key: string]: Json
}

/** Raises evidence where five of the last six values lie far above the usual range. */
export function spike(options: SpikeOptions): Detector<State> {
  const { name, kind, series, thresholds, log } = options
  let usual: number[] = []
  let recent: number[] = []
  let iterations: number[] = []
  let centre = 0
  let sd = 0
  let autocorrelation = 0
  const scales = scaleMemory()
  let seen = 0
  let outside = 0
  let open: Evidence | null = null

  function judge(): Evidence | null {
    if (recent.length < LAST) return null
    // In most iterations the two newest values say at once that nothing is wrong. Whoever follows the statistic wants it in those, too.
    const followed = thresholds.seen !== undefined && seen >= SPIKE_AFTER
    if (!followed && recent.at(-1)! <= 0 && recent.at(-2)! <= 0) return null
    const statistic = recent.slice().sort((a, b) => a - b)[LAST - NEEDED]! * (1 - SERIAL * autocorrelation)
    const severity = severityOf(statistic, thresholds, open?.severity ?? null)
    if (severity === null) return null
    const first = iterations[recent.findIndex((z) => z > 0)]!
    const back = (signal: number) => (log ? Math.exp(signal) : signal)
    return {
      kind,
      direction: 'up',
      severity,
      series: [series[0]!],
      observed: back(centre + median(recent) * sd),
      expected: back(centre),
      statistic,
      threshold: thresholds[severity],
      onset: open?.onset ?? { estimate: first, interval: [first, first] },
    }
  }

  return {
    name,
    kind,
    reads: [series],
    update(observation: Observation) {
      if (observation.announced?.length) reset()
      let value: number | undefined
      for (const candidate of series) {
        value = observation.get(candidate)
        if (value !== undefined) break
      }
      if (value === undefined || !Number.isFinite(value)) return open ?? undefined
      const signal = log ? Math.log(Math.max(value, 1e-12)) : value
      const far = log ? signal - centre > Math.log(TIMES) : Math.abs(value) > TIMES * Math.abs(centre)
      const z = seen >= WARM_UP && sd > 0 ? (signal - centre) / sd : 0
      recent.push(far ? z : Math.min(z, 0))
      iterations.push(observation.iteration)
      if (recent.length > LAST) {
        recent.shift()
        iterations.shift()
      }
      if (z > LEFT_OUT && ++outside < ACCEPT_AFTER) {
        open = judge()
        return open ?? undefined
      }
      if (z <= LEFT_OUT) outside = 0
      usual.push(signal)
      if (usual.length > MEMORY) usual.shift()
      if (++seen === WARM_UP || (seen > WARM_UP && seen % EVERY === 0)) {
        centre = median(usual)
        scales.add(serialScale(usual))
        const prior = PRIOR.autocorrelation * PRIOR.estimates
        autocorrelation = (prior + scales.autocorrelation() * scales.size) / (PRIOR.estimates + scales.size)
        const unsure = 1 + FEW / Math.min(seen, EVERY * ESTIMATES)
        sd = Math.max(unsure * scales.sd(), log ? 0.05 : 0.02 * Math.abs(centre), 1e-12)
      }
      open = judge()
      return open ?? undefined
    },
    snapshot: () => ({
      usual: [...usual],
      recent: [...recent],
      iterations: [...iterations],
      centre,
      sd,
      autocorrelation,
      scales: scales.snapshot(),
      seen,
      outside,
      open: open as unknown as Json,
    }),
    restore(state) {
      usual = [...state.usual]
      recent = [...state.recent]
      iterations = [...state.iterations]
      centre = state.centre
      sd = state.sd
      autocorrelation = state.autocorrelation
      scales.restore(state.scales)
      seen = state.seen
      outside = state.outside
      open = state.open as unknown as Evidence | null
    },
  }

  function reset(): void {
    usual = []
    recent = []
    iterations = []
    scales.reset()
    seen = 0
    outside = 0
    open = null
  }
}
