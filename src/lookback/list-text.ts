/**
 * Stored runs as a table.
 *
 * @module
 */
import { KIND_TITLES } from '../outputs/report/words.ts'
import { glyphsFor } from '../outputs/terminal/glyphs.ts'
import { byName, type RunRow, runsTable, type TableNumber } from '../outputs/terminal/runs-table.ts'
import { renderLine } from '../outputs/terminal/spans.ts'
import { countAlerts } from '../outputs/terminal/status-words.ts'
import { showsUnicode, sizeOf, type TerminalStream, wantsColor } from '../outputs/terminal/terminal-traits.ts'
import type { RunStore, StoredRun } from '../stores/store.ts'
import { CANONICAL_METRICS } from '../vocabulary/canonical.ts'
import type { RunOrder } from './run-order.ts'
import { standOf } from './stand-of-run.ts'

/** Lines above the table's own. */
const HEADING = 2

const REWARD = ['reward/score', 'reward/total'] as const
const KL = ['kl_ref/token', 'kl_ref/seq'] as const

export function listText(
  runs: readonly StoredRun[],
  store: RunStore,
  nowUnixSeconds: number,
  stream: TerminalStream,
  env: NodeJS.ProcessEnv,
  asGiven = false,
): readonly string[] {
  const color = wantsColor(stream, env)
  const view = {
    width: Math.min(160, sizeOf(stream).columns),
    // The heading of a live view says how many runs there are; it is left out here.
    height: runs.length + HEADING + 2,
    glyphs: glyphsFor(showsUnicode(env)),
    color,
  }
  const rows = runs.map((run) => rowOf(run, store, nowUnixSeconds))
  return runsTable(rows, view, asGiven)
    .slice(HEADING)
    .map((line) => renderLine(line, color))
}

/** Names from a to z, numbers and times from the largest or newest on; runs without one last. */
export function sortRuns(runs: readonly StoredRun[], store: RunStore, by: RunOrder): readonly StoredRun[] {
  if (by === 'name') return runs.toSorted(byName)
  const value = (run: StoredRun): number => {
    if (by === 'started') return run.startedUnixSeconds ?? Number.NaN
    if (by === 'iterations') return run.iterations
    if (by === 'alerts') return 1000 * run.criticalAlerts + run.alerts - run.mutedAlerts
    if (by === 'seen') return run.seenUnixSeconds
    return newest(run, store, REWARD)?.value ?? Number.NaN
  }
  const valued = runs.map((run) => ({ run, value: value(run) }))
  const rank = (one: number) => (Number.isNaN(one) ? Number.NEGATIVE_INFINITY : one)
  return valued.sort((a, b) => rank(b.value) - rank(a.value) || 0).map(({ run }) => run)
}

function rowOf(run: StoredRun, store: RunStore, nowUnixSeconds: number): RunRow {
  const stored = run.alerts > 0 ? store.alerts(run.key) : []
  const heard = stored.filter(({ muted }) => !muted)
  const gravest = heard.findLast(({ severity }) => severity === 'critical') ?? heard.at(-1)
  return {
    name: run.name,
    state: standOf(run, nowUnixSeconds),
    iterations: run.iterations,
    total: run.totalIterations,
    reward: newest(run, store, REWARD),
    kl: newest(run, store, KL),
    alerts: countAlerts(stored),
    alert: gravest ? KIND_TITLES[gravest.kind].toLowerCase().replace(/^kl /, 'KL ') : null,
    ageMs: Math.max(0, 1000 * (nowUnixSeconds - run.seenUnixSeconds)),
    problem: null,
  }
}

/** The newest value of the first of some series that the run has. */
export function newest(run: StoredRun, store: RunStore, names: readonly string[]): TableNumber | null {
  const series = store.series(run.key)
  const one = names.flatMap((name) => series.find((some) => some.name === name) ?? [])[0]
  if (!one) return null
  const value = store.points(run.key, one.name, { from: one.lastIteration }).values.at(-1)
  const unit = CANONICAL_METRICS[one.name as keyof typeof CANONICAL_METRICS]?.unit ?? one.unit
  return value === undefined ? null : { value, unit }
}
