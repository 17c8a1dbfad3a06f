/**
 * Curves of stored runs in one figure, aligned by iteration.
 *
 * @module
 */

import { TelltaleError } from '../errors.ts'
import { worseningAlerts } from '../outputs/failures.ts'
import type { Drawing } from '../outputs/plots/chart-definition.ts'
import { runComparison } from '../outputs/plots/run-comparison.ts'
import { MAX_RUNS, runLabels } from '../outputs/plots/run-style.ts'
import type { RunsPanel } from '../outputs/plots/runs-panel.ts'
import { KIND_TITLES } from '../outputs/report/words.ts'
import type { RunStore, StoredBucket, StoredRun } from '../stores/store.ts'
import { plainText } from '../text/plain-text.ts'
import { metricTitle } from '../vocabulary/canonical.ts'
import { headlinesFirst, mostTelling } from './series-order.ts'

/** Which curves are drawn, and how wide the figure is. */
export interface ComparePlotChoice {
  /** Canonical names; the most telling ones where there is none. */
  readonly series: readonly string[]
  readonly widthInches: number
  /** Told of each series that is read, and of how many values all of them may have. */
  readonly onSeries?: ((done: number, all: number, values: number) => void) | undefined
}

/** A figure, and what is not in it. */
export interface ComparePlot {
  readonly drawing: Drawing
  /** Series that are drawn, in their order. */
  readonly series: readonly string[]
  /** Series of the runs that are not. */
  readonly left: number
}

const MAX_PANELS = 9
/** Panels that can be asked for by name. */
const MAX_ASKED = 24
const BUCKETS = 480
const LABEL_CHARACTERS = 32
const MAX_ALERTS = 200

interface KnownSeries {
  readonly name: string
  readonly unit: string
  /** Runs that have it. */
  readonly runs: number
}

/**
 * A panel a series, with a curve for each run that has it; what a resumed run did again is drawn once, as it counts.
 *
 * @throws TelltaleError `bad-usage` for more runs than can be told apart, or a series that no run has.
 */
export function comparePlot(store: RunStore, runs: readonly StoredRun[], choice: ComparePlotChoice): ComparePlot {
  if (runs.length > MAX_RUNS)
    throw new TelltaleError(
      'bad-usage',
      `${runs.length} runs are asked for: at most ${MAX_RUNS} can be told apart in one figure`,
    )
  const known = knownSeries(store, runs)
  const chosen = choice.series.length > 0 ? asked(known, choice.series) : chosenOf(known)
  if (chosen.length === 0)
    throw new TelltaleError('bad-usage', 'none of these runs has logged a number: there is no curve to draw')
  const labels = runLabels(
    runs.map(({ name }) => plainText(name)),
    LABEL_CHARACTERS,
  )
  const compared = runs.map(({ key, iterations }, i) => ({
    label: labels[i]!,
    iterations,
    alerts: worseningAlerts(store.alerts(key))
      .filter(({ muted }) => !muted)
      .slice(0, MAX_ALERTS)
      .map(({ iteration, severity, kind }) => ({ iteration, severity, what: KIND_TITLES[kind] ?? kind })),
  }))
  const values = chosen.length * runs.reduce((sum, { iterations }) => sum + iterations, 0)
  const panels = chosen.map(({ name, unit }, i): RunsPanel => {
    choice.onSeries?.(i, chosen.length, values)
    const curves = runs.map(({ key }) => store.zoom(key, name, { buckets: BUCKETS }).map(historyBucket))
    return { title: metricTitle(name), name, unit, curves }
  })
  return {
    drawing: runComparison(compared, panels, choice.widthInches),
    series: chosen.map(({ name }) => name),
    left: known.length - chosen.length,
  }
}

function knownSeries(store: RunStore, runs: readonly StoredRun[]): readonly KnownSeries[] {
  const known = new Map<string, KnownSeries>()
  for (const { key } of runs)
    for (const { name, unit } of store.series(key)) {
      const before = known.get(name)
      known.set(name, { name, unit: before?.unit || unit, runs: (before?.runs ?? 0) + 1 })
    }
  return [...known.values()]
}

/** Those of all runs, then those of most, down to two: a figure is there to compare. Of one run alone only where there is nothing else. */
function chosenOf(known: readonly KnownSeries[]): readonly KnownSeries[] {
  const counts = [...new Set(known.map(({ runs }) => runs))].sort((a, b) => b - a)
  const chosen: KnownSeries[] = []
  for (const count of counts) {
    if (count === 1 && chosen.length > 0) break
    const some = known.filter(({ runs }) => runs === count)
    chosen.push(...mostTelling(some, MAX_PANELS - chosen.length))
  }
  return headlinesFirst(chosen)
}

function asked(known: readonly KnownSeries[], names: readonly string[]): readonly KnownSeries[] {
  const distinct = [...new Set(names)]
  if (distinct.length > MAX_ASKED)
    throw new TelltaleError(
      'bad-usage',
      `${distinct.length} series are asked for; expected at most ${MAX_ASKED} in one figure`,
    )
  return distinct.map((name) => {
    const found = known.find((one) => one.name === name)
    if (found) return found
    const some = mostTelling(known, 8).map((one) => plainText(one.name, 60))
    throw new TelltaleError(
      'bad-usage',
      `no run has a series ${JSON.stringify(plainText(name, 80))}; ${some.length === 0 ? 'they have none' : `they have ${some.join(', ')}${known.length > some.length ? ', …' : ''}`}`,
    )
  })
}

function historyBucket(bucket: StoredBucket): RunsPanel['curves'][number][number] {
  const { firstIteration, lastIteration, min, max, mean, count, nonFinite } = bucket
  return {
    ...{ iteration: firstIteration, width: lastIteration - firstIteration + 1, lastIteration },
    ...{ min, max, mean, last: mean, count, nonFinite },
  }
}
