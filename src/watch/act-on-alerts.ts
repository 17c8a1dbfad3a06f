/**
 * What a watcher does about alerts: tells people, starts the user's commands, and orders the run to stop where it is one of our own clients'.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import type { Socket } from 'node:net'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import type { Alert } from '../detectors/detector.ts'
import { errorMessage, TelltaleError } from '../errors.ts'
import { writeControlFile } from '../log/control-file.ts'
import { type ChangedAlert, changeOf } from '../outputs/webhook/alert-changes.ts'
import type { AlertChange, Notification } from '../outputs/webhook/notification.ts'
import { MAX_TELLS, toldAlerts } from '../outputs/webhook/told-alerts.ts'
import { plainJson } from '../text/plain-json.ts'
import type { LiveRun, WatchedRun } from './watched-run.ts'

/** How alerts are acted on. */
export interface ActOptions {
  /** `stop`: order it; `say`: only say what would be ordered; null: neither. */
  readonly stopOnCritical: 'stop' | 'say' | null
  /** Program and arguments that get each critical alert as JSON on standard input, as often as people are told of a kind; null for none. */
  readonly onCritical: readonly string[] | null
  /** The same for every alert, and when one has passed. */
  readonly onAlert?: readonly string[] | null
  /** Takes what people are to be told. */
  readonly notify?: ((notification: Notification) => void) | null
  /** Makes a sound at a critical alert. */
  readonly bell?: (() => void) | null
  /** Unix seconds. */
  readonly now: () => number
  /** Takes a line that says what was done, or why not. */
  readonly say: (text: string) => void
}

/** Acts on alerts. */
export interface Actor {
  /** @param live whether the run was being followed when the alert was raised: others are kept until the run proves to be alive. */
  alert(alert: Alert, run: LiveRun, watched: WatchedRun, live: boolean): void
  /** An alert has passed. */
  resolved(alert: Alert, run: LiveRun, watched: WatchedRun): void
  /** Something new came of a run. */
  news(watched: WatchedRun): void
}

export function actOnAlerts(options: ActOptions): Actor {
  /**
   * Alerts that were there before anybody watched, by where their runs are read: of a run that is over they concern nobody. By ids, since a run may be
   * read anew in between.
   */
  const kept = new Map<string, Set<string>>()
  const ordered = new Set<string>()
  /** Runs of which something came after they had caught up. */
  const alive = new WeakSet<WatchedRun>()

  const told = toldAlerts()

  /** Tells who has asked for it. @returns whether anybody was to be called. */
  function tell(changed: ChangedAlert, { alert, run, watched }: Occurrence): boolean {
    const telling = told.take(`${watched.path} ${run.id}`, changed)
    const called = options.notify || options.onAlert || (alert.severity === 'critical' && options.onCritical)
    if (telling.isJustWorn && called)
      options.say(`${run.name}: ${alert.kind} has come ${MAX_TELLS} times; nobody is told of more`)
    if (telling.told === null) return false
    const { change, before } = telling.told
    if (options.onAlert) startCommand('--on-alert', options.onAlert, { change, alert, run, watched }, options.say)
    options.notify?.({
      ...{ change, alert, before },
      run: run.id,
      name: run.name,
      path: watched.path,
      host: hostname(),
      time: options.now(),
    })
    return true
  }

  function act(alert: Alert, run: LiveRun, watched: WatchedRun): void {
    const calls = tell(changeOf(alert, run.alerts), { alert, run, watched })
    if (alert.severity !== 'critical') return
    options.bell?.()
    if (options.onCritical && calls)
      startCommand('--on-critical', options.onCritical, { change: 'opened', alert, run, watched }, options.say)
    if (options.stopOnCritical === null || run.status !== 'running') return
    const order = `${watched.path} ${run.writer}`
    // What could not be ordered is, with the next critical alert.
    if (!ordered.has(order) && orderStop(alert, run, watched, options)) ordered.add(order)
  }

  return {
    alert(alert, run, watched, live) {
      if (alert.muted) return
      if (live) act(alert, run, watched)
      else if (alert.state === 'open')
        kept.set(watched.path, (kept.get(watched.path) ?? new Set()).add(idOf(alert, run)))
    },
    resolved(alert, run, watched) {
      kept.get(watched.path)?.delete(idOf(alert, run))
      tell({ change: 'resolved', alert, before: null }, { alert, run, watched })
    },
    news(watched) {
      const waiting = kept.get(watched.path)
      // The first news is the end of what was there already.
      if (!waiting || !alive.has(watched)) {
        alive.add(watched)
        return
      }
      kept.delete(watched.path)
      for (const run of watched.runs) {
        if (run.status !== 'running') continue
        for (const alert of run.alerts)
          if (alert.state === 'open' && waiting.has(idOf(alert, run))) act(alert, run, watched)
      }
    },
  }
}

function idOf({ id, kind, severity }: Alert, run: LiveRun): string {
  return `${run.id} ${id} ${kind} ${severity}`
}

/** @returns whether no later alert shall order it again. */
function orderStop(alert: Alert, run: LiveRun, watched: WatchedRun, { stopOnCritical, now, say }: ActOptions): boolean {
  const name = run.name
  const back = alert.rollbackTo === null ? '' : `; roll back to checkpoint ${alert.rollbackTo}`
  if (stopOnCritical === 'say') {
    say(`${name}: would be stopped now (--dry-run): ${alert.reason}${back}`)
    return true
  }
  if (watched.source !== 'telltale') {
    say(
      `${name}: cannot be stopped from here: it does not write with a client of Telltale. Use --on-critical, or start it with telltale run.`,
    )
    return true
  }
  try {
    const folder = isFolder(watched.path) ? watched.path : dirname(watched.path)
    const path = writeControlFile(folder, {
      run: run.id,
      writer: run.writer,
      reason: alert.reason,
      iteration: alert.iteration,
      rollbackTo: alert.rollbackTo,
      time: now(),
    })
    say(`${name}: ordered to stop (${path}): ${alert.reason}${back}`)
    return true
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error
    say(`${name}: ${error.message}`)
    return false
  }
}

interface Occurrence {
  readonly alert: Alert
  readonly run: LiveRun
  readonly watched: WatchedRun
}

function startCommand(
  flag: '--on-alert' | '--on-critical',
  command: readonly string[],
  { change, alert, run, watched }: Occurrence & { readonly change: AlertChange },
  say: (text: string) => void,
): void {
  const [program, ...args] = command
  const shown = command.join(' ')
  try {
    const child = spawn(program!, args, { stdio: ['pipe', 'ignore', 'pipe'] })
    // One that takes its time must not hold up the end of the watching; it goes on without us.
    child.unref()
    ;(child.stderr as Socket).unref()
    ;(child.stdin as Socket).unref()
    let errors = ''
    child.on('error', (error) => say(`${flag} ${shown}: ${errorMessage(error)}`))
    // A command that does not read its input is none of our concern.
    child.stdin.on('error', () => {})
    child.stderr.on('data', (data: Buffer) => {
      if (errors.length < 500) errors += data.toString('utf8')
    })
    child.on('close', (code, signal) => {
      if (code === 0) return
      const last = errors.trim().split('\n').at(-1) ?? ''
      say(`${flag} ${shown}: ended with ${signal ?? `exit code ${code}`}${last ? `: ${last}` : ''}`)
    })
    child.stdin.end(
      `${plainJson({ run: run.id, name: run.name, path: watched.path, source: watched.source, change, alert }).text}\n`,
    )
  } catch (error) {
    say(`${flag} ${shown}: ${errorMessage(error)}`)
  }
}

/**
 * A command line as program and arguments, as a shell would split it at blanks, with quotes and backslashes; nothing else of a shell is in it.
 *
 * @throws TelltaleError `bad-option` where a quote is not closed or nothing is left.
 */
export function splitCommand(text: string): readonly string[] {
  const words: string[] = []
  let word: string | null = null
  let quote: string | null = null
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!
    if (character === '\\' && quote !== "'" && i + 1 < text.length) word = (word ?? '') + text[++i]
    else if (quote !== null) {
      if (character === quote) quote = null
      else word = (word ?? '') + character
    } else if (character === "'" || character === '"') {
      quote = character
      word ??= ''
    } else if (/\s/.test(character)) {
      if (word !== null) words.push(word)
      word = null
    } else word = (word ?? '') + character
  }
  if (word !== null) words.push(word)
  if (quote !== null)
    throw new TelltaleError('bad-option', `the command has a ${quote} that is not closed: ${text.slice(0, 200)}`)
  if (words.length === 0)
    throw new TelltaleError('bad-option', 'the command is empty; expected a program and its arguments')
  return words
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
