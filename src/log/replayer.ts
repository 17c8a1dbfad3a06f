/**
 * Sends the lines of one run through a monitor, as they happened.
 *
 * @module
 */
import { createTrainingEvent, type TrainingEvent, type TrainingPhase } from '../events.ts'
import { TrainingMonitor } from '../monitor.ts'
import type { Clock } from '../time.ts'
import { isTrainerName } from '../vocabulary/vocabulary.ts'
import { decodeMetrics } from './decode-metrics.ts'
import type { WireLine } from './wire.ts'

/** Options of {@link createReplayer}. */
export interface ReplayerOptions {
  /** Registers callbacks before the first event. */
  readonly setup: (monitor: TrainingMonitor) => void
  /** What a log lacks that its writer did not derive: an event that goes before the one that is given, or null. */
  readonly derive?: ((event: TrainingEvent) => TrainingEvent | null) | undefined
}

/** A run that is being replayed. */
export interface Replayer {
  /** Null before the first line. */
  readonly monitor: TrainingMonitor | null
  take(line: WireLine): void
}

/** A replay of one run; its clock is the log's. */
export function createReplayer(options: ReplayerOptions): Replayer {
  const clock = logClock()
  const samples = recentSamples()
  let monitor: TrainingMonitor | null = null
  return {
    get monitor() {
      return monitor
    },
    take(line) {
      clock.set(line.time)
      if (monitor === null) {
        const run = line.type === 'run' ? line : null
        monitor = new TrainingMonitor({
          runId: line.run,
          clock,
          replay: true,
          ...(nameOf(run?.project) ? { project: nameOf(run?.project) } : {}),
          ...(nameOf(run?.name) ? { name: nameOf(run?.name) } : {}),
          ...(run?.earlyStop !== undefined ? { earlyStop: run.earlyStop } : {}),
          ...(isTrainerName(run?.trainer) ? { trainer: run.trainer } : {}),
        })
        options.setup(monitor)
      }
      apply(line, monitor, samples, options.derive)
    },
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
    case 'run':
      if ((line.attempt ?? 1) > 1) monitor.noteResumed(line.attempt ?? 1)
      return
    default:
      // `alert` and `end` are what the replay itself comes to; `gap` says nothing to a callback.
      return
  }
}

type SamplesLine = Extract<WireLine, { type: 'samples' }>

interface RecentSamples {
  keep(line: SamplesLine): void
  find(seq: number): Record<string, unknown>
}

/** Samples of the last few lines: an event names the line that it belongs to, which is always a recent one. */
function recentSamples(): RecentSamples {
  const bySeq = new Map<number, Record<string, unknown>>()
  return {
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

function logClock(): Clock & { set(unixSeconds: number): void } {
  let now = 0
  return {
    unixSeconds: () => now,
    monotonicMs: () => now * 1000,
    set(unixSeconds) {
      now = unixSeconds
    },
  }
}
