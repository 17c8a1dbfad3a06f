/**
 * Sends a recorded run through a monitor again: same events, same order, same times, so the same alerts.
 *
 * @module
 */
import { TrainingMonitor } from '../monitor.ts'
import { newReadReport, type ReadReport } from './read-report.ts'
import { createReplayer } from './replayer.ts'

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
  const { readRun } = await import('./read-run.ts')
  const report = newReadReport()
  const replayer = createReplayer({ setup })
  for await (const line of readRun(dir, report)) replayer.take(line)
  const monitor = replayer.monitor ?? new TrainingMonitor({ runId: 'empty', replay: true })
  monitor.noteDamagedLines(report.damagedCount)
  return { monitor, report }
}
