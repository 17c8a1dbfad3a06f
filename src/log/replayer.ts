/**
 * Sends the lines of one run through a monitor, as they happened.
 *
 * @module
 */
import { createTrainingEvent, type TrainingEvent, type TrainingPhase } from '../events.ts'
import { TrainingMonitor, type TrainingMonitorOptions } from '../monitor.ts'
import type { Clock } from '../time.ts'
import { isTrainerName } from '../vocabulary/vocabulary.ts'
import { decodeMetrics } from './decode-metrics.ts'
import { processFrom } from './process-info.ts'
import type { WireLine } from './wire.ts'

/** Options of {@link createReplayer}. */
export interface ReplayerOptions {
  /** Registers callbacks before the first event. */
  readonly setup: (monitor: TrainingMonitor) => void
  /** What a log lacks that its writer did not derive: an event that goes before the one that is given, or null. */
  readonly derive?: ((event: TrainingEvent) => TrainingEvent | null) | undefined
  /** Of an earlier replay of the same run, to go on from: `setup` is called at once, and everybody else restores what is theirs. */
  readonly saved?: ReplayerState | undefined
}

/** What a {@link Replayer} knows beside the series, which whoever kept them gives back to the store. */
export interface ReplayerState {
  readonly header: RunHeader
  readonly time: number
  /** From {@link TrainingMonitor.save}. */
  readonly monitor: unknown
  readonly samples: ReadonlyMap<number, Record<string, unknown>>
}

type RunHeader = Pick<TrainingMonitorOptions, 'runId' | 'project' | 'name' | 'earlyStop' | 'trainer'>

/** A run that is being replayed. */
export interface Replayer {
  /** Null before the first line. */
  readonly monitor: TrainingMonitor | null
  take(line: WireLine): void
  /** All that it knows, to go on from in another process; null before the first line. */
  save(): ReplayerState | null
}

/** A replay of one run; its clock is the log's. */
export function createReplayer(options: ReplayerOptions): Replayer {
  const { saved } = options
  const clock = logClock(saved?.time ?? 0)
  const samples = recentSamples(saved?.samples)
  let header: RunHeader | null = null
  let monitor: TrainingMonitor | null = null
  const begin = (said: RunHeader): TrainingMonitor => {
    header = said
    monitor = new TrainingMonitor({ ...said, clock, replay: true })
    options.setup(monitor)
    return monitor
  }
  if (saved) begin(saved.header).restore(saved.monitor)
  return {
    get monitor() {
      return monitor
    },
    take(line) {
      clock.set(line.time)
      apply(line, monitor ?? begin(headerOf(line)), samples, options.derive)
    },
    save() {
      if (monitor === null || header === null) return null
      return { header, time: clock.unixSeconds(), monitor: monitor.save(), samples: samples.all }
    },
  }
}

function headerOf(line: WireLine): RunHeader {
  const run = line.type === 'run' ? line : null
  return {
    runId: line.run,
    ...(nameOf(run?.project) ? { project: nameOf(run?.project) } : {}),
    ...(nameOf(run?.name) ? { name: nameOf(run?.name) } : {}),
    ...(run?.earlyStop !== undefined ? { earlyStop: run.earlyStop } : {}),
    ...(isTrainerName(run?.trainer) ? { trainer: run.trainer } : {}),
  }
}

/** A name from outside may be anything; a replay must not fail for one that no monitor would have taken. */
function nameOf(said: string | undefined): string {
  return (said ?? '').replaceAll('\0', '').slice(0, 4096)
}

function apply(
  line: WireLine,
  monitor: TrainingMonitor,
  samples: RecentSamples,
  derive: ReplayerOptions['derive'],
): void {
  switch (line.type) {
    case 'samples':
      samples.keep(line)
      return
    case 'event': {
      const { metrics, rejected } = decodeMetrics(line.metrics)
      monitor.noteRejectedValues(rejected)
      const event = createTrainingEvent({
        phase: line.phase as TrainingPhase,
        iteration: line.iteration,
        metrics,
        metadata: { ...line.metadata, ...(line.samples === undefined ? {} : samples.find(line.samples)) },
      })
      const derived = derive?.(event)
      if (derived) monitor.onEvent(derived)
      monitor.onEvent(event)
      return
    }
    case 'announce':
      monitor.announce(line.what)
      return
    case 'tick':
      monitor.tick()
      return
    case 'stop':
      monitor.requestEarlyStop(line.reason, {
        severity: line.severity,
        iteration: line.iteration,
        rollbackTo: line.rollbackTo,
      })
      return
    case 'run': {
      const info = processFrom(line.process)
      if (info) monitor.noteProcess(info)
      if ((line.attempt ?? 1) > 1) monitor.noteResumed(line.attempt ?? 1)
      return
    }
    default:
      // `alert` and `end` are what the replay itself comes to; `gap` says nothing to a callback.
      return
  }
}

type SamplesLine = Extract<WireLine, { type: 'samples' }>

interface RecentSamples {
  readonly all: ReadonlyMap<number, Record<string, unknown>>
  keep(line: SamplesLine): void
  find(seq: number): Record<string, unknown>
}

/** Samples of the last few lines: an event names the line that it belongs to, which is always a recent one. */
function recentSamples(saved?: ReadonlyMap<number, Record<string, unknown>>): RecentSamples {
  const bySeq = new Map<number, Record<string, unknown>>(saved)
  return {
    all: bySeq,
    keep(line) {
      const base = line.of === undefined ? {} : (bySeq.get(line.of) ?? {})
      bySeq.set(line.seq, {
        ...base,
        ...(line.prompts ? { prompts: line.prompts } : {}),
        ...(line.responses ? { responses: line.responses } : {}),
        ...(line.rewards ? { rewards: line.rewards } : {}),
      })
      for (const seq of bySeq.keys()) {
        if (bySeq.size <= 16) break
        bySeq.delete(seq)
      }
    },
    find: (seq) => bySeq.get(seq) ?? {},
  }
}

function logClock(now: number): Clock & { set(unixSeconds: number): void } {
  return {
    unixSeconds: () => now,
    monotonicMs: () => now * 1000,
    set(unixSeconds) {
      now = unixSeconds
    },
  }
}
