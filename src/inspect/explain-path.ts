/**
 * Why there is an alert in a run, or none: what each detector compared, over the whole run.
 *
 * @module
 */
import { type CheckedPath, type CheckPathOptions, checkPath } from '../check/check-path.ts'
import type { CheckedRun } from '../check/run-check.ts'
import type { Compared } from '../detectors/calibrated/preset.ts'
import { DEFAULT_FALSE_ALARM_RATE, type StatisticName, thresholdsFor } from '../detectors/calibrated/thresholds.ts'
import type { Alert, AlertKind, Severity } from '../detectors/detector.ts'
import type { TrainingMonitor } from '../monitor.ts'
import { unwatchedKinds, watchedKinds, whyUnwatched } from '../outputs/report/coverage-words.ts'
import { aboutStatistic, comparedAfter, rankOf, type StatisticUnit, statisticsToCome } from './statistics.ts'
import { type Trace, type TracePoint, trace } from './trace.ts'

/** One statistic of a run beside its thresholds, or one rule beside the iterations that it takes. */
export interface ExplainedStatistic {
  readonly name: string
  readonly kinds: readonly AlertKind[]
  readonly what: string
  readonly unit: StatisticUnit
  /** What a severity takes; a rule has one. */
  readonly thresholds: Readonly<Partial<Record<Severity, number>>>
  /** Iterations that log what it takes, before it is first compared; a rule is from the first. */
  readonly after: number
  /** The largest value and its iteration; null where it was never compared. */
  readonly largest: { readonly value: number; readonly iteration: number } | null
  /** `[iteration, value]`, at most 512: the largest of each piece of the run. */
  readonly points: readonly TracePoint[]
}

/** One kind of failure of a run: whether it was watched, what came of it, and what was compared. */
export interface ExplainedKind {
  readonly kind: AlertKind
  readonly watched: boolean
  /** Why it is not watched, in words; null where it is. */
  readonly why: string | null
  readonly alerts: readonly Alert[]
  readonly statistics: readonly ExplainedStatistic[]
}

/** A run, kind by kind. */
export interface ExplainedRun {
  readonly run: CheckedRun
  readonly kinds: readonly ExplainedKind[]
}

/** What came of a path. */
export interface ExplainedPath {
  readonly runs: readonly ExplainedRun[]
  readonly checked: CheckedPath
}

interface Kept {
  readonly thresholds: ExplainedStatistic['thresholds']
  readonly trace: Trace
}

/** What is gathered of a run while it is read. */
interface Gathered {
  readonly monitor: TrainingMonitor
  readonly kept: Map<string, Kept>
}

/**
 * Replays all runs of a path through the calibrated detectors and keeps what they compare.
 *
 * @param only leaves out all other kinds.
 * @throws TelltaleError `not-readable` where there is nothing to explain.
 */
export async function explainPath(
  path: string,
  options: CheckPathOptions,
  only: AlertKind | null = null,
): Promise<ExplainedPath> {
  const runs = new Map<string, Gathered>()
  const rate = options.check.falseAlarmRate ?? DEFAULT_FALSE_ALARM_RATE
  const explainedRuns: ExplainedRun[] = []
  const checked = await checkPath(path, {
    ...options,
    check: {
      ...options.check,
      mode: 'calibrated',
      // A run begins anew where its files are read again.
      onBegin: (run, monitor) => runs.set(run, { monitor, kept: new Map() }),
      onCompared(run, compared, iteration) {
        const { kept } = runs.get(run)!
        let one = kept.get(compared.name)
        if (!one) {
          one = { thresholds: thresholdsOf(compared), trace: trace() }
          kept.set(compared.name, one)
        }
        one.trace.add(iteration, compared.value)
      },
    },
    // Before the next run is read, which may have the same id.
    async onRun(run) {
      const gathered = runs.get(run.run)
      runs.delete(run.run)
      explainedRuns.push(explained(run, gathered ? statisticsOf(run, gathered, rate) : [], only))
    },
  })
  return { checked, runs: explainedRuns }
}

/** What was compared, and what will be once the run is long enough. */
function statisticsOf({ coverage }: CheckedRun, { monitor, kept }: Gathered, rate: number): ExplainedStatistic[] {
  const logged = new Set(monitor.getMetricsStore().names())
  const toCome = statisticsToCome(coverage, (name) => kept.has(name)).map(
    (name) => [name, { thresholds: thresholdsFor(name, rate), trace: trace() }] as const,
  )
  return [...kept, ...toCome].flatMap(([name, one]) => statistic(name, one, logged) ?? [])
}

function explained(run: CheckedRun, statistics: readonly ExplainedStatistic[], only: AlertKind | null): ExplainedRun {
  const watched = new Set(watchedKinds(run.coverage))
  const why = new Map(unwatchedKinds(run.coverage).flatMap((one) => one.kinds.map((kind) => [kind, whyUnwatched(one)])))
  const kinds = [...new Set([...watched, ...why.keys()])]
    .filter((kind) => only === null || kind === only)
    .sort((a, b) => rankOf(a) - rankOf(b))
  return {
    run,
    kinds: kinds.map((kind) => ({
      kind,
      watched: watched.has(kind),
      why: why.get(kind) ?? null,
      alerts: run.alerts.filter((alert) => alert.kind === kind),
      statistics: statistics.filter((one) => one.kinds.includes(kind)),
    })),
  }
}

function statistic(
  name: string,
  { thresholds, trace: { largest, points } }: Kept,
  logged: ReadonlySet<string>,
): ExplainedStatistic | null {
  const about = aboutStatistic(name)
  if (about === null) return null
  return {
    name,
    ...about,
    thresholds,
    after: about.unit === 'iterations in a row' ? 1 : comparedAfter(name as StatisticName, logged),
    largest: largest === null ? null : { value: largest[1], iteration: largest[0] },
    points,
  }
}

function thresholdsOf(compared: Compared): ExplainedStatistic['thresholds'] {
  if (compared.type === 'rule') return { critical: compared.needed }
  const { info, warning, critical } = compared.thresholds
  return { info, warning, critical }
}
