/**
 * `telltale watch` as a whole: what is watched is shown, and alerts are acted on, until a signal ends it.
 *
 * @module
 */
import type { AlertKind } from '../detectors/detector.ts'
import type { WebhookTarget } from '../outputs/webhook/notifier.ts'
import { stdinSource } from '../sources/stdin-source.ts'
import { systemClock } from '../time.ts'
import type { TrainerName } from '../vocabulary/vocabulary.ts'
import { alertActions } from './alert-actions.ts'
import { jsonLines } from './json-lines.ts'
import { keeperOf } from './keep-runs.ts'
import { polledSource } from './polled-source.ts'
import { type RunsView, showRuns } from './show-runs.ts'
import { watchRuns } from './watch-runs.ts'
import type { WatchedRun, WatchedRunOptions } from './watched-run.ts'

/** How runs are watched, beside how they are judged: options of the verbs `watch` and `run`, by commander's names. */
export interface WatchActions {
  /** False: nothing is, whatever a configuration says. */
  readonly stopOn?: 'critical' | false
  readonly dryRun?: true
  readonly onCritical?: string
  readonly onAlert?: string
  readonly bell?: boolean
  readonly webhooks?: readonly WebhookTarget[]
  /** False: nothing is kept of the runs. */
  readonly store?: boolean
  readonly ignore?: ReadonlySet<AlertKind>
  readonly json?: true
  readonly trainer?: TrainerName
  readonly map?: ReadonlyMap<string, string>
}

/** What to watch, as the command line says it. */
export interface WatchRequest {
  readonly paths: readonly string[]
  readonly flags: WatchedRunOptions['analyzer'] & WatchActions
}

/** Watches until Ctrl-C, SIGTERM, or the end of standard input where that is all; gives the exit code. */
export async function watchInTerminal({ paths, flags }: WatchRequest): Promise<number> {
  const { stopOn, dryRun, onCritical, onAlert, bell, webhooks, store, ignore, json, trainer, map, ...analyzer } = flags
  const controller = new AbortController()
  let ended: NodeJS.Signals | null = null
  const end = (signal: NodeJS.Signals) => {
    if (ended) process.exit(130)
    ended = signal
    controller.abort()
  }
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
  const watched = new Set<WatchedRun>()
  const view: RunsView = (json ? jsonLines : showRuns)({
    stream: process.stdout,
    env: process.env,
    clock: systemClock,
    watched: () => [...watched],
  })
  const now = () => Math.round(systemClock.unixSeconds() * 1000) / 1000
  const stopOnCritical = !stopOn ? null : dryRun ? 'say' : 'stop'
  const actor = alertActions(flags, { stopOnCritical, now, say: view.say })
  const keeper = store === false ? null : keeperOf(view.say)
  const files = paths.filter((path) => path !== '-')
  const stdin = files.length < paths.length ? polledSource(stdinSource(process.stdin), process.stdin) : undefined
  try {
    await watchRuns({
      paths: files,
      stdin,
      analyzer: { ...analyzer, mute: ignore },
      trainer,
      rename: map,
      now,
      clock: systemClock,
      signal: controller.signal,
      onBegin: keeper?.onBegin,
      resume: keeper?.resume,
      onRun(run) {
        watched.add(run)
        view.change()
      },
      onGone(run) {
        watched.delete(run)
        view.change()
      },
      onAlert(alert, run, one, live) {
        view.alert(alert, run, live)
        actor.alert(alert, run, one, live)
      },
      onResolved: actor.resolved,
      onNews(run) {
        view.news(run)
        actor.news(run)
      },
      onProblem: view.say,
      onRound({ caughtUp }) {
        view.round(caughtUp)
        keeper?.round(watched)
      },
      done: () => files.length === 0 && stdin?.ended === true,
    })
  } finally {
    await actor.close()
    keeper?.close(watched)
    await view.close()
    process.off('SIGINT', end)
    process.off('SIGTERM', end)
    // What waits for input would hold up the end.
    stdin?.close()
  }
  return ended === null ? 0 : ended === 'SIGINT' ? 130 : 143
}
