/**
 * Gathers what a report holds, bounded: everything in it comes from a run that may be of any size.
 *
 * @module
 */

import type { SampleComparison, SamplePair } from '../../quality/comparison.ts'
import type { StopRequest } from '../../run-summary.ts'
import { plainJson } from '../../text/plain-json.ts'
import { existingPlots } from './plot-files.ts'
import {
  MAX_CHECKPOINTS,
  REPORT_SCHEMA_VERSION,
  type ReportAlert,
  type ReportComparison,
  type ReportMetric,
  type ReportPair,
  type ReportSample,
  type ReportStop,
  type TrainingReport,
} from './report.ts'
import type { Alert, AlertKind, PPOTrackerView, ReportInput } from './report-input.ts'
import { summariseSeries } from './series-summary.ts'
import { summaryWords } from './summary.ts'

const MAX_COMPARISONS = 20
const MAX_PAIRS = 10
const MAX_TEXT = 2000
const MAX_ALERTS = 1000
const MAX_ALERT_SAMPLES = 2
const MAX_MEASURES = 100
const MAX_PPO_RECORDS = 200

/** Alerts about numbers alone, beside which answers say nothing. */
const WITHOUT_SAMPLES: ReadonlySet<AlertKind> = new Set([
  'value-reward-mismatch',
  'non-finite',
  'loss-spike',
  'gradient-anomaly',
  'train-inference-mismatch',
  'broken-invariant',
  'stall',
])

/** Counts what is cut while the parts of a report are made. */
interface Cutter {
  characters: number
  pairs: number
  text(text: string, limit?: number): string
}

/** The report of a run as it is now; plots are those that lie in `outputDir`. */
export function collectReport(input: ReportInput, outputDir: string): TrainingReport {
  const summary = input.monitor.summary()
  const store = input.monitor.getMetricsStore()
  const cutter = newCutter()
  const comparisons = input.comparator?.comparisonHistory ?? []
  const training = plainJson(summary.config)
  const metrics: [string, ReportMetric][] = []
  for (const name of store.names()) {
    const metric = summariseSeries(store, name)
    if (metric) metrics.push([name, metric])
  }
  const forgetting = input.comparator?.forgettingEvidence() ?? null
  const facts: Omit<TrainingReport, 'summary' | 'leftOut'> = {
    schemaVersion: REPORT_SCHEMA_VERSION,
    run: {
      id: summary.runId,
      project: cutter.text(summary.project),
      name: cutter.text(summary.name),
      status: summary.status,
      iterations: summary.iterations,
      loggedIterations: summary.loggedIterations,
      live: summary.live,
      lastIteration: summary.lastIteration,
      totalIterations: summary.totalIterations,
      startedUnixSeconds: summary.startedUnixSeconds,
      elapsedMs: summary.elapsedMs,
      attempts: summary.attempts.map(({ attempt, fromIteration }) => ({ attempt, fromIteration })),
      checkpoints: summary.checkpoints.slice(-MAX_CHECKPOINTS),
      error: summary.error === null ? null : cutter.text(summary.error),
    },
    stop: summary.stop && stopOf(summary.stop, cutter),
    laterStops: summary.laterStops.map((stop) => stopOf(stop, cutter)),
    metrics: record(metrics),
    alerts: (input.analyzer?.alertHistory ?? [])
      .slice(0, MAX_ALERTS)
      .map((alert) => alertOf(alert, samplesFor(alert, comparisons, cutter), cutter)),
    sample_changes: comparisons.slice(-MAX_COMPARISONS).map((comparison) => comparisonOf(comparison, cutter)),
    forgetting: forgetting && {
      detected: forgetting.detected,
      measure: cutter.text(forgetting.measure),
      meanChange: forgetting.meanChange,
      interval: [forgetting.interval[0], forgetting.interval[1]],
      pairs: forgetting.pairs,
    },
    ppoMechanics: input.ppoTracker ? ppoMechanicsOf(input.ppoTracker) : null,
    configuration: {
      verbosity: summary.verbosity,
      detection: input.analyzer ? { mode: input.analyzer.mode, thresholds: numbers(input.analyzer.thresholds) } : null,
      training: JSON.parse(training.text) as Record<string, unknown>,
    },
    coverage:
      input.analyzer?.coverage.map(({ detector, kind, kinds, needs, missing, unfit }) => ({
        detector: cutter.text(detector),
        kind,
        ...(kinds ? { kinds } : {}),
        needs: needs.map((need) => cutter.text(need)),
        missing: missing.map((need) => cutter.text(need)),
        ...(unfit
          ? { unfit: unfit.map(({ series, why }) => ({ series: cutter.text(series), why: cutter.text(why) })) }
          : {}),
      })) ?? null,
    plots: existingPlots(outputDir),
    counters: numbers(summary.counters),
    callbackFailures: summary.callbackFailures.map(({ callback, problem, count }) => ({
      callback: cutter.text(callback),
      problem: cutter.text(problem),
      count,
    })),
    versions: record(Object.entries(summary.versions).map(([name, version]) => [name, cutter.text(version)])),
  }
  return {
    ...facts,
    summary: { text: summaryWords(facts) },
    leftOut: {
      metrics: store.droppedNames,
      comparisons: Math.max(0, comparisons.length - MAX_COMPARISONS),
      pairs: cutter.pairs,
      characters: cutter.characters,
      configuration: training.cut,
    },
  }
}

function newCutter(): Cutter {
  return {
    characters: 0,
    pairs: 0,
    text(text, limit = MAX_TEXT) {
      if (text.length <= limit) return text
      // Never between the halves of a surrogate pair.
      const end = (text.codePointAt(limit - 1) ?? 0) > 0xffff ? limit - 1 : limit
      this.characters += text.length - end
      return text.slice(0, end)
    },
  }
}

function stopOf(stop: StopRequest, cutter: Cutter): ReportStop {
  const { severity, iteration, rollbackTo } = stop
  return { reason: cutter.text(stop.reason), severity, iteration, rollbackTo }
}

function alertOf(alert: Alert, samples: readonly ReportSample[], cutter: Cutter): ReportAlert {
  return {
    id: cutter.text(alert.id),
    detector: cutter.text(alert.detector),
    kind: alert.kind,
    direction: alert.direction ?? null,
    severity: alert.severity,
    state: alert.state,
    iteration: alert.iteration,
    reason: cutter.text(alert.reason),
    onset: { estimate: alert.onset.estimate, interval: [alert.onset.interval[0], alert.onset.interval[1]] },
    series: alert.series.map((name) => cutter.text(name)),
    observed: alert.observed,
    expected: alert.expected,
    statistic: alert.statistic,
    threshold: alert.threshold,
    rollbackTo: alert.rollbackTo,
    advice: alert.advice.map((advice) => ({ ...advice })),
    basis: alert.basis,
    falseAlarmRate: alert.falseAlarmRate,
    samples,
    replaces: alert.replaces ?? null,
    ...(alert.muted ? { muted: true as const } : {}),
  }
}

/**
 * The answers that the alert came with, else the most changed ones of the comparison that was the newest when it was raised (else of
 * the next one).
 */
function samplesFor(alert: Alert, comparisons: readonly SampleComparison[], cutter: Cutter): ReportSample[] {
  if (alert.samples.length > 0) {
    return alert.samples.slice(0, MAX_ALERT_SAMPLES).map((sample) => ({ ...sample, ...textsOf(sample, cutter) }))
  }
  if (WITHOUT_SAMPLES.has(alert.kind)) return []
  const comparison =
    comparisons.findLast(({ iteration }) => iteration <= alert.iteration && iteration >= alert.onset.interval[0]) ??
    comparisons.find(({ iteration }) => iteration > alert.iteration) ??
    comparisons.at(-1)
  if (!comparison) return []
  return mostChanged(comparison.pairs)
    .slice(0, MAX_ALERT_SAMPLES)
    .map((pair) => ({
      ...textsOf(pair, cutter),
      baselineIteration: pair.baselineIteration,
      iteration: comparison.iteration,
      rewards: null,
    }))
}

function comparisonOf(comparison: SampleComparison, cutter: Cutter): ReportComparison {
  cutter.pairs += Math.max(0, comparison.pairs.length - MAX_PAIRS)
  return {
    iteration: comparison.iteration,
    source: comparison.source,
    driftKind: comparison.driftKind,
    metrics: numbers(comparison.metrics),
    pairs: mostChanged(comparison.pairs)
      .slice(0, MAX_PAIRS)
      .map((pair) => pairOf(pair, cutter)),
  }
}

function mostChanged(pairs: readonly SamplePair[]): readonly SamplePair[] {
  return pairs.toSorted((a, b) => a.diff.similarity - b.diff.similarity || b.drift - a.drift)
}

function textsOf(
  pair: Pick<SamplePair, 'prompt' | 'original' | 'updated'>,
  cutter: Cutter,
): Pick<ReportPair, 'prompt' | 'original' | 'updated' | 'charactersLeftOut'> {
  const texts = {
    prompt: cutter.text(pair.prompt),
    original: cutter.text(pair.original),
    updated: cutter.text(pair.updated),
  }
  return {
    ...texts,
    charactersLeftOut: {
      prompt: pair.prompt.length - texts.prompt.length,
      original: pair.original.length - texts.original.length,
      updated: pair.updated.length - texts.updated.length,
    },
  }
}

function pairOf(pair: SamplePair, cutter: Cutter): ReportPair {
  const { diff } = pair
  const words: { kind: 'kept' | 'removed' | 'added'; text: string }[] = []
  let left = 2 * MAX_TEXT
  for (const { kind, text } of diff.words) {
    if (left <= 0) break
    // Not counted as cut: these are the same characters as in the two texts.
    words.push({ kind, text: text.slice(0, left) })
    left -= text.length
  }
  return {
    ...textsOf(pair, cutter),
    baselineIteration: pair.baselineIteration,
    similarity: diff.similarity,
    drift: pair.drift,
    charactersAdded: diff.charactersAdded,
    charactersRemoved: diff.charactersRemoved,
    linesAdded: diff.linesAdded,
    linesRemoved: diff.linesRemoved,
    words,
    measures: record(
      Object.entries(pair.measures)
        .slice(0, MAX_MEASURES)
        .map(([name, { original, updated }]) => [name, { original, updated }]),
    ),
  }
}

function ppoMechanicsOf(tracker: PPOTrackerView): TrainingReport['ppoMechanics'] {
  const summary = tracker.getPPOSummary()
  const history = tracker.ppoHistory
  if (!summary || history.length === 0) return null
  const step = Math.max(1, (history.length - 1) / (MAX_PPO_RECORDS - 1))
  const records: Readonly<Record<string, number>>[] = []
  for (let i = 0; Math.round(i) < history.length; i += step) records.push(numbers(history[Math.round(i)]!))
  return {
    summary: record(
      Object.entries(summary).filter(
        (entry): entry is [string, number | null] => entry[1] === null || typeof entry[1] === 'number',
      ),
    ),
    history: records,
  }
}

/** The numbers of an object. */
function numbers(of: object): Record<string, number> {
  return record(
    Object.entries(of)
      .filter((entry): entry is [string, number] => typeof entry[1] === 'number')
      .slice(0, MAX_MEASURES),
  )
}

/** A record in which any name is safe. */
function record<Value>(entries: readonly (readonly [string, Value])[]): Record<string, Value> {
  const made: Record<string, Value> = Object.create(null)
  for (const [name, value] of entries) made[name] = value
  return made
}
