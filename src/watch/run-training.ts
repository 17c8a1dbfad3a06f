/**
 * `telltale run`: starts a training, watches what it writes, and ends it at a critical alert if asked. The training is a process of its own to
 * which nothing of ours is tied: whatever becomes of the watcher, it trains on.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { basename, join } from 'node:path'
import { errorMessage, TelltaleError } from '../errors.ts'
import type { RunStatus } from '../events.ts'
import { makeFolder } from '../make-folder.ts'
import type { FoundRun } from '../sources/find-runs.ts'
import { NUMBERS_FROM } from '../sources/formats.ts'
import { latestWrite } from '../sources/latest-write.ts'
import type { SourceName } from '../sources/source.ts'
import { plainText } from '../text/plain-text.ts'
import { sleep, systemClock } from '../time.ts'
import { alertActions } from './alert-actions.ts'
import { jsonLines } from './json-lines.ts'
import { keeperOf } from './keep-runs.ts'
import { plainView, type RunsView, showRuns } from './show-runs.ts'
import { isStandardOutput } from './standard-output.ts'
import type { WatchRequest } from './watch-in-terminal.ts'
import { watchRuns } from './watch-runs.ts'
import type { WatchedRun } from './watched-run.ts'

/** What to start, and how to end it. */
export interface RunRequest {
  readonly command: readonly string[]
  /** Where it writes; the current folder where nothing is said. */
  readonly paths: readonly string[]
  /** Between SIGINT and SIGTERM. */
  readonly graceMs: number
  /** Whether its output goes to a file that is followed, instead of to the terminal. */
  readonly capture: boolean
  readonly flags: WatchRequest['flags']
}

/** After the end of the training its last lines are still to reach the file system; and what is there then is read to its end, for so long. */
const LAST_LINES_MS = 1000
const MOST_READING_MS = 30_000
/** The kernel stamps files with a clock that is some milliseconds behind. */
const CLOCK_SLACK_SECONDS = 0.02

/** Runs the command to its end; gives its exit code, or 128 and the number of the signal that ended it. */
export async function runTraining({ command, paths, graceMs, capture, flags }: RunRequest): Promise<number> {
  const { stopOn, dryRun, onCritical, onAlert, bell, webhooks, store, ignore, json, trainer, map, ...analyzer } = flags
  const startedUnixSeconds = systemClock.unixSeconds()
  const captured = capture ? captureFile(command) : null
  const earlier = earlierRuns(startedUnixSeconds - CLOCK_SLACK_SECONDS)
  const watched = new Set<WatchedRun>()
  const view = viewFor(json === true, captured !== null, () => [...watched])
  // A command that is none is said before anything is started.
  const actor = alertActions(flags, { stopOnCritical: null, now: systemClock.unixSeconds, say: view.say })
  const keeper = store === false ? null : keeperOf(view.say)
  if (captured) view.say(`What the training prints goes to ${captured}`)
  const child = start(command, captured)
  const controller = new AbortController()
  const exit = ended(child.process)
  const over = () => controller.abort()
  let exited = false
  let end: RunStatus | 'crashed' | undefined
  let complete = false
  exit.then(async () => {
    exited = true
    await sleep(LAST_LINES_MS)
    complete = true
    await sleep(MOST_READING_MS, controller.signal)
    over()
  }, over)
  const stopper = stopperOf(child, exit, graceMs, view.say)
  // Ctrl-C reaches the training itself where it has the terminal, and from us where it has not.
  const onSignal = (signal: NodeJS.Signals) => (exited ? over() : child.forward(signal))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal)
  try {
    await watchRuns({
      paths: [...(paths.length > 0 ? paths : ['.']), ...(captured ? [captured] : [])],
      analyzer: { ...analyzer, mute: ignore },
      trainer,
      rename: map,
      now: () => Math.round(systemClock.unixSeconds() * 1000) / 1000,
      clock: systemClock,
      signal: controller.signal,
      urgent: () => complete,
      wanted: earlier.isOurs,
      // Where a script sends them into files of the current folder, which is watched.
      leftOut: isStandardOutput(),
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
        if (isTwin(one, [...watched], captured)) return
        view.alert(alert, run, live)
        // What an earlier training wrote into the same file is no reason to end this one.
        if (!live && earlier.wasThere(one.found)) return
        actor.alert(alert, run, one, true)
        if (alert.severity !== 'critical' || alert.muted || !stopOn) return
        const back = alert.rollbackTo === null ? '' : ` Roll back to checkpoint ${alert.rollbackTo}.`
        if (dryRun) view.say(`${run.name}: would be stopped now (--dry-run): ${alert.reason}`)
        else stopper.stop(`${run.name}: ${alert.reason}.${back}`)
      },
      onResolved: actor.resolved,
      onNews: view.news,
      onProblem: () => {},
      onRound({ caughtUp, searched }) {
        if (searched) earlier.searched()
        view.round(caughtUp)
        keeper?.round(watched)
        // A search after the last line has found what there is, a training of a second, too.
        if (complete && searched && caughtUp) over()
      },
    })
    const code = await exit
    end = endOf(code, stopper.stopped)
    return code
  } finally {
    await actor.close()
    keeper?.close(watched, end)
    await view.close()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal)
  }
}

/**
 * Tells the runs of this training from those that are there already: by when they were written, and, since clocks of two machines differ, by
 * whether they change after the first search.
 */
function earlierRuns(startUnixSeconds: number) {
  const before = new Map<string, number>()
  let first = true
  return {
    isOurs(found: FoundRun): boolean {
      const written = latestWrite(found)
      if (written >= startUnixSeconds) return true
      if (first) before.set(found.key, written)
      return !first && before.get(found.key) !== written
    },
    /** Whether a run's files had something in them before the training began. */
    wasThere: (found: FoundRun): boolean => before.has(found.key),
    searched(): void {
      first = false
    },
  }
}

interface Child {
  readonly process: ChildProcess
  /** Sends a signal to the training and all that it has started. */
  signal(signal: NodeJS.Signals): void
  /** Passes on a signal that came to us, where the terminal has not sent it to the training, too. */
  forward(signal: NodeJS.Signals): void
}

/**
 * In a terminal the training stays in our process group, so that it is in the foreground and Ctrl-C reaches it; else it gets a group of its own,
 * so that ending it ends nothing else of a script.
 */
function start(command: readonly string[], captured: string | null): Child {
  const [program, ...args] = command
  const inForeground = process.stdin.isTTY === true
  const descriptor = captured === null ? null : openSync(captured, 'a')
  let ignored = 0
  try {
    const started = spawn(program!, args, {
      detached: !inForeground,
      stdio: descriptor === null ? 'inherit' : ['inherit', descriptor, descriptor],
      // Lines that wait in a buffer come too late to act on.
      env: descriptor === null ? process.env : { PYTHONUNBUFFERED: '1', ...process.env },
    })
    const signal = (name: NodeJS.Signals): void => {
      if (started.pid === undefined) return
      try {
        if (inForeground) ignored++
        process.kill(inForeground ? 0 : -started.pid, name)
      } catch {
        // It has ended already.
      }
    }
    return {
      process: started,
      signal,
      forward(name) {
        if (ignored > 0) ignored--
        else if (!inForeground) signal(name)
        else if (name === 'SIGTERM') started.kill('SIGTERM')
      },
    }
  } finally {
    // The training has its own.
    if (descriptor !== null) closeSync(descriptor)
  }
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
}

/** How a training ended, by its exit code, for runs that do not say so themselves. */
function endOf(code: number, stopped: boolean): RunStatus | 'crashed' {
  const signal = code - 128
  if (stopped || signal === SIGNAL_NUMBERS.SIGINT || signal === SIGNAL_NUMBERS.SIGTERM) return 'stopped'
  if (code === 0) return 'completed'
  return signal > 0 ? 'crashed' : 'failed'
}

/** @throws TelltaleError `bad-usage` where the program cannot be started. */
function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      reject(new TelltaleError('bad-usage', `${child.spawnfile} cannot be started: ${errorMessage(error)}`))
    })
    child.once('close', (code, signal) => resolve(code ?? 128 + (SIGNAL_NUMBERS[signal ?? ''] ?? 1)))
  })
}

/** Ends the training once: SIGINT, as Ctrl-C is, and SIGTERM if it has not ended after the grace. */
function stopperOf(child: Child, exit: Promise<number>, graceMs: number, say: (text: string) => void) {
  let stopping = false
  const over = new AbortController()
  const end = () => over.abort()
  exit.then(end, end)
  return {
    /** Whether it was told to end. */
    get stopped() {
      return stopping
    },
    stop(why: string): void {
      if (stopping || over.signal.aborted) return
      stopping = true
      say(`Stopping the training (SIGINT, then SIGTERM after ${Math.round(graceMs / 1000)} s): ${why}`)
      child.signal('SIGINT')
      void sleep(graceMs, over.signal).then(() => {
        if (over.signal.aborted) return
        say('The training goes on after the grace: SIGTERM.')
        child.signal('SIGTERM')
      })
    },
  }
}

/** Whether another watched run is the same training, and says more: what it prints beside the file that it writes. */
function isTwin(one: WatchedRun, all: readonly WatchedRun[], captured: string | null): boolean {
  if (captured === null || all.length < 2) return false
  const rank = (run: WatchedRun) => NUMBERS_FROM.indexOf(run.source as SourceName)
  const printed = all.find((run) => run.found.parts.some(({ path }) => path === captured))
  if (!printed) return false
  if (one === printed) return all.some((run) => run !== printed && run.runs.length > 0 && rank(run) < rank(printed))
  return printed.runs.length > 0 && rank(one) > rank(printed)
}

/** With the terminal in the training's hands only lines that stay are written, and to standard error. */
function viewFor(json: boolean, captured: boolean, watched: () => readonly WatchedRun[]): RunsView {
  const options = { env: process.env, clock: systemClock, watched }
  if (json) return jsonLines({ ...options, stream: process.stderr })
  if (captured) return showRuns({ ...options, stream: process.stdout })
  return plainView({ ...options, stream: process.stderr, quiet: true })
}

/** A file for what the training prints, named after its script. */
function captureFile(command: readonly string[]): string {
  const folder = join(process.env.TELLTALE_DIR || '.telltale', 'captured')
  makeFolder(folder)
  const script = command.find((word) => !word.startsWith('-') && !LAUNCHERS.test(basename(word))) ?? command[0]!
  const name = plainText(basename(script), 40)
    .replace(/\.[A-Za-z0-9]+$/, '')
    .replace(/[^A-Za-z0-9_-]+/g, '-')
  const stamp = new Date(systemClock.unixSeconds() * 1000)
    .toISOString()
    .replace(/[-:]/g, '')
    .replace('T', '-')
    .slice(0, 15)
  return join(folder, `${name}-${stamp}-${process.pid}.log`)
}

/** Words before the name of a script. */
const LAUNCHERS =
  /^(python[\d.]*|node|bash|sh|env|uv|run|accelerate|launch|torchrun|deepspeed|time|nice|[A-Za-z_]+=.*)$/
