/**
 * How the end of the process reaches the runs in it: signals, and exits that nobody announced. One listener each for the
 * whole process, however many monitors there are.
 *
 * @module
 */

/** What {@link watchProcess} calls. */
export interface ProcessWatcher {
  readonly handleSignals: boolean
  /** SIGINT or SIGTERM came for the first time. */
  onFirstSignal(signal: NodeJS.Signals): void
  /** The process is about to exit although the run has not ended; only synchronous work is possible. */
  onExit(why: string): void
}

// Not SIGHUP: a listener would undo `nohup`, and the training would die with the terminal.
const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const

const watchers = new Set<ProcessWatcher>()
let signals = 0

/** Starts watching; returns what ends it. A second signal ends the process at once, with the usual exit code. */
export function watchProcess(watcher: ProcessWatcher): () => void {
  watchers.add(watcher)
  listen()
  return () => {
    watchers.delete(watcher)
    listen()
  }
}

function listen(): void {
  toggle('exit', onExit, watchers.size > 0)
  const handled = [...watchers].some((watcher) => watcher.handleSignals)
  if (!handled) signals = 0
  for (const signal of Object.keys(SIGNAL_NUMBERS)) toggle(signal, onSignal, handled)
}

function toggle(event: string, listener: (...args: never[]) => void, wanted: boolean): void {
  // Never off and on again: a signal that came between the two would end the process.
  const listening = process.listeners(event as NodeJS.Signals).includes(listener as () => void)
  if (wanted && !listening) process.on(event, listener as () => void)
  if (!wanted && listening) process.off(event, listener as () => void)
}

function onSignal(signal: keyof typeof SIGNAL_NUMBERS): void {
  signals++
  if (signals > 1) process.exit(128 + SIGNAL_NUMBERS[signal])
  for (const watcher of [...watchers]) if (watcher.handleSignals) watcher.onFirstSignal(signal)
}

function onExit(code: number): void {
  for (const watcher of [...watchers]) watcher.onExit(`the process ended with exit code ${code} before the run did`)
}
