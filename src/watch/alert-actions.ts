/**
 * What is done about alerts, as the command line and the configuration say it: commands, webhooks, the bell.
 *
 * @module
 */
import { notifier } from '../outputs/webhook/notifier.ts'
import { type ActOptions, type Actor, actOnAlerts, splitCommand } from './act-on-alerts.ts'
import type { WatchActions } from './watch-in-terminal.ts'

/** An actor, and the end of what it has begun. */
export interface AlertActions extends Actor {
  /** Lets what is on its way to people arrive. */
  close(): Promise<void>
}

/** How long the end of the watching may wait for messages to arrive. */
const LAST_MESSAGES_MS = 5000
const BELL = '\u0007'

/** @throws TelltaleError `bad-option` for a command that is none. */
export function alertActions(
  flags: WatchActions,
  options: Pick<ActOptions, 'stopOnCritical' | 'now' | 'say'>,
): AlertActions {
  const command = (text: string | undefined) => (text === undefined ? null : splitCommand(text))
  const { webhooks = [] } = flags
  const people = webhooks.length > 0 ? notifier({ targets: webhooks, say: options.say }) : null
  const actor = actOnAlerts({
    ...options,
    onCritical: command(flags.onCritical),
    onAlert: command(flags.onAlert),
    notify: people && ((notification) => people.notify(notification)),
    bell: flags.bell && process.stderr.isTTY ? () => void process.stderr.write(BELL) : null,
  })
  return {
    ...actor,
    async close() {
      await people?.close(LAST_MESSAGES_MS)
    },
  }
}
