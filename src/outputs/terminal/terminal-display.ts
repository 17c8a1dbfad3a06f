/**
 * Shows a run in a terminal while it trains.
 *
 * @module
 */
import type { CallbackContext, MonitorHandle, TrainingCallback } from '../../callbacks.ts'
import type { Alert } from '../../detectors/detector.ts'
import { TelltaleError } from '../../errors.ts'
import { type RunStatus, type TrainingEvent, TrainingPhase } from '../../events.ts'
import type { MetricsStore } from '../../metrics/store.ts'
import type { SampleComparison } from '../../quality/comparison.ts'
import type { AnalyzerView } from '../../run-summary.ts'
import { type Clock, systemClock } from '../../time.ts'
import { VerbosityLevel } from '../../verbosity.ts'
import { collectState, newAlertView } from './collect-state.ts'
import type { AlertView, DisplayState } from './display-state.ts'
import { displayText } from './display-text.ts'
import { createPace, etaMs } from './eta.ts'
import { glyphsFor } from './glyphs.ts'
import { liveSurface } from './live-surface.ts'
import { pipedSurface } from './piped-surface.ts'
import { createSeriesPartsCache } from './series-parts.ts'
import type { Moment, Surface } from './surface.ts'
import { canRepaint, type Environment, showsUnicode, type TerminalStream, wantsColor } from './terminal-traits.ts'

/** Options of {@link TerminalDisplay}; all may be left out. */
export interface TerminalDisplayOptions {
  /** `simple` (default, as in the plan): one line that updates in place. `verbose`: a panel. */
  readonly verbosity?: VerbosityLevel
  /** Where to show it; `process.stdout` by default. What is no terminal gets plain lines without escapes. */
  readonly stream?: TerminalStream
  /** Time for pace and ETA; the clock of the system by default. */
  readonly clock?: Clock
  /** Iterations of the whole run, for ETA and bar; TRAINING_START's `metadata.totalIterations` by default. */
  readonly totalIterations?: number
  /** By default what NO_COLOR, FORCE_COLOR, TERM and the stream say. */
  readonly color?: boolean
  /** False draws with ASCII alone; by default what TERM and the locale say. */
  readonly unicode?: boolean
  /** Columns used at most, an integer of at least 20; the terminal's own by default (120 for a pipe or file). */
  readonly width?: number
  /** Environment variables; those of the process by default. */
  readonly env?: Environment
  /** True where the display is not in the training's process: it paints twice a second, however long a paint takes. False by default. */
  readonly apart?: boolean
}

/** A comparator, as far as a display reads it. */
export interface ComparisonSource {
  /** All comparisons, oldest first. */
  readonly comparisonHistory: readonly SampleComparison[]
}

/**
 * Shows a run while it trains: SIMPLE is one line that updates in place, VERBOSE a panel with metrics, mechanics of PPO,
 * alerts and the newest change of an answer. It paints at most twice a second, a panel that takes long every two seconds at the
 * least (start, alert and end at once), writes only what changed, and gives the cursor back however the process ends. What others print meanwhile stays above it.
 *
 * @throws TelltaleError `bad-option` for an option out of range.
 *
 * @example
 * ```ts
 * import { TerminalDisplay, TrainingMonitor } from 'telltale'
 * const monitor = new TrainingMonitor()
 * const display = new TerminalDisplay({ verbosity: 'simple', totalIterations: 3 }).setMetricsStore(monitor.getMetricsStore())
 * monitor.registerCallback(display)
 * await monitor.run(() => {
 *   for (let i = 0; i < 3; i++) monitor.onEvent({ phase: 'iteration_end', iteration: i, metrics: { reward: 0.1 * i } })
 * })
 * console.log(display.verbosity) // simple
 * ```
 */
export class TerminalDisplay implements TrainingCallback {
  readonly name = 'TerminalDisplay'
  /** One line (`simple`) or a panel (`verbose`). */
  readonly verbosity: VerbosityLevel
  readonly #clock: Clock
  readonly #surface: Surface
  readonly #repaints: boolean
  readonly #fixedTotal: number | null
  readonly #pace = createPace()
  readonly #parts = createSeriesPartsCache()
  #store: MetricsStore | null = null
  #analyzer: AnalyzerView | null = null
  #comparator: ComparisonSource | null = null
  #monitor: MonitorHandle | null = null
  #total: number | null
  #status: DisplayState['status'] = 'waiting'
  #why: string | null = null
  #done = 0
  #startedMs = 0
  #endedMs: number | null = null
  #newestAlert: string | null = null
  #closed = false

  constructor(options: TerminalDisplayOptions = {}) {
    const verbosity = options.verbosity ?? VerbosityLevel.SIMPLE
    if (verbosity !== VerbosityLevel.SIMPLE && verbosity !== VerbosityLevel.VERBOSE) {
      throw new TelltaleError('bad-option', `verbosity is ${JSON.stringify(verbosity)}; expected 'simple' or 'verbose'`)
    }
    this.verbosity = verbosity
    this.#fixedTotal = integerOrNull(options.totalIterations, 'totalIterations', 1)
    this.#total = this.#fixedTotal
    this.#clock = options.clock ?? systemClock
    const width = integerOrNull(options.width, 'width', 20)
    const stream: TerminalStream = options.stream ?? process.stdout
    const env = options.env ?? process.env
    this.#repaints = canRepaint(stream, env)
    const surface = this.#repaints ? liveSurface : pipedSurface
    this.#surface = surface(stream, {
      clock: this.#clock,
      color: options.color ?? wantsColor(stream, env),
      glyphs: glyphsFor(options.unicode ?? showsUnicode(env)),
      ...(width === null ? {} : { width }),
      ...(options.apart === undefined ? {} : { apart: options.apart }),
    })
  }

  /** Where the numbers come from; the monitor's own store once it is registered with one. */
  setMetricsStore(store: MetricsStore): this {
    this.#store = store
    return this
  }

  /** Where alerts and coverage come from. */
  setAnalyzer(analyzer: AnalyzerView): this {
    this.#analyzer = analyzer
    return this
  }

  /** Where changes of answers come from. */
  setComparator(comparator: ComparisonSource): this {
    this.#comparator = comparator
    return this
  }

  onRegister(monitor: MonitorHandle): void {
    this.#monitor = monitor
    this.#store ??= monitor.getMetricsStore()
  }

  onEvent(event: TrainingEvent, context?: CallbackContext): void {
    if (this.#closed) return
    if (context) {
      this.#monitor = context.monitor
      this.#store ??= context.store
    }
    const moment = this.#follow(event)
    const alerts = this.#newAlerts()
    this.#surface.show({
      moment,
      verbosity: this.verbosity,
      alerts,
      state: () => this.#state(moment !== 'progress' || alerts.length > 0),
      done: this.#done,
      total: this.#total,
    })
  }

  /**
   * Shows what came since the last paint, and how time has passed, where it is due and the display repaints in place: for whoever shows a run in
   * which nothing happens for a while.
   */
  refresh(): void {
    if (this.#closed || !this.#repaints || this.#status !== 'running') return
    this.#surface.show({
      moment: 'progress',
      verbosity: this.verbosity,
      alerts: [],
      state: () => this.#state(false),
      done: this.#done,
      total: this.#total,
    })
  }

  /** Prints a text for good, above the display while it is shown; terminal escapes are taken out. */
  print(text: string): void {
    this.#surface.print(text.split(/\r?\n/).map((line) => displayText(line)))
  }

  /**
   * Gives the cursor back and leaves the last frame on the screen.
   *
   * @param options `erase` takes away what is painted in place instead, where something else is to be shown; false by default.
   */
  async close(options: { readonly erase?: boolean } = {}): Promise<void> {
    this.#closed = true
    this.#surface.close(options.erase ?? false)
  }

  /** Takes the event's part of the run's progress. */
  #follow(event: TrainingEvent): Moment {
    const nowMs = this.#clock.monotonicMs()
    const { phase, iteration, metadata } = event
    const begins = phase === TrainingPhase.TRAINING_START || this.#status === 'waiting'
    if (begins) {
      this.#status = 'running'
      this.#why = null
      this.#endedMs = null
      this.#startedMs = nowMs
      this.#done = iteration
      this.#total = this.#fixedTotal ?? totalOf(metadata.totalIterations)
      this.#pace.start(iteration, nowMs)
    }
    if (phase === TrainingPhase.TRAINING_END) {
      this.#endedMs = nowMs
      this.#readEnd(metadata)
      return 'end'
    }
    if (phase === TrainingPhase.ITERATION_END) {
      this.#done = iteration + 1
      this.#pace.note(this.#done, nowMs)
    } else if (phase === TrainingPhase.ITERATION_START && iteration < this.#done) {
      // The run fell back to an older checkpoint.
      this.#done = iteration
      this.#pace.start(iteration, nowMs)
    } else if (!OUT_OF_ITERATION.has(phase) && iteration > this.#done) {
      // A loop without ITERATION_END: a later iteration's data says that the ones before are over.
      this.#done = iteration
      this.#pace.note(iteration, nowMs)
    }
    return begins ? 'start' : 'progress'
  }

  #readEnd(metadata: TrainingEvent['metadata']): void {
    const stop = this.#monitor?.shouldStopEarly()
    const { status, error } = metadata
    this.#status = isRunStatus(status) ? status : stop?.shouldStop ? 'stopped' : 'completed'
    if (this.#status === 'failed' && typeof error === 'string') this.#why = error
    else if (this.#status !== 'completed') this.#why = stop?.reason ?? null
  }

  /** Alerts that came since the last call, oldest first. */
  #newAlerts(): readonly AlertView[] {
    const history = this.#analyzer?.alertHistory ?? []
    const newest = history.at(-1)
    if (!newest || newest.id === this.#newestAlert) return []
    const fresh: Alert[] = []
    for (let i = history.length - 1; i >= 0 && history[i]!.id !== this.#newestAlert; i--) fresh.unshift(history[i]!)
    this.#newestAlert = newest.id
    return fresh.filter(({ muted }) => !muted).map((alert) => newAlertView(alert, history))
  }

  #state(exact: boolean): DisplayState {
    const msPerIteration = this.#pace.msPerIteration()
    const running = this.#status === 'running'
    return collectState(
      {
        verbosity: this.verbosity,
        runId: this.#monitor?.runId ?? null,
        status: this.#status,
        why: this.#why,
        done: this.#done,
        total: this.#total,
        elapsedMs: Math.max(0, (this.#endedMs ?? this.#clock.monotonicMs()) - this.#startedMs),
        etaMs: running ? etaMs(this.#done, this.#total, msPerIteration) : null,
        msPerIteration,
      },
      {
        store: this.#store,
        parts: this.#parts,
        analyzer: this.#analyzer,
        comparisonHistory: this.#comparator?.comparisonHistory ?? [],
      },
      exact,
    )
  }
}

/** Events whose iteration says nothing about how far the run is. */
const OUT_OF_ITERATION: ReadonlySet<TrainingPhase> = new Set([
  TrainingPhase.TRAINING_START,
  TrainingPhase.TRAINING_END,
  TrainingPhase.EVALUATION,
  TrainingPhase.CHECKPOINT_SAVED,
])

function isRunStatus(value: unknown): value is RunStatus {
  return value === 'completed' || value === 'stopped' || value === 'failed'
}

function totalOf(value: unknown): number | null {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : null
}

function integerOrNull(value: number | undefined, option: string, least: number): number | null {
  if (value === undefined) return null
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new TelltaleError('bad-option', `${option} is ${String(value)}; expected an integer of at least ${least}`)
}
