/**
 * From the parts of a run to what a display shows of it. Its cost is bounded whatever the run's length and number of series:
 * displays run inside the training loop.
 *
 * @module
 */

import type { Alert, AlertKind } from '../../detectors/detector.ts'
import type { MetricsStore } from '../../metrics/store.ts'
import type { SampleComparison } from '../../quality/comparison.ts'
import type { AnalyzerView } from '../../run-summary.ts'
import { VerbosityLevel } from '../../verbosity.ts'
import { metricTitle } from '../../vocabulary/canonical.ts'
import { courseWords, type Failure, failuresOf, formerOf, isAtLeast, severityWords } from '../failures.ts'
import { unwatchedKinds, watchedKinds, whyUnwatched } from '../report/coverage-words.ts'
import { adviceWords, KIND_TITLES, onsetWords } from '../report/words.ts'
import type { AlertView, CoverageView, DisplayState, SampleView, SeriesRow } from './display-state.ts'
import { displayText } from './display-text.ts'
import type { SeriesParts, SeriesPartsCache } from './series-parts.ts'
import { countAlerts } from './status-words.ts'

/** Rows of the table; more do not fit a screen. */
const MAX_ROWS = 32
const MAX_ALERTS = 8
const NAME_CHARACTERS = 120
const TEXT_CHARACTERS = 600

const REWARD = ['reward/score', 'reward/total', 'quality/heldout_reward', 'pref/margin'] as const
const KL = ['kl_ref/token', 'kl_ref/token_k3', 'kl_ref/token_k1', 'kl_ref/token_k2', 'kl_ref/seq'] as const
const LOSS = ['loss/total', 'loss/policy', 'loss/value'] as const
/** After the first of each of the above: what tells most of the answers, then the rest of the above, then the others. */
const TABLE = [
  'quality/ref_perplexity',
  'quality/similarity',
  'quality/distinct_2',
  'quality/repetition',
  'loss/policy',
  'loss/value',
  'length/mean',
  'quality/drift',
  'quality/compression',
  'quality/clear_share',
  'eos/fraction',
  'reward/std',
  ...REWARD,
  ...KL,
  ...LOSS,
] as const
const MECHANICS: ReadonlyMap<string, string> = new Map([
  ['ppo/clip_fraction', 'clip fraction'],
  ['ppo/approx_kl', 'approx KL'],
  ['ppo/ratio_mean', 'ratio'],
  ['value/explained_variance', 'explained variance'],
  ['entropy/token', 'entropy'],
  ['grad/norm', 'gradient norm'],
  ['optim/lr', 'learning rate'],
])
/** Counters and clocks, which the header already tells. */
const UNTOLD = /^(?:progress|time|throughput)\//

/** What the display itself knows of the run. */
export type RunProgress = Pick<
  DisplayState,
  'verbosity' | 'status' | 'done' | 'total' | 'elapsedMs' | 'etaMs' | 'msPerIteration'
> & { readonly runId: string | null; readonly why: string | null }

/** Where the rest comes from; each may be missing. */
export interface DisplaySources {
  readonly store: MetricsStore | null
  readonly parts: SeriesPartsCache
  readonly analyzer: AnalyzerView | null
  readonly comparisonHistory: readonly SampleComparison[]
}

/**
 * The state of a display. In SIMPLE only what its line shows is computed; in VERBOSE means, trends and histories of most
 * series may be some paints old, unless `exact`.
 */
export function collectState(run: RunProgress, sources: DisplaySources, exact: boolean): DisplayState {
  const { store, parts, analyzer } = sources
  if (store) parts.begin(store, exact)
  const rows = new Map<string, SeriesRow | null>()
  const row = (name: string, headline = false): SeriesRow | null => {
    const known = rows.get(name)
    if (known !== undefined) return known
    const made = store?.latest(name) === undefined ? null : seriesRow(store, name, parts.partsOf(name, headline))
    rows.set(name, made)
    return made
  }
  const first = (names: readonly string[]): SeriesRow | null => {
    const name = names.find((candidate) => store?.latest(candidate) !== undefined)
    return name === undefined ? null : row(name, true)
  }
  const alertHistory = analyzer?.alertHistory ?? []
  const verbose = run.verbosity === VerbosityLevel.VERBOSE
  const names = verbose && store ? store.names() : []
  return {
    ...run,
    runId: run.runId === null ? null : displayText(run.runId, NAME_CHARACTERS),
    why: run.why === null ? null : displayText(run.why, TEXT_CHARACTERS),
    reward: first(REWARD),
    kl: first(KL),
    loss: first(LOSS),
    series: tableOrder(names).flatMap((name) => row(name) ?? []),
    seriesCount: names.length,
    mechanics: verbose
      ? [...MECHANICS].flatMap(([name, title]) => {
          const found = row(name)
          return found ? { ...found, title } : []
        })
      : [],
    alerts: newestHeard(alertHistory).map(failureView),
    alertCounts: countAlerts(alertHistory),
    mutedKinds: [...new Set(alertHistory.filter(({ muted }) => muted).map(({ kind }) => kindTitle(kind)))],
    sample: verbose ? sampleView(sources.comparisonHistory.at(-1)) : null,
    coverage: verbose && analyzer ? coverageView(analyzer) : null,
  }
}

/** A failure in words: its gravest alert, and what has become of it. */
function failureView(failure: Failure<Alert>): AlertView {
  const { gravest, newest } = failure
  return {
    ...alertView(gravest),
    course: courseWords(failure).replace(/, passed since$/, ', over'),
    resolved: newest.state === 'resolved',
  }
}

/** What is new to somebody who has seen the alerts before it: of a failure that has eased only that. */
export function newAlertView(alert: Alert, history: readonly Alert[]): AlertView {
  const former = formerOf(alert, history)
  const view = alertView(alert)
  if (former === null || isAtLeast(alert.severity, former.severity)) return view
  return { ...view, reason: `${view.title} has eased to ${severityWords(alert)}`, advice: [] }
}

/** An alert in words. */
export function alertView(alert: Alert): AlertView {
  return {
    id: alert.id,
    severity: alert.severity,
    title: kindTitle(alert.kind),
    iteration: alert.iteration,
    reason: displayText(`${alert.reason}${since(alert)}`, TEXT_CHARACTERS),
    advice: alert.advice.map((advice) => displayText(adviceWords(advice), TEXT_CHARACTERS)),
    course: alert.state === 'resolved' ? ', over' : '',
    resolved: alert.state === 'resolved',
  }
}

/** Since when, where that is not the iteration of the alert itself. */
function since({ onset, iteration }: Alert): string {
  return onset.interval[0] < iteration ? `, ${onsetWords(onset)}` : ''
}

function kindTitle(kind: AlertKind): string {
  return Object.hasOwn(KIND_TITLES, kind) ? KIND_TITLES[kind] : displayText(kind, NAME_CHARACTERS)
}

function tableOrder(names: readonly string[]): readonly string[] {
  const logged = new Set(names)
  const headline = [REWARD, KL, LOSS].flatMap((group) => group.find((name) => logged.has(name)) ?? [])
  const others = names.filter((name) => !MECHANICS.has(name) && !UNTOLD.test(name))
  return [...new Set([...headline, ...TABLE.filter((name) => logged.has(name)), ...others])].slice(0, MAX_ROWS)
}

function seriesRow(store: MetricsStore, name: string, parts: SeriesParts): SeriesRow {
  const info = store.info(name)
  return {
    canonical: name,
    title: displayText(metricTitle(name), NAME_CHARACTERS),
    unit: displayText(info.unit, 20),
    badDirection: info.badDirection,
    latest: store.latest(name) ?? Number.NaN,
    ...parts,
  }
}

/** The newest failures that are not muted, newest first. */
function newestHeard(alerts: readonly Alert[]): readonly Failure<Alert>[] {
  return failuresOf(alerts)
    .filter(({ newest }) => !newest.muted)
    .slice(-MAX_ALERTS)
    .reverse()
}

/** The view of each comparison that is shown, since a panel is painted many times between two of them. */
const sampleViews = new WeakMap<SampleComparison, SampleView | null>()

function sampleView(comparison: SampleComparison | undefined): SampleView | null {
  if (!comparison) return null
  let view = sampleViews.get(comparison)
  if (view === undefined) {
    view = viewOf(comparison)
    sampleViews.set(comparison, view)
  }
  return view
}

function viewOf(comparison: SampleComparison): SampleView | null {
  const { pairs } = comparison
  let chosen = pairs[0]
  for (const pair of pairs) if (pair.diff.similarity < chosen!.diff.similarity) chosen = pair
  if (!chosen) return null
  const words: { kind: 'kept' | 'removed' | 'added'; text: string }[] = []
  let left = TEXT_CHARACTERS
  for (const { kind, text } of chosen.diff.words) {
    if (left <= 0) break
    words.push({ kind, text: displayText(text, left) })
    left -= text.length
  }
  return {
    iteration: comparison.iteration,
    baselineIteration: chosen.baselineIteration,
    similarity: chosen.diff.similarity,
    prompt: displayText(chosen.prompt, TEXT_CHARACTERS),
    words,
  }
}

function coverageView({ coverage }: AnalyzerView): CoverageView {
  return {
    watched: watchedKinds(coverage).map(kindTitle),
    unwatched: unwatchedKinds(coverage).map((entry) => ({
      title: entry.kinds.map(kindTitle).join(', '),
      why: displayText(whyUnwatched(entry), TEXT_CHARACTERS),
    })),
  }
}
