/**
 * One run that is being followed: its files read as they grow, its lines through a monitor and the detectors.
 *
 * @module
 */
import { deriveQuality } from '../check/derive-quality.ts'
import { QualityAnalyzer, type QualityAnalyzerOptions } from '../decision/quality-analyzer.ts'
import type { Alert } from '../detectors/detector.ts'
import { TelltaleError } from '../errors.ts'
import { createTrainingEvent, type RunStatus, type TrainingEvent, type TrainingEventInit } from '../events.ts'
import { newReadReport } from '../log/read-report.ts'
import { inOrder } from '../log/read-run.ts'
import { createReplayer } from '../log/replayer.ts'
import type { WireLine } from '../log/wire.ts'
import type { TrainingMonitor } from '../monitor.ts'
import type { FoundRun } from '../sources/find-runs.ts'
import { isOfSameFiles, openRun, type RunReader, readRunOf } from '../sources/run-reader.ts'
import type { SourceDamage } from '../sources/source.ts'
import type { TrainerName } from '../vocabulary/vocabulary.ts'
import type { PolledSource } from './polled-source.ts'
import { decodeResumeState, encodeResumeState, type LiveRunSaved, type ResumeState } from './resume-state.ts'

/** How runs are followed. */
export interface WatchedRunOptions {
  readonly analyzer: Pick<QualityAnalyzerOptions, 'mode' | 'preset' | 'falseAlarmRate' | 'klThreshold' | 'mute'>
  readonly trainer?: TrainerName | undefined
  readonly rename?: ReadonlyMap<string, string> | undefined
  /** Unix seconds, for what has no time of its own. */
  readonly now: () => number
  /**
   * Called when a run begins, before its first event; what it returns hears every event of it. Where the run is followed on from an earlier process, it
   * gives the series back to the run's store of metrics, or throws: then all is read from the beginning.
   */
  readonly onBegin?: ((run: LiveRun, found: FoundRun, resumed: boolean) => (event: TrainingEvent) => void) | undefined
  /** What {@link WatchedRun.save} of an earlier process gave for these files; the run is read from its beginning where there is none. */
  readonly resume?: ((found: FoundRun) => Uint8Array | null) | undefined
}

/** One run as its files tell it; a log of our own may hold several. */
export interface LiveRun {
  readonly id: string
  readonly name: string
  /** Of the process that wrote last; what a control file names. */
  readonly writer: string
  readonly monitor: TrainingMonitor
  readonly analyzer: QualityAnalyzer
  /** All alerts, muted ones too. */
  readonly alerts: readonly Alert[]
  readonly status: RunStatus | 'running'
  /** Iterations that are done, whether the run counts from 0 or from 1. */
  readonly iterations: number
  readonly totalIterations: number | null
  /** The newest step that anything came of, the open one included. */
  readonly step: number
  /** The newest event and what came with it, for a display that begins in the middle of a run. */
  readonly newest: TrainingEvent | null
  /** Lines of its log that never came. */
  readonly missingLines: number
  /** Takes events as they come, from now on. */
  listen(listener: (event: TrainingEvent) => void): () => void
}

/** A run's files, followed. */
export interface WatchedRun {
  readonly found: FoundRun
  /** Where its numbers come from. */
  readonly path: string
  readonly source: string
  readonly runs: readonly LiveRun[]
  /** Why it cannot be read at present, or null. */
  readonly problem: string | null
  /** What could not be read of it, and the newest of that. */
  readonly damage: { readonly count: number; readonly newest: SourceDamage | null }
  /** Whether all that was there at first has been read. */
  readonly caughtUp: boolean
  readonly bytesRead: number
  /** Takes what is new; never throws for what files contain or do. */
  read(signal?: AbortSignal): Promise<{ readonly more: boolean; readonly news: boolean }>
  /** What another process needs to go on from here; null where it has to begin anew. Not while it is read. */
  save(): Uint8Array | null
  close(): void
}

/** Seconds without a line after which a run hears that time passes, and between two times: as often as the monitor takes notice. */
const TICK_SECONDS = 10
/** Looks at a run that cannot be read, in proportion to one that can. */
const LOOKS_WHILE_GONE = 5

/** Begins to follow a run that was found, or a source that is open already (standard input). */
export function watchRun(
  found: FoundRun,
  options: WatchedRunOptions,
  open?: { readonly source: PolledSource; readonly path: string },
): WatchedRun {
  const runs = new Map<string, LiveRunState>()
  let reader: RunReader | null = null
  let problem: string | null = null
  let damageCount = 0
  let newestDamage: SourceDamage | null = null
  let caughtUp = false
  let bytesRead = 0
  let skip = 0
  let lines = 0
  let ended = false
  let newest = new Map<string, number>()
  /** Whether an earlier process's state was taken over, and nobody has been told of what is in it. */
  let goesOn = false
  /** Whether an earlier process's state was not to be used, or is no longer. */
  let anew = options.resume === undefined || open !== undefined

  function savedState(): ResumeState | null {
    if (anew) return null
    anew = true
    const bytes = options.resume?.(found)
    const state = bytes ? decodeResumeState(bytes, options) : null
    return state !== null && isOfSameFiles(state.reader, found) ? state : null
  }

  async function openReader(): Promise<RunReader> {
    const saved = savedState()
    if (saved) {
      try {
        return await openFrom(saved)
      } catch (error) {
        // Files that cannot be opened now are the next look's; anything else has to be read from the beginning.
        if (error instanceof TelltaleError && error.code === 'not-readable') {
          anew = false
          throw error
        }
      }
    }
    return openFrom(null)
  }

  async function openFrom(saved: ResumeState | null): Promise<RunReader> {
    for (const run of runs.values()) run.close()
    runs.clear()
    goesOn = saved !== null
    damageCount = saved?.damage.count ?? 0
    newestDamage = saved?.damage.newest ?? null
    newest = new Map(saved?.newest)
    for (const one of saved?.runs ?? []) runs.set(one.id, liveRun(one.id, one.name, found, options, one))
    const report = newReadReport()
    const isNew = inOrder(report, newest)
    const readerOptions = {
      saved: saved?.reader,
      trainer: options.trainer,
      rename: options.rename,
      now: options.now,
      emit(line: WireLine) {
        const missing = report.missing
        if (!isNew(line)) return
        lines++
        let run = runs.get(line.run)
        if (!run) {
          // Lines that we made of another trainer's have the id of the run's place.
          run = liveRun(line.run, line.writer === 'source' ? found.name : line.run, found, options)
          runs.set(line.run, run)
        }
        run.missed(report.missing - missing)
        run.take(line)
      },
      onDamage(damage: SourceDamage) {
        damageCount++
        newestDamage = damage
      },
    }
    return open ? readRunOf([open], found.name, readerOptions) : openRun(found, readerOptions)
  }

  return {
    found,
    get path() {
      return reader?.path ?? found.parts[0]?.path ?? '-'
    },
    get source() {
      return reader?.source ?? found.parts[0]?.format.name ?? 'jsonl'
    },
    get runs() {
      return [...runs.values()]
    },
    get problem() {
      return problem
    },
    get damage() {
      return { count: damageCount, newest: newestDamage }
    },
    get caughtUp() {
      return caughtUp
    },
    get bytesRead() {
      return bytesRead
    },
    async read(signal) {
      if (ended || (problem !== null && skip-- > 0)) return { more: false, news: false }
      const before = lines
      try {
        if (reader === null) {
          reader = await openReader()
          // A place that could not be read at first: what stands in it was there before.
          caughtUp = false
        }
        const { bytes, more } = await reader.read({ signal })
        bytesRead += bytes
        problem = null
        if (reader.misjudged && !open) {
          // Later names show whose they are: what was understood by another trainer's table is understood anew.
          reader.close()
          reader = null
          caughtUp = false
          return { more: true, news: true }
        }
        let ticked = false
        if (!more) {
          reader.flush()
          if (open?.source.ended) {
            await reader.read({ finished: true })
            ended = true
          }
          // What stood there already when the watching began is no run that stands still, but one that is over.
          if (caughtUp && lines > before) for (const run of runs.values()) run.heard(options.now())
          else if (caughtUp) for (const run of runs.values()) ticked = run.silent(options.now()) || ticked
          caughtUp = true
        }
        const news = lines > before || ticked || goesOn
        goesOn = false
        return { more, news }
      } catch (error) {
        if (signal?.aborted) return { more: false, news: false }
        // What reading, or understanding, one run comes to must not stop the others.
        const said = error instanceof TelltaleError ? error.message : `internal error: ${String(error)}`
        const news = said !== problem
        problem = said
        caughtUp = true
        skip = LOOKS_WHILE_GONE
        return { more: false, news }
      }
    },
    save() {
      const saved = reader?.save() ?? null
      if (saved === null || problem !== null) return null
      const states = [...runs.values()].map((run) => run.save())
      if (states.length === 0 || states.includes(null)) return null
      return encodeResumeState(
        {
          reader: saved,
          newest,
          damage: { count: damageCount, newest: newestDamage },
          runs: states.flatMap((one) => (one === null ? [] : [one])),
        },
        options,
      )
    },
    close() {
      reader?.close()
      for (const run of runs.values()) run.close()
    },
  }
}

interface LiveRunState extends LiveRun {
  take(line: WireLine): void
  /** So many lines did not come before the next one. */
  missed(lines: number): void
  /** Something came at this time of our own clock, in Unix seconds. */
  heard(nowSeconds: number): void
  /** Nothing has come; tells the monitor that time passes. @returns whether that raised an alert. */
  silent(nowSeconds: number): boolean
  save(): LiveRunSaved | null
  close(): void
}

function liveRun(
  id: string,
  name: string,
  found: FoundRun,
  options: WatchedRunOptions,
  saved?: LiveRunSaved,
): LiveRunState {
  let monitor: TrainingMonitor | null = null
  let analyzer: QualityAnalyzer | null = null
  let writer = saved?.writer ?? ''
  let newest: TrainingEvent | null = saved?.newest ? createTrainingEvent(saved.newest as TrainingEventInit) : null
  let step = saved?.step ?? 0
  let said: string | null = saved?.said ?? null
  /** Time of the newest line by the run's clock; when it came, and when the last tick was, by ours. NaN before anything came live. */
  let lineSeconds = saved?.lineSeconds ?? 0
  let missingLines = saved?.missingLines ?? 0
  let heardSeconds = Number.NaN
  let tickSeconds = 0
  const listeners = new Set<(event: TrainingEvent) => void>()
  const deriver = deriveQuality(saved?.derive)
  const replayer = createReplayer({
    saved: saved?.replayer,
    setup(made) {
      monitor = made
      analyzer = new QualityAnalyzer({ monitor: made, ...options.analyzer })
      made.registerCallback(analyzer)
      made.registerCallback({
        name: 'watch',
        onEvent(event) {
          if (event.phase === 'iteration_end' || event.phase === 'policy_update') step = event.iteration
          if (event.phase === 'iteration_end' || newest === null) newest = event
          for (const listener of listeners) listener(event)
        },
      })
    },
    derive: deriver.derive,
  })
  const state: LiveRunState = {
    id,
    get name() {
      return said ?? name
    },
    get writer() {
      return writer
    },
    get monitor() {
      return monitor!
    },
    get analyzer() {
      return analyzer!
    },
    get alerts() {
      return analyzer?.alertHistory ?? []
    },
    get status() {
      return monitor?.summary().status ?? 'running'
    },
    get iterations() {
      return monitor?.summary().iterations ?? 0
    },
    get totalIterations() {
      return monitor?.summary().totalIterations ?? null
    },
    get step() {
      return step
    },
    get newest() {
      return newest
    },
    get missingLines() {
      return missingLines
    },
    missed(count) {
      missingLines += count
    },
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    take(line) {
      writer = line.writer
      if (line.type === 'run' && line.name) said = line.name
      lineSeconds = line.time
      replayer.take(line)
    },
    heard(nowSeconds) {
      heardSeconds = nowSeconds
      tickSeconds = nowSeconds
    },
    silent(nowSeconds) {
      // The two clocks may be of two machines: only how much ours goes on is added to the run's own time.
      if (!(nowSeconds - tickSeconds >= TICK_SECONDS) || Number.isNaN(heardSeconds) || this.status !== 'running')
        return false
      tickSeconds = nowSeconds
      const before = analyzer?.alertHistory.length ?? 0
      replayer.take({ v: 1, run: id, writer, seq: 1, time: lineSeconds + nowSeconds - heardSeconds, type: 'tick' })
      return (analyzer?.alertHistory.length ?? 0) > before
    },
    save() {
      const kept = replayer.save()
      if (kept === null || analyzer === null) return null
      return {
        ...{ id, name, said, writer, step, lineSeconds, missingLines },
        newest: newest && {
          phase: newest.phase,
          iteration: newest.iteration,
          metrics: newest.metrics,
          metadata: newest.metadata,
        },
        replayer: kept,
        derive: deriver.save(),
        analyzer: analyzer.snapshot(),
      }
    },
    close() {
      listeners.clear()
    },
  }
  if (saved) (analyzer as QualityAnalyzer | null)?.restore(saved.analyzer)
  const listener = options.onBegin?.(state, found, saved !== undefined)
  if (listener) listeners.add(listener)
  return state
}
