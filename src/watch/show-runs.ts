/**
 * What is watched, on a terminal: one run as its full view, several as a table; on a pipe as plain lines.
 *
 * @module
 */
import type { Alert } from '../detectors/detector.ts'
import type { TrainingEvent } from '../events.ts'
import { isAtLeast } from '../outputs/failures.ts'
import { alertView, newAlertView } from '../outputs/terminal/collect-state.ts'
import type { AlertView } from '../outputs/terminal/display-state.ts'
import { displayText } from '../outputs/terminal/display-text.ts'
import { glyphsFor } from '../outputs/terminal/glyphs.ts'
import { createLiveRegion } from '../outputs/terminal/live-region.ts'
import { permanentAlerts } from '../outputs/terminal/permanent-alerts.ts'
import { type RunRow, type RunState, runsTable, type TableNumber } from '../outputs/terminal/runs-table.ts'
import { type Line, renderLine, span } from '../outputs/terminal/spans.ts'
import { countAlerts } from '../outputs/terminal/status-words.ts'
import { TerminalDisplay } from '../outputs/terminal/terminal-display.ts'
import {
  canRepaint,
  type Environment,
  showsUnicode,
  sizeOf,
  type TerminalStream,
  wantsColor,
} from '../outputs/terminal/terminal-traits.ts'
import { latestWrite } from '../sources/latest-write.ts'
import type { Clock } from '../time.ts'
import type { LiveRun, WatchedRun } from './watched-run.ts'

const PAINT_INTERVAL_MS = 500
/** Silence after which a run that has not ended counts as quiet. */
const QUIET_MS = 10 * 60_000
const REWARD = ['reward/score', 'reward/total', 'pref/margin', 'quality/heldout_reward']
const KL = ['kl_ref/token', 'kl_ref/token_k3', 'kl_ref/token_k1', 'kl_ref/token_k2', 'kl_ref/seq']

/** Where runs are shown. */
export interface RunsView {
  /** A run was found or is shown no longer. */
  change(): void
  alert(alert: Alert, run: LiveRun, live: boolean): void
  news(watched: WatchedRun): void
  /** Everything was looked at: paints where it is due. */
  round(caughtUp: boolean): void
  /** A line that stays. */
  say(text: string): void
  close(): Promise<void>
}

/** What {@link showRuns} needs. */
export interface ShowRunsOptions {
  readonly stream: TerminalStream
  readonly env: Environment
  readonly clock: Clock
  /** What is watched now. */
  readonly watched: () => readonly WatchedRun[]
}

/** A live view where the stream is a terminal; plain lines where it is not. */
export function showRuns(options: ShowRunsOptions): RunsView {
  return canRepaint(options.stream, options.env) ? liveView(options) : plainView(options)
}

function liveView({ stream, env, clock, watched }: ShowRunsOptions): RunsView {
  const color = wantsColor(stream, env)
  const glyphs = glyphsFor(showsUnicode(env))
  let paintedMs = Number.NEGATIVE_INFINITY
  const region = createLiveRegion(stream, () => {
    paintedMs = Number.NEGATIVE_INFINITY
  })
  const newsMs = new Map<WatchedRun, number>()
  let single: SingleView | null = null
  let pendingLines: string[] = []
  /** Rounds in which news may still wait for a paint of the single view. */
  let freshRounds = 0
  let idleRounds = 0

  function onlyRun(): LiveRun | null {
    const all = watched()
    const [one] = all
    if (all.length !== 1 || !one?.caughtUp || one.problem !== null || one.runs.length !== 1) return null
    return one.runs[0]!
  }

  async function choose(): Promise<void> {
    const run = onlyRun()
    if (run === single?.run) return
    if (single) {
      single.stop()
      const { display, run: before } = single
      single = null
      // What goes on is shown anew: beside other runs, or with more of its files.
      await display.close({ erase: before.status === 'running' })
    }
    if (run === null) return
    region.show([])
    region.end()
    single = begin(run)
  }

  function begin(run: LiveRun): SingleView {
    const display = new TerminalDisplay({ verbosity: 'verbose', stream, env, clock, apart: true, ...total(run) })
      .setMetricsStore(run.monitor.getMetricsStore())
      .setAnalyzer(run.analyzer)
    display.onRegister(run.monitor)
    for (const line of pendingLines.splice(0)) display.print(line)
    const one = watched()[0]!
    const { trainer } = run.monitor.getMetricsStore()
    display.print(`${run.name}: ${one.path}, read as ${one.source} of ${trainer}. Ctrl-C ends the watching.`)
    return singleView(run, display, one.source === 'telltale')
  }

  /** Time goes on in the display, too; it needs no paint for each half second of it, which would hold up news. */
  function refresh({ display }: SingleView): void {
    if (freshRounds <= 0 && ++idleRounds % 4 !== 0) return
    freshRounds--
    display.refresh()
  }

  function paintTable(): void {
    const room = region.room()
    const rows = watched().flatMap((one) => rowsOf(one, newsMs.get(one) ?? null, clock))
    const lines =
      rows.length === 0
        ? [[span('Telltale', 'strong'), span(' waits for a run'), span('   Ctrl-C ends', 'dim')]]
        : runsTable(rows, { ...room, color, glyphs })
    region.show(
      lines.map((line) => renderLine(line, color)),
      pendingLines.splice(0),
    )
  }

  return {
    change() {
      paintedMs = Number.NEGATIVE_INFINITY
    },
    alert(alert, run) {
      if (single || alert.muted) return
      const view = namedAlert(alert, run)
      const lines = permanentAlerts([view], region.room().width, glyphs)
      pendingLines.push(...lines.map((line) => renderLine(line, color)))
      // A storm of them would push out everything else; the table counts them all.
      if (pendingLines.length > 40) pendingLines = pendingLines.slice(-40)
      paintedMs = Number.NEGATIVE_INFINITY
    },
    news(one) {
      const nowMs = clock.monotonicMs()
      newsMs.set(
        one,
        newsMs.has(one) ? nowMs : nowMs - 1000 * Math.max(0, clock.unixSeconds() - latestWrite(one.found)),
      )
      freshRounds = 3
      single?.news()
    },
    round(caughtUp) {
      // A single view knows itself when a paint is due.
      if (single === null && clock.monotonicMs() - paintedMs < PAINT_INTERVAL_MS) return
      paintedMs = clock.monotonicMs()
      void choose().then(() => {
        if (single) refresh(single)
        else if (caughtUp || watched().length !== 1 || watched()[0]!.bytesRead > 4 * 1024 * 1024) paintTable()
      })
    },
    say(text) {
      if (single) single.display.print(text)
      else pendingLines.push(displayText(text))
    },
    async close() {
      if (single) {
        single.stop()
        await single.display.close()
      } else {
        if (watched().length > 0 || pendingLines.length > 0) paintTable()
        region.end()
      }
    },
  }
}

/** One run in its full view. */
interface SingleView {
  readonly run: LiveRun
  readonly display: TerminalDisplay
  /** Shows what came since the last call. */
  news(): void
  stop(): void
}

/**
 * What one look at the files brought goes to the display as one event: its pace would else be that of the reading, not of the training.
 *
 * @param own whether its iterations count from 0, as our own do; steps of other trainers are shown as they are.
 */
function singleView(run: LiveRun, display: TerminalDisplay, own: boolean): SingleView {
  const give = ({ phase, iteration, metadata }: Pick<TrainingEvent, 'phase' | 'iteration' | 'metadata'>) =>
    display.onEvent({ phase, iteration: own ? iteration : Math.max(0, iteration - 1), metadata } as TrainingEvent)
  let waiting: TrainingEvent | null = run.newest
  const stop = run.listen((event) => {
    if (event.phase !== 'training_end') waiting = event
  })
  let ended = false
  const view: SingleView = {
    run,
    display,
    stop,
    news() {
      const { status } = run
      if (waiting !== null) give(waiting)
      waiting = null
      if (status !== 'running' && !ended) give({ phase: 'training_end', iteration: run.step, metadata: { status } })
      ended = status !== 'running'
    },
  }
  view.news()
  return view
}

/**
 * Lines for a pipe or file: what was found, every alert, how a run goes on at times, and its end.
 *
 * @param options.quiet leaves out how it goes on, for a terminal that the training writes to.
 */
export function plainView({
  stream,
  env,
  clock,
  watched,
  quiet = false,
}: ShowRunsOptions & { readonly quiet?: boolean }): RunsView {
  const color = wantsColor(stream, env)
  const glyphs = glyphsFor(showsUnicode(env))
  const width = Math.max(20, sizeOf(stream).columns - 1)
  const write = (line: Line): void => void stream.write(`${renderLine(line, color)}\n`)
  /** When a run was told of last, and what was said. */
  const told = new Map<LiveRun, { atMs: number; iterations: number; status: string }>()
  const problems = new Map<WatchedRun, string>()

  function tell(watchedRun: WatchedRun): void {
    for (const run of watchedRun.runs) {
      const before = told.get(run)
      const { iterations, status } = run
      const nowMs = clock.monotonicMs()
      const due =
        !before ||
        before.status !== status ||
        (before.iterations !== iterations && nowMs - before.atMs >= 10_000) ||
        (before.iterations === 0 && iterations > 0)
      if (!due) continue
      told.set(run, { atMs: nowMs, iterations, status })
      const [row] = rowsOf(watchedRun, nowMs, clock).filter(({ name }) => name === run.name)
      if (row) write([span(`${displayText(run.name, 60)}: ${plainWords(row)}`)])
    }
  }

  return {
    change() {},
    alert(alert, run) {
      if (alert.muted) return
      const view = namedAlert(alert, run)
      for (const line of permanentAlerts([view], width, glyphs)) write(line)
    },
    news: quiet ? () => {} : tell,
    round() {
      for (const one of watched()) {
        const { problem } = one
        if (quiet || problem === null || problems.get(one) === problem) continue
        problems.set(one, problem)
        write([span(`${displayText(one.found.name, 60)}: ${displayText(problem, 300)}`, 'bad')])
      }
    },
    say: (text) => write([span(quiet ? `telltale: ${displayText(text)}` : displayText(text))]),
    async close() {},
  }
}

function plainWords(row: RunRow): string {
  const done = row.total === null ? `${row.iterations}` : `${row.iterations}/${row.total}`
  const number = (label: string, value: TableNumber | null) =>
    value === null
      ? []
      : [`${label} ${Number.isFinite(value.value) ? Number(value.value.toPrecision(4)) : value.value}`]
  return [row.state, `iteration ${done}`, ...number('reward', row.reward), ...number('KL', row.kl)].join(', ')
}

/** An alert with the name of its run, where several are shown. */
function namedAlert(alert: Alert, run: LiveRun): AlertView {
  const view = newAlertView(alert, run.alerts)
  return { ...view, reason: `${displayText(run.name, 60)}: ${view.reason || view.title}` }
}

function total(run: LiveRun): { readonly totalIterations?: number } {
  return run.totalIterations === null ? {} : { totalIterations: run.totalIterations }
}

/** The rows of one run's files: nearly always one. */
export function rowsOf(watched: WatchedRun, newsAtMs: number | null, clock: Clock): readonly RunRow[] {
  const ageMs = newsAtMs === null ? null : clock.monotonicMs() - newsAtMs
  const none: RunRow = {
    name: watched.found.name,
    state: watched.problem !== null ? 'unreadable' : watched.caughtUp ? 'waiting' : 'reading',
    iterations: 0,
    total: null,
    reward: null,
    kl: null,
    alerts: countAlerts([]),
    alert: null,
    ageMs,
    problem: watched.problem ?? damageWords(watched),
  }
  if (watched.runs.length === 0) return [none]
  return watched.runs.map((run) => {
    let gravest: Alert | null = null
    for (const alert of run.alerts) {
      if (alert.muted) continue
      if (gravest === null || isAtLeast(alert.severity, gravest.severity)) gravest = alert
    }
    const store = run.monitor.getMetricsStore()
    const newest = (names: readonly string[]): TableNumber | null => {
      const name = names.find((one) => store.latest(one) !== undefined)
      return name === undefined ? null : { value: store.latest(name)!, unit: store.info(name).unit }
    }
    return {
      name: run.name,
      state: stateOf(watched, run, ageMs),
      iterations: watched.source === 'telltale' ? run.iterations : run.step,
      total: run.totalIterations,
      reward: newest(REWARD),
      kl: newest(KL),
      alerts: countAlerts(run.alerts),
      alert: gravest === null ? null : alertView(gravest).title.toLowerCase().replace(/^kl /, 'KL '),
      ageMs,
      problem: watched.problem,
    }
  })
}

function stateOf(watched: WatchedRun, run: LiveRun, ageMs: number | null): RunState {
  if (watched.problem !== null) return 'unreadable'
  if (!watched.caughtUp) return 'reading'
  if (run.status !== 'running') return run.status
  if (run.iterations === 0 && run.newest === null) return 'waiting'
  return ageMs !== null && ageMs > QUIET_MS ? 'quiet' : 'running'
}

/** Only where nothing at all could be read: single damaged lines are counted elsewhere. */
function damageWords({ damage, runs }: WatchedRun): string | null {
  if (damage.newest === null || runs.length > 0) return null
  return `${damage.count.toLocaleString('en')} ${damage.count === 1 ? 'line' : 'lines'} cannot be read: ${damage.newest.problem}`
}
