/**
 * A run on its way into a store: gathers what its events bring, and commits it now and then.
 *
 * @module
 */
import type { Alert, Coverage } from '../detectors/detector.ts'
import { errorMessage } from '../errors.ts'
import type { TrainingEvent } from '../events.ts'
import type { RunSummary } from '../run-summary.ts'
import type { RunIdentity, RunStore, SeriesPoints, StoredSample } from './store.ts'

/** What of a monitor is recorded. */
export interface RecordedMonitor {
  summary(): RunSummary
  getMetricsStore(): {
    readonly trainer: string
    info(name: string): { canonical: string; original: string; unit: string }
  }
}

/** What of an analyzer is recorded. */
export interface RecordedAnalyzer {
  readonly alertHistory: readonly Alert[]
  readonly coverage: readonly Coverage[]
  readonly preset: string | null
}

/** A {@link runRecorder}'s surroundings. */
export interface RunRecorderOptions {
  readonly store: RunStore
  /** Asked at the first commit, when all of it is known. */
  readonly identity: () => RunIdentity
  readonly monitor: () => RecordedMonitor
  readonly analyzer: () => RecordedAnalyzer
  /** Unix seconds. */
  readonly now: () => number
  /** Takes a line for the person who watches: why this run is not stored any more. */
  readonly say: (text: string) => void
}

/** Records one run. Nothing in it throws: a store that fails must not end the watching. */
export interface RunRecorder {
  event(event: TrainingEvent): void
  /** Stores what has come since; does nothing where nothing has. */
  commit(): void
}

/** Answers of an iteration that are kept, and characters of each. */
const MAX_ANSWERS = 4
const MAX_CHARACTERS = 2000
/** Values that are held at the most before they are stored unasked. */
const MAX_HELD = 200_000

interface Held {
  readonly original: string
  readonly unit: string
  readonly attempt: number
  readonly iterations: number[]
  readonly values: number[]
}

export function runRecorder({ store, identity, monitor, analyzer, now, say }: RunRecorderOptions): RunRecorder {
  let points = new Map<string, Held>()
  let samples: StoredSample[] = []
  let held = 0
  let news = false
  let epoch: number | null = null
  let key = ''
  let failed = false

  function takeMetrics({ iteration, metrics }: TrainingEvent): void {
    const metricsStore = monitor().getMetricsStore()
    const attempt = monitor().summary().attempts.at(-1)?.attempt ?? 1
    for (const name in metrics) {
      const value = metrics[name]
      if (value === undefined) continue
      const { canonical, original, unit } = metricsStore.info(name)
      const at = `${attempt} ${canonical}`
      let series = points.get(at)
      if (!series) {
        series = { original, unit, attempt, iterations: [], values: [] }
        points.set(at, series)
      }
      series.iterations.push(iteration)
      series.values.push(value)
      held++
    }
  }

  function takeAnswers({ iteration, metadata }: TrainingEvent): void {
    const { prompts, responses, rewards } = metadata as Readonly<Record<string, unknown>>
    if (!Array.isArray(responses)) return
    const text = (value: unknown) => (typeof value === 'string' ? value.slice(0, MAX_CHARACTERS) : '')
    for (let i = 0; i < Math.min(MAX_ANSWERS, responses.length); i++) {
      const reward = Array.isArray(rewards) && typeof rewards[i] === 'number' ? (rewards[i] as number) : Number.NaN
      samples.push({
        iteration,
        prompt: text(Array.isArray(prompts) ? prompts[i] : ''),
        response: text(responses[i]),
        reward,
      })
    }
  }

  function commit(): void {
    if (failed || !news) return
    try {
      if (epoch === null) {
        const who = identity()
        key = who.key
        epoch = store.claim(who)
      }
      const gathered: SeriesPoints[] = [...points].map(([at, series]) => ({
        ...series,
        name: at.slice(at.indexOf(' ') + 1),
      }))
      store.commit({
        key,
        epoch,
        state: stateOf(),
        points: gathered,
        samples,
        alerts: analyzer().alertHistory,
        time: now(),
      })
      points = new Map()
      samples = []
      held = 0
      news = false
    } catch (error) {
      // What another watch stores, or a full disk, is no reason to stop watching; the run can be stored again from its files.
      failed = true
      points = new Map()
      samples = []
      say(`not stored any more: ${errorMessage(error)}`)
    }
  }

  function stateOf() {
    const summary = monitor().summary()
    const { trainer } = monitor().getMetricsStore()
    const started = summary.startedUnixSeconds
    return {
      ...{ name: summary.name, project: summary.project, trainer, status: summary.status, preset: analyzer().preset },
      iterations: summary.iterations,
      lastIteration: summary.lastIteration,
      totalIterations: summary.totalIterations,
      startedUnixSeconds: started,
      newestUnixSeconds: started === null ? null : started + summary.elapsedMs / 1000,
      config: summary.config,
      checkpoints: summary.checkpoints,
      attempts: summary.attempts,
      coverage: analyzer().coverage,
    }
  }

  return {
    event(event) {
      if (failed) return
      try {
        news = true
        takeMetrics(event)
        takeAnswers(event)
        if (held >= MAX_HELD) commit()
      } catch {
        // Metadata may be anything.
      }
    },
    commit,
  }
}
