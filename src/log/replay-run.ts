/**
 * Sends a recorded run through a monitor again: same events, same order, same times, so the same alerts.
 *
 * @module
 */
import { createTrainingEvent, type TrainingPhase } from '../events.ts'
import { TrainingMonitor } from '../monitor.ts'
import type { Clock } from '../time.ts'
import { isTrainerName } from '../vocabulary/vocabulary.ts'
import type { ReadReport } from './read-run.ts'
import type { decodeMetrics as DecodeMetrics, WireLine } from './wire.ts'

/** A replayed run: its monitor, after the last event, and what reading the log found. */
export interface ReplayedRun {
  /** The monitor after the last event, with store, alerts and summary. */
  readonly monitor: TrainingMonitor
  /** What was wrong with the log, if anything. */
  readonly report: ReadReport
}

/**
 * Replays a run folder. Nothing is written and nothing is derived anew: text measures and comparisons come from the log.
 *
 * @param dir the run folder (with `events-<writer>.jsonl`).
 * @param setup registers callbacks before the first event.
 * @throws TelltaleError `not-readable` where there is no log.
 *
 * @example
 * ```ts
 * import { mkdtempSync } from 'node:fs'
 * import { replayRun, TrainingMonitor } from 'telltale'
 * const dir = mkdtempSync('run-')
 * const live = new TrainingMonitor({ outputDir: dir })
 * await live.run(async () => {
 *   live.onEvent({ phase: 'iteration_end', iteration: 0, metrics: { reward: 1 } })
 * })
 * const { monitor } = await replayRun(dir)
 * console.log(monitor.getMetricsStore().latest('reward')) // 1
 * ```
 */
export async function replayRun(
  dir: string,
  setup: (monitor: TrainingMonitor) => void = () => {},
): Promise<ReplayedRun> {
  // Loaded here, so that a program that only monitors does not load the validator.
  const { newReadReport, readRun } = await import('./read-run.ts')
  const { decodeMetrics } = await import('./wire.ts')
  const report = newReadReport()
  const clock = logClock()
  let monitor: TrainingMonitor | null = null
  const samples = recentSamples()
  for await (const line of readRun(dir, report)) {
    clock.set(line.time)
    if (monitor === null) {
      monitor = new TrainingMonitor({
        runId: line.run,
        clock,
        replay: true,
        ...(line.type === 'run' && line.project !== undefined ? { project: line.project } : {}),
        ...(line.type === 'run' && line.name !== undefined ? { name: line.name } : {}),
        ...(line.type === 'run' && line.earlyStop !== undefined ? { earlyStop: line.earlyStop } : {}),
        ...(line.type === 'run' && isTrainerName(line.trainer) ? { trainer: line.trainer } : {}),
      })
      setup(monitor)
    }
    apply(line, monitor, samples, decodeMetrics)
  }
  monitor ??= new TrainingMonitor({ runId: 'empty', clock, replay: true })
  monitor.noteDamagedLines(report.damagedCount)
  return { monitor, report }
}

function apply(
  line: WireLine,
  monitor: TrainingMonitor,
  samples: RecentSamples,
  decodeMetrics: typeof DecodeMetrics,
): void {
  switch (line.type) {
    case 'samples':
      samples.keep(line)
      return
    case 'event': {
      const { metrics, rejected } = decodeMetrics(line.metrics)
      monitor.noteRejectedValues(rejected)
      monitor.onEvent(
        createTrainingEvent({
          phase: line.phase as TrainingPhase,
          iteration: line.iteration,
          metrics,
          metadata: { ...line.metadata, ...(line.samples === undefined ? {} : samples.find(line.samples)) },
        }),
      )
      return
    }
    case 'announce':
      monitor.announce(line.what)
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
      // `alert` and `end` are what the replay itself comes to; `tick` and `gap` say nothing to a callback.
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
