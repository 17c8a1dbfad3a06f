/**
 * What is watched as JSON lines, for programs: a line for each run found, iteration closed, alert, end and problem.
 *
 * @module
 */
import { plainJson } from '../text/plain-json.ts'
import { type RunsView, rowsOf, type ShowRunsOptions } from './show-runs.ts'
import type { LiveRun, WatchedRun } from './watched-run.ts'

/** Types of line: `run`, `iteration`, `alert` (with `muted: true` in it for a kind that is ignored), `end`, `problem`, `note`. Numbers that are not finite are texts. */
export function jsonLines({ stream, clock, watched }: ShowRunsOptions): RunsView {
  const write = (type: string, fields: object): void => void stream.write(`${plainJson({ type, ...fields }).text}\n`)
  const told = new Map<LiveRun, { iterations: number; ended: boolean }>()
  const problems = new Map<WatchedRun, string | null>()

  function tell(one: WatchedRun): void {
    for (const run of one.runs) {
      let before = told.get(run)
      if (!before) {
        before = { iterations: 0, ended: false }
        told.set(run, before)
        const { trainer } = run.monitor.getMetricsStore()
        write('run', { run: run.id, name: run.name, path: one.path, source: one.source, trainer })
      }
      const { iterations, status } = run
      const row = rowsOf(one, null, clock).find(({ name }) => name === run.name)
      if (iterations !== before.iterations) {
        before.iterations = iterations
        const numbers = { reward: row?.reward?.value ?? null, kl: row?.kl?.value ?? null }
        write('iteration', {
          run: run.id,
          iteration: run.monitor.summary().lastIteration,
          total: run.totalIterations,
          ...numbers,
        })
      }
      if (status !== 'running' && !before.ended) write('end', { run: run.id, status })
      before.ended = status !== 'running'
    }
  }

  return {
    change() {},
    alert(alert, run, live) {
      write('alert', { run: run.id, name: run.name, live, alert })
    },
    news: tell,
    round() {
      for (const one of watched()) {
        if ((problems.get(one) ?? null) === one.problem) continue
        problems.set(one, one.problem)
        if (one.problem !== null) write('problem', { path: one.path, problem: one.problem })
      }
    },
    say: (text) => write('note', { text }),
    async close() {},
  }
}
