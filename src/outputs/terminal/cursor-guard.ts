/**
 * Gives the cursor back however the process ends: exit, exception, or a signal that nobody else handles. One listener each
 * for the whole process, and none while no display is open.
 *
 * @module
 */

// Not SIGHUP: a listener would undo `nohup`, and the terminal is gone by then anyway.
const SIGNALS = ['SIGINT', 'SIGTERM'] as const

const restorers = new Set<() => void>()

/** Calls `restore` when the process ends; returns what takes it back. `restore` must be synchronous and not throw. */
export function guardCursor(restore: () => void): () => void {
  restorers.add(restore)
  listen(true)
  return () => {
    restorers.delete(restore)
    if (restorers.size === 0) listen(false)
  }
}

function listen(wanted: boolean): void {
  process.off('exit', restoreAll)
  for (const signal of SIGNALS) process.off(signal, onSignal)
  if (!wanted) return
  process.on('exit', restoreAll)
  for (const signal of SIGNALS) process.on(signal, onSignal)
}

function restoreAll(): void {
  for (const restore of [...restorers]) restore()
}

/** Where somebody else handles the signal, the run goes on and so does the display; else the process ends as it would have. */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return
  restoreAll()
  restorers.clear()
  listen(false)
  process.kill(process.pid, signal)
}
