/**
 * The heart: takes events, logs them, stores their numbers, closes iterations, tells the callbacks, and knows whether the
 * run should stop. Only this file knows all parts.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import {
  type CallbackContext,
  type CallbackFilter,
  CallbackManager,
  type MonitorHandle,
  type SampleGenerator,
  type StopOptions,
  type TrainingCallback,
} from './callbacks.ts'
import type { Alert, Observation, Severity, Tick } from './detectors/detector.ts'
import { errorMessage, TelltaleError } from './errors.ts'
import { createTrainingEvent, type RunStatus, TrainingEvent, type TrainingEventInit, TrainingPhase } from './events.ts'
import { decodeNumber } from './log/decode-metrics.ts'
import { earlierCheckpoints } from './log/earlier-checkpoints.ts'
import { ownProcess } from './log/process-info.ts'
import { RunLog } from './log/run-log.ts'
import { LoggedIterations } from './metrics/logged-iterations.ts'
import { MetricsStore } from './metrics/store.ts'
import type { MonitorView, ProcessInfo, RunCounters, RunSummary, StopRequest } from './run-summary.ts'
import { watchProcess } from './signals.ts'
import { type Clock, randomId, systemClock, yieldToEventLoop } from './time.ts'
import { VerbosityLevel } from './verbosity.ts'
import { TELLTALE_VERSION } from './version.ts'
import { isTrainerName, TRAINERS, type TrainerName } from './vocabulary/vocabulary.ts'

/** Options of {@link TrainingMonitor}; all may be left out. */
export interface TrainingMonitorOptions {
  /** How much displays show; `simple` by default, as in the plan. */
  readonly verbosity?: VerbosityLevel
  /** Folder of the run: its log, plots and reports. Nothing is written without one. */
  readonly outputDir?: string
  /** `critical` (default, as in the plan): critical requests stop the run. `off`: they are only recorded. */
  readonly earlyStop?: 'critical' | 'off'
  /** Matches `[A-Za-z0-9_-]{1,64}`; made from the time and chance by default. The same id in the same folder continues a run. */
  readonly runId?: string
  /** Project that the run belongs to; `default` by default. */
  readonly project?: string
  /** Name of the run for people; its id by default. */
  readonly name?: string
  /** Table of metric names; `own-loop` by default. */
  readonly trainer?: TrainerName
  /** Whether Ctrl-C and SIGTERM stop the run after the iteration (and the second Ctrl-C at once); true by default. */
  readonly handleSignals?: boolean
  /** Where times come from; the clock of the system by default. */
  readonly clock?: Clock
  /** Takes one line when something is wrong with the monitoring; standard error by default. */
  readonly onWarning?: (message: string) => void
  /** True for a run that comes from its log: nothing is written and nothing is derived anew. */
  readonly replay?: boolean
}

/** What a replaying {@link TrainingMonitor} knows beside its series and what its callbacks know. */
interface MonitorState {
  readonly status: RunStatus | 'running'
  readonly started: boolean
  readonly ended: boolean
  readonly startedUnixSeconds: number | null
  readonly startedMs: number
  readonly endedMs: number
  readonly config: Readonly<Record<string, unknown>>
  readonly totalIterations: number | null
  readonly error: string | null
  readonly stop: StopRequest | null
  readonly laterStops: readonly StopRequest[]
  readonly stopsOfAttempt: ReadonlySet<string>
  readonly resumedAs: number | null
  readonly checkpoints: readonly number[]
  readonly openIteration: number
  readonly lastClosed: number
  readonly logged: ReturnType<LoggedIterations['save']>
  readonly countsFromOne: boolean
  readonly sawIterationStart: boolean
  readonly attempts: readonly { readonly attempt: number; readonly fromIteration: number }[]
  readonly pending: ReadonlyMap<string, number>
  readonly announced: readonly string[]
  readonly lastEvent: number | null
  readonly lastEventIteration: number
  readonly lastSign: number
  readonly silenceSeconds: number
  readonly closedHere: number
  readonly counters: Pick<
    RunCounters,
    'rejectedEvents' | 'rejectedValues' | 'lateValues' | 'ignoredEvents' | 'damagedLines'
  >
  readonly process: ProcessInfo | null
}

/** Events whose iteration does not say how far the run is. */
const OUT_OF_ITERATION: ReadonlySet<TrainingPhase> = new Set([
  TrainingPhase.TRAINING_START,
  TrainingPhase.TRAINING_END,
  TrainingPhase.CHECKPOINT_SAVED,
  TrainingPhase.EVALUATION,
])

/** Events that callbacks may publish in answer to one event, before the rest is dropped and counted. */
const MAX_NESTED_EVENTS = 64
/** Seconds of silence below which a tick says nothing, and between two ticks: a log must not fill with them. */
const TICK_SECONDS = 10
const MAX_REASON_CHARACTERS = 2000
const MAX_LATER_STOPS = 100
const MAX_CHECKPOINTS = 10_000

/**
 * Watches one training run.
 *
 * @throws TelltaleError `bad-option` for an option out of range, `not-writable` for a folder that cannot be written.
 *
 * @example
 * ```ts
 * import { TrainingMonitor } from 'telltale'
 * const monitor = new TrainingMonitor()
 * await monitor.run(async () => {
 *   for (let iteration = 0; iteration < 3; iteration++) {
 *     monitor.onEvent({ phase: 'iteration_end', iteration, metrics: { reward: iteration, kl_div: 0.01 } })
 *     await monitor.settle()
 *     if (monitor.shouldStopEarly().shouldStop) break
 *   }
 * })
 * console.log(monitor.summary().status, monitor.getMetricsStore().latest('reward')) // completed 2
 * ```
 */
export class TrainingMonitor implements MonitorHandle, MonitorView {
  /** Id of the run: 1 to 64 letters, digits, `_` or `-`; made from the time by default. */
  readonly runId: string
  /** Project that the run belongs to; `default` by default. */
  readonly project: string
  /** Name of the run for people; the id by default. */
  readonly name: string
  readonly outputDir: string | null
  /** How much outputs show; `simple` by default, as in the plan. */
  readonly verbosity: VerbosityLevel
  /** Where its times come from; the clock of the system by default. */
  readonly clock: Clock
  readonly #earlyStop: 'critical' | 'off'
  readonly #handleSignals: boolean
  readonly #replay: boolean
  readonly #warn: (message: string) => void
  readonly #store: MetricsStore
  readonly #callbacks: CallbackManager
  readonly #log: RunLog | null
  readonly #context: CallbackContext

  #status: RunStatus | 'running' = 'running'
  #started = false
  #ended = false
  #closed = false
  #running = false
  #startedUnixSeconds: number | null = null
  #startedMs = 0
  #endedMs = 0
  #config: Record<string, unknown> = {}
  #totalIterations: number | null = null
  #error: string | null = null
  #process: ProcessInfo | null = null
  #generator: SampleGenerator | null = null
  #unwatch: (() => void) | null = null

  #stop: StopRequest | null = null
  readonly #laterStops: StopRequest[] = []
  /** Requests of this attempt, to know one that comes again. */
  readonly #stopsOfAttempt = new Set<string>()
  /** Attempt of a writer whose first event has not come yet. */
  #resumedAs: number | null = null
  #checkpoints: number[] = []
  /** Whether an earlier process began the run, and it is not known yet where this one goes on. */
  #continues = false

  /** Iteration whose events are coming in now. */
  #openIteration = -1
  #lastClosed = -1
  readonly #logged = new LoggedIterations()
  /** Whether the first iteration ever was not 0; what a later attempt begins with says nothing about that. */
  #countsFromOne = false
  #sawIterationStart = false
  readonly #attempts: { attempt: number; fromIteration: number }[] = []
  /** What the open iteration has logged so far, by canonical name. */
  #pending = new Map<string, number>()
  #announced: string[] = []

  /** Times by the log, in Unix seconds: of the newest event of this process, and of the newest event or tick. */
  #lastEvent: number | null = null
  #lastEventIteration = 0
  #lastSign = 0
  /** Longest time between two events since an iteration closed, in seconds. */
  #silenceSeconds = 0
  #closedHere = 0

  #dispatching = false
  readonly #queue: (
    | { readonly event: TrainingEvent; readonly closed: Observation | null }
    | { readonly tick: Tick }
  )[] = []

  #rejectedEvents = 0
  #rejectedValues = 0
  #lateValues = 0
  #ignoredEvents = 0
  #damagedLines = 0

  constructor(options: TrainingMonitorOptions = {}) {
    this.clock = options.clock ?? systemClock
    this.runId = options.runId ?? newRunId(this.clock)
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(this.runId)) {
      throw new TelltaleError(
        'bad-option',
        `runId is ${JSON.stringify(String(this.runId).slice(0, 80))}; expected 1 to 64 letters, digits, _ or -`,
      )
    }
    this.project = text(options.project, 'project', 'default')
    this.name = text(options.name, 'name', this.runId)
    this.outputDir = options.outputDir === undefined ? null : text(options.outputDir, 'outputDir', '')
    this.verbosity = oneOf(options.verbosity, 'verbosity', Object.values(VerbosityLevel), VerbosityLevel.SIMPLE)
    this.#earlyStop = oneOf(options.earlyStop, 'earlyStop', ['critical', 'off'] as const, 'critical')
    if (options.trainer !== undefined && !isTrainerName(options.trainer)) {
      throw new TelltaleError(
        'bad-option',
        `trainer is ${JSON.stringify(options.trainer)}; expected one of ${TRAINERS.join(', ')}`,
      )
    }
    this.#replay = options.replay ?? false
    this.#handleSignals = (options.handleSignals ?? true) && !this.#replay
    this.#warn = options.onWarning ?? warnOnStandardError
    this.#store = new MetricsStore(options.trainer === undefined ? {} : { trainer: options.trainer })
    this.#callbacks = new CallbackManager(this.clock, (message) => this.#warning(message))
    const header = {
      runId: this.runId,
      project: this.project,
      name: this.name,
      trainer: this.#store.trainer,
      earlyStop: this.#earlyStop,
    }
    this.#log =
      this.outputDir === null || this.#replay
        ? null
        : new RunLog(this.outputDir, header, randomId(), (message) => this.#warning(message))
    if (this.#log) {
      this.#process = ownProcess()
      this.#log.run(this.#now(), header, this.#process)
    }
    if (this.#log && this.#log.attempt > 1) {
      this.#checkpoints = [...earlierCheckpoints(this.#log.earlier)].slice(-MAX_CHECKPOINTS)
      this.#continues = true
    }
    this.#context = { monitor: this, store: this.#store, closed: null }
  }

  /**
   * Adds a callback; events reach callbacks in the order of their registration. The same one twice counts once.
   *
   * @returns what takes it out again.
   * @throws TelltaleError `bad-option` for a filter out of range.
   */
  registerCallback(callback: TrainingCallback, filter: CallbackFilter = {}): () => void {
    const unregister = this.#callbacks.register(callback, filter)
    try {
      callback.onRegister?.(this)
    } catch (error) {
      unregister()
      throw error
    }
    return unregister
  }

  /** The numbers of the run. */
  getMetricsStore(): MetricsStore {
    return this.#store
  }

  /** Iterations of the checkpoints that exist, ascending. */
  get checkpoints(): readonly number[] {
    return this.#checkpoints
  }

  /** Hyper-parameters that TRAINING_START brought. */
  get config(): Readonly<Record<string, unknown>> {
    return this.#config
  }

  /** Where answers come from on demand, for callbacks that compare; null where the trainer registered nothing. */
  getGenerator(): SampleGenerator | null {
    return this.#generator
  }

  /** Lets callbacks ask the current policy for answers; called by the trainer before its first iteration. */
  registerGenerator(generator: SampleGenerator): void {
    this.#generator = generator
  }

  /**
   * Takes one event: logs it, stores its numbers, tells the callbacks. Synchronous; never throws and never waits.
   * What is not an event is set aside and counted.
   */
  onEvent(event: TrainingEvent | TrainingEventInit): void {
    try {
      this.#take(event instanceof TrainingEvent ? event : createTrainingEvent(event))
    } catch (error) {
      this.#rejectedEvents++
      if (this.#rejectedEvents === 1) this.#warning(`An event was set aside: ${errorMessage(error)}`)
    }
  }

  /** Puts derived points into the run as an EVALUATION event; during a replay they come from the log instead. */
  publish(event: Omit<TrainingEventInit, 'phase'>): void {
    if (!this.#replay) this.onEvent({ ...event, phase: TrainingPhase.EVALUATION })
  }

  /**
   * Says that something known happens at this point of the run (`resume`, `prompt-mix`, `reward-model`, `learning-rate`, …),
   * so that detectors take a new reference instead of an alarm.
   */
  announce(what: string): void {
    const said = spoken(what).slice(0, 200)
    this.#log?.line('announce', this.#now(), { what: said })
    if (this.#announced.length < 100) this.#announced.push(said)
  }

  /**
   * Says that time passes, for what shows only in silence, such as a run that stands still. Whoever watches calls it as often as it likes (a loop
   * that waits for something remote, a watcher in another process), never a timer inside the training thread. It counts, and is
   * logged, where ten seconds have passed without an event or another tick; before the first event and after the end it does nothing.
   */
  tick(): void {
    if (this.#ended || this.#lastEvent === null) return
    const time = this.#now()
    const wentBack = time < this.#lastSign
    // What a log has was let through when it was written.
    if (!this.#replay && !wentBack && time - this.#lastSign < TICK_SECONDS) return
    this.#log?.line('tick', time, {})
    // A clock that was set back: the silence so far stands.
    if (wentBack) this.#lastEvent += time - this.#lastSign
    this.#lastSign = time
    const silentSeconds = Math.max(0, time - this.#lastEvent)
    const tick = { time, iteration: this.#lastEventIteration, silentSeconds, closedHere: this.#closedHere }
    this.#queue.push({ tick })
    if (!this.#dispatching) this.#drain()
  }

  /**
   * Awaits the work of callbacks that touches the model (re-generation of answers), and lets signals and painting run.
   * The trainer calls it after each ITERATION_END, before it asks {@link shouldStopEarly}.
   */
  async settle(): Promise<void> {
    if (!this.#replay) await this.#callbacks.settle(this.#context)
    await yieldToEventLoop()
  }

  /** Asks the run to stop. The first reason wins, later ones are kept. See {@link StopOptions}. */
  requestEarlyStop(reason: string, options: StopOptions = {}): void {
    this.#requestStop(reason, options, this.#earlyStop === 'critical')
  }

  /** Whether the run should stop between this iteration and the next, and why. */
  shouldStopEarly(): { readonly shouldStop: boolean; readonly reason: string | null } {
    return { shouldStop: this.#stop !== null, reason: this.#stop?.reason ?? null }
  }

  /** The request that stops the run, or null. */
  getStop(): StopRequest | null {
    return this.#stop
  }

  /** Writes an alert into the run's log. Called by the analyzer. */
  recordAlert(alert: Alert): void {
    this.#log?.line('alert', this.#now(), { alert })
  }

  /** All that it knows beside series and callbacks, for {@link restore} in another process alone. Called by a replay, between two lines. */
  save(): unknown {
    const state: MonitorState = {
      status: this.#status,
      started: this.#started,
      ended: this.#ended,
      startedUnixSeconds: this.#startedUnixSeconds,
      startedMs: this.#startedMs,
      endedMs: this.#endedMs,
      config: this.#config,
      totalIterations: this.#totalIterations,
      error: this.#error,
      stop: this.#stop,
      laterStops: this.#laterStops,
      stopsOfAttempt: this.#stopsOfAttempt,
      resumedAs: this.#resumedAs,
      checkpoints: this.#checkpoints,
      openIteration: this.#openIteration,
      lastClosed: this.#lastClosed,
      logged: this.#logged.save(),
      countsFromOne: this.#countsFromOne,
      sawIterationStart: this.#sawIterationStart,
      attempts: this.#attempts,
      pending: this.#pending,
      announced: this.#announced,
      lastEvent: this.#lastEvent,
      lastEventIteration: this.#lastEventIteration,
      lastSign: this.#lastSign,
      silenceSeconds: this.#silenceSeconds,
      closedHere: this.#closedHere,
      counters: {
        rejectedEvents: this.#rejectedEvents,
        rejectedValues: this.#rejectedValues,
        lateValues: this.#lateValues,
        ignoredEvents: this.#ignoredEvents,
        damagedLines: this.#damagedLines,
      },
      process: this.#process,
    }
    return state
  }

  /** Goes on from {@link save}, before the first event. Called by a replay. */
  restore(state: unknown): void {
    const saved = state as MonitorState
    this.#status = saved.status
    this.#started = saved.started
    this.#ended = saved.ended
    this.#startedUnixSeconds = saved.startedUnixSeconds
    this.#startedMs = saved.startedMs
    this.#endedMs = saved.endedMs
    this.#config = { ...saved.config }
    this.#totalIterations = saved.totalIterations
    this.#error = saved.error
    this.#stop = saved.stop
    this.#laterStops.push(...saved.laterStops)
    for (const one of saved.stopsOfAttempt) this.#stopsOfAttempt.add(one)
    this.#resumedAs = saved.resumedAs
    this.#checkpoints = [...saved.checkpoints]
    this.#openIteration = saved.openIteration
    this.#lastClosed = saved.lastClosed
    this.#logged.restore(saved.logged)
    this.#countsFromOne = saved.countsFromOne
    this.#sawIterationStart = saved.sawIterationStart
    this.#attempts.push(...saved.attempts)
    this.#pending = new Map(saved.pending)
    this.#announced = [...saved.announced]
    this.#lastEvent = saved.lastEvent
    this.#lastEventIteration = saved.lastEventIteration
    this.#lastSign = saved.lastSign
    this.#silenceSeconds = saved.silenceSeconds
    this.#closedHere = saved.closedHere
    this.#rejectedEvents = saved.counters.rejectedEvents
    this.#rejectedValues = saved.counters.rejectedValues
    this.#lateValues = saved.counters.lateValues
    this.#ignoredEvents = saved.counters.ignoredEvents
    this.#damagedLines = saved.counters.damagedLines
    this.#process = saved.process
  }

  /** Adds to the count of damaged log lines; called by a replay. */
  noteDamagedLines(count: number): void {
    this.#damagedLines += count
  }

  /** Adds to the count of values that were no numbers; called by a replay. */
  noteRejectedValues(count: number): void {
    this.#rejectedValues += count
  }

  /** The process that writes the log has said who it is. Called by a replay. */
  noteProcess(info: ProcessInfo): void {
    this.#process = info
  }

  /** A later writer continues the run: what ended it before is past. Called by a replay. */
  noteResumed(attempt: number): void {
    this.#status = 'running'
    this.#ended = false
    this.#error = null
    if (this.#stop) this.#laterStops.push(this.#stop)
    this.#stop = null
    this.#stopsOfAttempt.clear()
    // What the writer before left unfinished ended with its process; this one never knew of it.
    this.#pending = new Map()
    this.#announced = []
    this.#sawIterationStart = false
    this.#lastEvent = null
    this.#silenceSeconds = 0
    this.#closedHere = 0
    this.#resumedAs = attempt
  }

  /**
   * Runs a training function under the monitor: TRAINING_START before it where it emits none, and afterwards, however it
   * ends, a TRAINING_END with the right status and all callbacks closed. What the function throws is thrown again.
   */
  async run<Result>(fn: (monitor: this) => Promise<Result> | Result): Promise<Result> {
    if (this.#running || this.#closed) {
      throw new TelltaleError(
        'bad-usage',
        `run ${this.runId} ${this.#closed ? 'is over' : 'is running already'}; a monitor watches one run, make another`,
      )
    }
    this.#running = true
    this.#watch()
    try {
      const result = await fn(this)
      this.#end(this.#stop ? 'stopped' : 'completed', null)
      return result
    } catch (error) {
      this.#end('failed', errorMessage(error))
      throw error
    } finally {
      await this.close()
    }
  }

  /** Ends the run if it has not ended (as `completed`, or `stopped` after a stop request) and closes log and callbacks. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#end(this.#stop ? 'stopped' : 'completed', null)
    this.#unwatch?.()
    await this.#callbacks.close()
    this.#log?.line('end', this.#now(), { status: this.#status })
    if (this.#log && !existsSync(this.#log.path))
      this.#warning(`The log of the run is gone: ${this.#log.path} was deleted or moved while it was written.`)
    this.#log?.close()
  }

  /** Closes the run at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The run as reports and displays see it. */
  summary(): RunSummary {
    const nowMs = this.#ended ? this.#endedMs : this.clock.monotonicMs()
    // A log of lines without times begins at 0, and says nothing of how long it took.
    const isTimeless = this.#replay && this.#startedUnixSeconds === 0
    const sinceStart = this.#startedUnixSeconds === null ? 0 : Math.max(0, nowMs - this.#startedMs)
    return {
      runId: this.runId,
      project: this.project,
      name: this.name,
      outputDir: this.outputDir,
      verbosity: this.verbosity,
      process: this.#process,
      status: this.#status,
      iterations: this.#done(),
      loggedIterations: (this.#log?.attempt ?? 1) > 1 ? null : this.#logged.count,
      live: !this.#replay,
      lastIteration: this.#lastClosed < 0 ? null : this.#lastClosed,
      totalIterations: this.#totalIterations,
      startedUnixSeconds: isTimeless ? null : this.#startedUnixSeconds,
      elapsedMs: isTimeless ? null : sinceStart,
      stop: this.#stop,
      laterStops: this.#laterStops,
      config: this.#config,
      checkpoints: this.#checkpoints,
      attempts: this.#attempts.length > 0 ? this.#attempts : [{ attempt: 1, fromIteration: 0 }],
      counters: {
        rejectedEvents: this.#rejectedEvents,
        rejectedValues: this.#rejectedValues,
        lateValues: this.#lateValues,
        ignoredEvents: this.#ignoredEvents,
        droppedNames: this.#store.droppedNames,
        droppedSamples: this.#log?.droppedSamples ?? 0,
        droppedLines: this.#log?.droppedLines ?? 0,
        damagedLines: this.#damagedLines,
      },
      callbackFailures: this.#callbacks.problems,
      versions: { telltale: TELLTALE_VERSION, node: process.version },
      error: this.#error,
    }
  }

  #take(event: TrainingEvent): void {
    const again = event.phase === TrainingPhase.TRAINING_START && this.#openIteration >= 0 && this.#resumedAs === null
    if (this.#ended || again) {
      this.#ignoredEvents++
      return
    }
    // Callbacks that answer with events of their own must not be able to go round in circles.
    if (this.#dispatching && this.#queue.length >= MAX_NESTED_EVENTS) {
      this.#ignoredEvents++
      return
    }
    if (!this.#started) this.#begin(event)
    // Only what belongs to an iteration says where a continued run goes on: its TRAINING_START may say 0, and one that fails at
    // once has no other event.
    if (this.#resumedAs !== null && !OUT_OF_ITERATION.has(event.phase)) this.#resume(this.#resumedAs, event.iteration)
    const time = this.#now()
    this.#log?.event(event, time)
    if (this.#lastEvent !== null) this.#silenceSeconds = Math.max(this.#silenceSeconds, time - this.#lastEvent)
    this.#lastEvent = time
    this.#lastEventIteration = event.iteration
    this.#lastSign = time
    this.#rejectedValues += event.setAside.length
    this.#readMetadata(event)
    const closed = this.#assemble(event, time)
    if (closed === 'ignored') return
    this.#queue.push({ event, closed })
    if (!this.#dispatching) this.#drain()
  }

  /** Stores the event's numbers; on ITERATION_END returns the iteration that it closes. */
  #assemble(event: TrainingEvent, time: number): Observation | null | 'ignored' {
    const { phase, iteration } = event
    if (!OUT_OF_ITERATION.has(phase)) {
      if (this.#continues) {
        // What is done again is saved again.
        this.#checkpoints = this.#checkpoints.filter((checkpoint) => checkpoint < iteration)
        this.#continues = false
      }
      if (this.#fellBack(phase, iteration)) this.#beginAttempt(iteration)
      if (iteration <= this.#lastClosed) {
        this.#storeLate(event)
        if (phase !== TrainingPhase.ITERATION_END) return null
        this.#ignoredEvents++
        return 'ignored'
      }
      if (phase === TrainingPhase.ITERATION_START) this.#sawIterationStart = true
      if (iteration > this.#openIteration) this.#openIteration = iteration
    }
    for (const name of Object.keys(event.metrics)) {
      const value = event.metrics[name]!
      const canonical = this.#store.add(name, value, iteration)
      if (canonical !== undefined) this.#pending.set(canonical, value)
    }
    if (phase === TrainingPhase.POLICY_UPDATE) this.#readClipFraction(event)
    if (phase !== TrainingPhase.ITERATION_END) return null
    if (this.#lastClosed < 0 && (this.#attempts.at(-1)?.attempt ?? 1) === 1) this.#countsFromOne = iteration > 0
    this.#lastClosed = iteration
    this.#logged.add(iteration)
    const values = this.#pending.set('time/silence', this.#silenceSeconds)
    const announced = this.#announced
    this.#pending = new Map()
    this.#announced = []
    this.#silenceSeconds = 0
    this.#closedHere++
    return { iteration, time, get: (name) => values.get(name), ...(announced.length > 0 ? { announced } : {}) }
  }

  /** The plan's loops say the clipped share of an update in its metadata. */
  #readClipFraction({ metadata, metrics, iteration }: TrainingEvent): void {
    if (metrics.clip_fraction !== undefined) return
    let value: number | null = null
    try {
      // A replay finds NaN as the text that the log has for it.
      value = decodeNumber(metadata.clip_fraction)
    } catch {
      this.#rejectedValues++
    }
    if (value === null) return
    const canonical = this.#store.add('clip_fraction', value, iteration)
    if (canonical !== undefined) this.#pending.set(canonical, value)
  }

  /** A run falls back when an iteration starts again, or, in a loop that names no starts, ends well before the newest. */
  #fellBack(phase: TrainingPhase, iteration: number): boolean {
    if (phase === TrainingPhase.ITERATION_START) return iteration < this.#openIteration || iteration <= this.#lastClosed
    // Two ends that have changed places are no resumed run.
    return phase === TrainingPhase.ITERATION_END && !this.#sawIterationStart && iteration < this.#lastClosed - 1
  }

  #beginAttempt(iteration: number): void {
    const attempt = (this.#attempts.at(-1)?.attempt ?? 1) + 1
    this.#attempts.push({ attempt, fromIteration: iteration })
    if (this.#attempts.length > 1000) this.#attempts.splice(1, 1)
    this.#store.beginAttempt(attempt, iteration)
    this.#checkpoints = this.#checkpoints.filter((checkpoint) => checkpoint < iteration)
    this.#openIteration = iteration
    this.#lastClosed = iteration - 1
    this.#logged.fallBack(iteration)
    this.#pending = new Map()
    this.#closedHere = 0
    if (this.#announced.length < 100) this.#announced.push('resume')
  }

  /** The first event of a writer that continues the run: a new attempt, whether or not iterations are done again. */
  #resume(attempt: number, iteration: number): void {
    this.#resumedAs = null
    if (iteration <= this.#lastClosed) {
      this.#beginAttempt(iteration)
      return
    }
    this.#attempts.push({ attempt, fromIteration: iteration })
    this.#announced.push('resume')
  }

  #storeLate(event: TrainingEvent): void {
    for (const name in event.metrics) {
      this.#store.addLate(name, event.metrics[name]!, event.iteration)
      this.#lateValues++
    }
  }

  #drain(): void {
    this.#dispatching = true
    try {
      for (let i = 0; i < this.#queue.length; i++) {
        const next = this.#queue[i]!
        if ('tick' in next) this.#callbacks.tick(next.tick, this.#context)
        else
          this.#callbacks.dispatch(
            next.event,
            next.closed === null ? this.#context : { ...this.#context, closed: next.closed },
          )
      }
    } finally {
      this.#queue.length = 0
      this.#dispatching = false
    }
  }

  /** Iterations that are done; where the last one has the number of them all, what had the number 0 came before the first. */
  #done(): number {
    const countsFromOne = this.#countsFromOne || this.#lastClosed === this.#totalIterations
    return this.#lastClosed + (countsFromOne ? 0 : 1)
  }

  /** The first event: a loop that sends no TRAINING_START gets one, so that every log begins alike. */
  #begin(first: TrainingEvent): void {
    this.#started = true
    this.#startedUnixSeconds = this.#now()
    this.#startedMs = this.clock.monotonicMs()
    const attempt = this.#log?.attempt ?? 1
    this.#attempts.push({ attempt, fromIteration: first.iteration })
    if (attempt > 1) this.#announced.push('resume')
    this.#watch()
    if (first.phase === TrainingPhase.TRAINING_START || this.#replay) return
    this.#take(createTrainingEvent({ phase: TrainingPhase.TRAINING_START, iteration: first.iteration }))
  }

  /** What the monitor itself wants of the metadata. That may throw when it is read, and then costs itself, not the event. */
  #readMetadata(event: TrainingEvent): void {
    try {
      if (event.phase === TrainingPhase.TRAINING_START) this.#readStart(event)
      else if (event.phase === TrainingPhase.CHECKPOINT_SAVED) this.#readCheckpoint(event)
      else if (event.phase === TrainingPhase.TRAINING_END) this.#readEnd(event)
    } catch {
      this.#rejectedValues++
    }
  }

  #readStart(event: TrainingEvent): void {
    const { config, totalIterations } = event.metadata
    if (typeof config === 'object' && config !== null) this.#config = { ...this.#config, ...config }
    if (typeof totalIterations === 'number' && totalIterations > 0) this.#totalIterations = totalIterations
  }

  #readCheckpoint(event: TrainingEvent): void {
    const keep = (gone: ReadonlySet<unknown>) => {
      const kept = this.#checkpoints.filter((checkpoint) => checkpoint !== event.iteration && !gone.has(checkpoint))
      this.#checkpoints = [...kept, event.iteration].sort((a, b) => a - b).slice(-MAX_CHECKPOINTS)
    }
    keep(new Set())
    const removed = event.metadata.removed
    if (Array.isArray(removed)) keep(new Set(removed))
  }

  #readEnd(event: TrainingEvent): void {
    this.#status = this.#stop ? 'stopped' : 'completed'
    this.#endedMs = this.clock.monotonicMs()
    this.#ended = true
    // Ctrl-C after the end of training is the program's own again.
    this.#unwatch?.()
    const { status, error } = event.metadata
    if (status === 'completed' || status === 'stopped' || status === 'failed') this.#status = status
    if (error !== undefined && error !== null) this.#error = errorMessage(error)
  }

  /** Sends TRAINING_END unless it has been sent. */
  #end(status: RunStatus, error: string | null): void {
    if (this.#ended) return
    this.onEvent({
      phase: TrainingPhase.TRAINING_END,
      iteration: Math.max(0, this.#openIteration),
      metadata: { status, ...(error === null ? {} : { error }) },
    })
  }

  #requestStop(reason: string, options: StopOptions, stops: boolean): void {
    const severity: Severity =
      options.severity === 'info' || options.severity === 'warning' ? options.severity : 'critical'
    const request: StopRequest = {
      reason: spoken(reason).slice(0, MAX_REASON_CHARACTERS),
      severity,
      iteration: countOr(options.iteration, Math.max(0, this.#openIteration)),
      rollbackTo: countOr(options.rollbackTo, null),
    }
    const { iteration, rollbackTo } = request
    // A replay meets each request twice: from the analyzer that makes it again, and from the log.
    const identity = JSON.stringify([request.reason, severity, iteration])
    if (this.#stopsOfAttempt.has(identity)) return
    if (this.#stopsOfAttempt.size < MAX_LATER_STOPS) this.#stopsOfAttempt.add(identity)
    this.#log?.line('stop', this.#now(), { reason: request.reason, severity, iteration, rollbackTo })
    if (stops && severity === 'critical' && this.#stop === null) this.#stop = request
    else if (this.#laterStops.length < MAX_LATER_STOPS) this.#laterStops.push(request)
  }

  #watch(): void {
    if (this.#unwatch || this.#replay || this.#closed) return
    this.#unwatch = watchProcess({
      handleSignals: this.#handleSignals,
      onFirstSignal: (signal) => {
        this.#requestStop(`interrupted by ${signal}`, {}, true)
        this.#warning(`${signal}: the run stops after this iteration. Once more ends it at once.`)
      },
      onExit: (why) => this.#end(this.#stop ? 'stopped' : 'failed', why),
    })
  }

  #warning(message: string): void {
    try {
      this.#warn(message)
    } catch {
      // A warning that cannot be written must not become the training's problem.
    }
  }

  /** Unix seconds to the millisecond, as the log has it, so that a replay sees the same number. */
  #now(): number {
    return Math.round(this.clock.unixSeconds() * 1000) / 1000
  }
}

/** A text from outside, which may be anything. */
function spoken(text: unknown): string {
  return typeof text === 'string' ? text : errorMessage(text)
}

/** A count from outside, or what stands for one that is none. */
function countOr<Fallback>(value: number | null | undefined, fallback: Fallback): number | Fallback {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : fallback
}

function newRunId(clock: Clock): string {
  const stamp = new Date(clock.unixSeconds() * 1000).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15)
  return `run-${stamp}-${randomId(2)}`
}

function text(value: unknown, option: string, fallback: string): string {
  if (value === undefined) return fallback
  if (typeof value === 'string' && value !== '' && value.length <= 4096 && !value.includes('\0')) return value
  throw new TelltaleError(
    'bad-option',
    `${option} is ${typeof value === 'string' ? 'empty, too long or has a NUL' : `a ${typeof value}`}; expected a text of 1 to 4,096 characters`,
  )
}

function oneOf<const Choice extends string>(
  value: Choice | undefined,
  option: string,
  choices: readonly Choice[],
  fallback: Choice,
): Choice {
  if (value === undefined) return fallback
  if (choices.includes(value)) return value
  throw new TelltaleError(
    'bad-option',
    `${option} is ${JSON.stringify(value)}; expected ${choices.map((choice) => `'${choice}'`).join(' or ')}`,
  )
}

function warnOnStandardError(message: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: names from outside may carry terminal escapes
  process.stderr.write(`telltale: ${message.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')}\n`)
}
