/**
 * A run on its way into a store: gathers what its events bring, and commits it now and then.
 *
 * @module
 */
import type { Alert, Coverage } from '../detectors/detector.ts'
import { errorMessage, TelltaleError } from '../errors.ts'
import { type TrainingEvent, TrainingPhase } from '../events.ts'
import type { RunSummary } from '../run-summary.ts'
import type { Commit, RunIdentity, RunStore, SeriesPoints, StoredEvent, StoredSample } from './store.ts'

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
  /** Lines of the run's log that never came; 0 where left out. */
  readonly missingLines?: (() => number) | undefined
  /** Whether the run is followed as it goes, and not read once. */
  readonly followed: boolean
  /** Unix seconds. */
  readonly now: () => number
  /** Takes a line for the person who watches: why this run is not stored any more. `isShared`: it is so for every run of the store. */
  readonly say: (text: string, isShared: boolean) => void
  /** Epoch from {@link RunStore.resume}, for a run that is stored on; it is claimed at the first commit otherwise. */
  readonly epoch?: number | undefined
}

/** Records one run. Nothing in it throws: a store that fails must not end the watching. */
export interface RunRecorder {
  event(event: TrainingEvent): void
  /** Stores what has come since; does nothing where nothing has. */
  commit(): void
  /**
   * What has come since, for a commit together with other runs, after which {@link committed} or {@link refused} is called; null where it is not stored
   * now, or nothing has come.
   *
   * @param always gives it also where nothing has come.
   */
  gather(always?: boolean): Commit | null
  committed(): void
  refused(error: unknown): void
  /** Has the next commit tried, though the last one failed only now. */
  tryNow(): void
  /** Whether what has come could not be stored so far. */
  readonly isBehind: boolean
  /** Whether all that has come is in the store. */
  readonly isStored: boolean
  /** Whether something has come since. */
  readonly hasNews: boolean
}

/** Answers of an iteration that are kept, and characters of each. */
const MAX_ANSWERS = 4
const MAX_CHARACTERS = 2000
/** Answers that are held at the most, while they cannot be stored: the newest; the store keeps no more of a run. */
const MAX_HELD_ANSWERS = 2000
/** Values that are held at the most before they are stored unasked. */
const MAX_HELD = 200_000
/** Seconds between two tries where a store cannot be written: a disk that is full may have room again. */
const RETRY_SECONDS = 30

/** What is kept of a run beside its numbers and answers. */
const KEPT_PHASES: ReadonlySet<string> = new Set([
  ...[TrainingPhase.TRAINING_START, TrainingPhase.CHECKPOINT_SAVED, TrainingPhase.TRAINING_END],
])
/** Fields of such an event, and characters of each. */
const MAX_FIELDS = 20
/** Such events that wait at the least where the store cannot be written: as many as it keeps. */
const MAX_HELD_EVENTS = 2000
const MAX_FIELD_CHARACTERS = 1000

interface Held {
  readonly original: string
  readonly unit: string
  readonly attempt: number
  readonly iterations: number[]
  readonly values: number[]
}

/** Text as databases keep it: many end it at a NUL character, for which its picture stands. */
function storable(text: string): string {
  return text.replaceAll('\0', '\u2400')
}

export function runRecorder(options: RunRecorderOptions): RunRecorder {
  const { store, identity, monitor, analyzer, now, say } = options
  let points = new Map<string, Held>()
  /** The same of the current attempt by the trainer's own names: what each of them means is asked once a commit. */
  const byName = new Map<string, Held>()
  let attemptOfNames = 0
  let samples: StoredSample[] = []
  let events: StoredEvent[] = []
  let held = 0
  let news = false
  let epoch: number | null = options.epoch ?? null
  let key = epoch === null ? '' : identity().key
  let failed = false
  /** When it is tried again, while it cannot be written. */
  let retrySeconds: number | null = null

  function takeMetrics({ iteration, metrics }: TrainingEvent): void {
    const metricsStore = monitor().getMetricsStore()
    const attempt = monitor().summary().attempts.at(-1)?.attempt ?? 1
    if (attempt !== attemptOfNames) byName.clear()
    attemptOfNames = attempt
    for (const name in metrics) {
      const value = metrics[name]
      if (value === undefined) continue
      let series = byName.get(name)
      if (!series) {
        series = seriesOf(metricsStore.info(name), attempt)
        byName.set(name, series)
      }
      series.iterations.push(iteration)
      series.values.push(value)
      held++
    }
  }

  /** Two names may mean one series. */
  function seriesOf(info: { canonical: string; original: string; unit: string }, attempt: number): Held {
    // A name from outside; it may differ from another only behind the character at which the store would cut it.
    const at = `${attempt} ${storable(info.canonical)}`
    const known = points.get(at)
    if (known) return known
    const series = { original: storable(info.original), unit: info.unit, attempt, iterations: [], values: [] }
    points.set(at, series)
    return series
  }

  function takeAnswers({ iteration, metadata }: TrainingEvent): void {
    const { prompts, responses, rewards } = metadata as Readonly<Record<string, unknown>>
    if (!Array.isArray(responses)) return
    const text = (value: unknown) => (typeof value === 'string' ? storable(value.slice(0, MAX_CHARACTERS)) : '')
    for (let i = 0; i < Math.min(MAX_ANSWERS, responses.length); i++) {
      const reward = Array.isArray(rewards) && typeof rewards[i] === 'number' ? (rewards[i] as number) : Number.NaN
      samples.push({
        iteration,
        prompt: text(Array.isArray(prompts) ? prompts[i] : ''),
        response: text(responses[i]),
        reward,
      })
    }
    // Now and then, and not one for each that comes.
    if (samples.length >= 2 * MAX_HELD_ANSWERS) samples = samples.slice(-MAX_HELD_ANSWERS)
  }

  function takeHappening({ phase, iteration, metadata }: TrainingEvent): void {
    if (!KEPT_PHASES.has(phase)) return
    const { startedUnixSeconds: started, elapsedMs } = monitor().summary()
    const kept = Object.entries(metadata).filter(([name, value]) => name !== 'config' && isShort(value))
    events.push({
      unixSeconds: started ? started + (elapsedMs ?? 0) / 1000 : null,
      iteration,
      phase,
      metadata: Object.fromEntries(kept.slice(0, MAX_FIELDS)),
    })
    if (events.length >= 2 * MAX_HELD_EVENTS) events = events.slice(-MAX_HELD_EVENTS)
  }

  function gather(always = false): Commit | null {
    if (failed || !(news || always) || (retrySeconds !== null && now() < retrySeconds)) return null
    try {
      if (epoch === null) {
        const who = identity()
        key = who.key
        epoch = store.claim(who)
      }
    } catch (error) {
      refused(error)
      return null
    }
    return {
      key,
      epoch,
      state: stateOf(),
      points: [...points].map(([at, series]): SeriesPoints => ({ ...series, name: at.slice(at.indexOf(' ') + 1) })),
      samples,
      events,
      alerts: analyzer().alertHistory,
      time: now(),
    }
  }

  function committed(): void {
    if (retrySeconds !== null) say('stored again', true)
    retrySeconds = null
    clear()
    news = false
  }

  function clear(): void {
    points = new Map()
    byName.clear()
    samples = []
    events = []
    held = 0
  }

  /** A store that fails is no reason to stop watching, and nothing is lost by it: the run is still in its files. */
  function refused(error: unknown): void {
    const overtaken = error instanceof TelltaleError && error.code === 'bad-usage'
    if (overtaken || held >= MAX_HELD) {
      failed = true
      clear()
      const what = overtaken ? '' : '; what is missing is read from its files when they are watched or imported again'
      say(`not stored any more: ${errorMessage(error)}${what}`, false)
      return
    }
    if (retrySeconds === null)
      say(`not stored for now, and tried again every ${RETRY_SECONDS} seconds: ${errorMessage(error)}`, true)
    retrySeconds = now() + RETRY_SECONDS
  }

  function commit(): void {
    const gathered = gather()
    if (gathered === null) return
    try {
      store.commit([gathered])
      committed()
    } catch (error) {
      refused(error)
    }
  }

  function stateOf() {
    const summary = monitor().summary()
    const { trainer } = monitor().getMetricsStore()
    const started = summary.startedUnixSeconds
    return {
      ...{ name: summary.name, project: summary.project, trainer, status: summary.status, preset: analyzer().preset },
      iterations: summary.iterations,
      loggedIterations: summary.loggedIterations,
      followed: options.followed,
      lastIteration: summary.lastIteration,
      totalIterations: summary.totalIterations,
      startedUnixSeconds: started,
      newestUnixSeconds: started === null || summary.elapsedMs === null ? null : started + summary.elapsedMs / 1000,
      config: summary.config,
      checkpoints: summary.checkpoints,
      attempts: summary.attempts,
      coverage: analyzer().coverage,
      process: summary.process,
      missingLines: options.missingLines?.() ?? 0,
    }
  }

  return {
    event(event) {
      if (failed) return
      try {
        news = true
        takeMetrics(event)
        takeAnswers(event)
        takeHappening(event)
        if (held < MAX_HELD) return
        retrySeconds = null
        commit()
      } catch {
        // Metadata may be anything.
      }
    },
    commit,
    gather,
    committed,
    refused,
    tryNow() {
      if (retrySeconds !== null) retrySeconds = now()
    },
    get isBehind() {
      return retrySeconds !== null && !failed
    },
    get isStored() {
      return !news && !failed
    },
    get hasNews() {
      return news
    },
  }
}

function isShort(value: unknown): boolean {
  return typeof value === 'string'
    ? value.length <= MAX_FIELD_CHARACTERS
    : typeof value === 'number' || typeof value === 'boolean'
}
