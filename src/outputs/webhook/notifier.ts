/**
 * Tells people of alerts, through webhooks, without ever making anybody wait: what comes in a moment goes out as one message, what cannot be sent is
 * said once and counted.
 *
 * @module
 */
import type { Severity } from '../../detectors/detector.ts'
import { sleep } from '../../time.ts'
import { isAtLeast } from '../failures.ts'
import { bodyOf, type WebhookForm } from './forms.ts'
import type { Notification } from './notification.ts'
import { type SendOptions, type Sent, send } from './send.ts'

/** Where messages go. */
export interface WebhookTarget {
  /** What it is called in messages of our own: never its address. */
  readonly name: string
  readonly url: string
  readonly form: WebhookForm
  /** The least severity that it hears of. */
  readonly severity: Severity
}

/** How a {@link Notifier} works. */
export interface NotifierOptions extends Pick<SendOptions, 'waitsMs'> {
  readonly targets: readonly WebhookTarget[]
  /** Takes a line for the person who watches. */
  readonly say: (text: string) => void
  /** Milliseconds in which what comes is gathered into one message; 1,000 by default. */
  readonly gatherMs?: number | undefined
}

/** Sends what it is told of. */
export interface Notifier {
  /** Returns at once; never throws. */
  notify(notification: Notification): void
  /** Resolves when everything is sent or given up, at the latest after so many milliseconds; nothing is taken afterwards. */
  close(withinMs: number): Promise<void>
}

const GATHER_MS = 1000
const MAX_QUEUED = 200

export function notifier(options: NotifierOptions): Notifier {
  const over = new AbortController()
  const hurry = new AbortController()
  const channels = options.targets.map((target) => channel(target, options, hurry.signal, over.signal))
  return {
    notify(notification) {
      if (over.signal.aborted) return
      const { alert, before } = notification
      // Who was told that it is bad is told that it has eased.
      for (const one of channels)
        if (isAtLeast(alert.severity, one.severity) || (before !== null && isAtLeast(before, one.severity)))
          one.add(notification)
    },
    async close(withinMs) {
      hurry.abort()
      const done = Promise.all(channels.map(({ idle }) => idle()))
      const late = new AbortController()
      await Promise.race([done, sleep(withinMs, late.signal)])
      late.abort()
      over.abort()
      await done
    },
  }
}

/** One target with its own queue: one that hangs holds up no other. */
function channel(
  target: WebhookTarget,
  { say, gatherMs = GATHER_MS, waitsMs }: NotifierOptions,
  hurry: AbortSignal,
  over: AbortSignal,
) {
  let queue: Notification[] = []
  let dropped = 0
  let working: Promise<void> | null = null

  async function work(): Promise<void> {
    while (queue.length > 0 && !over.aborted) {
      await sleep(gatherMs, hurry)
      const batch = queue
      const more = dropped
      queue = []
      dropped = 0
      const sent = await trySending(batch, more)
      if (!sent.ok) sayLost(batch.length + more, sent.problem)
    }
    if (queue.length > 0) sayLost(queue.length + dropped, 'no time was left')
    queue = []
    dropped = 0
    working = null
  }

  function sayLost(count: number, problem: string): void {
    say(`${target.name}: ${count === 1 ? 'an alert was' : `${count} alerts were`} not delivered: ${problem}`)
  }

  async function trySending(batch: readonly Notification[], more: number): Promise<Sent> {
    try {
      return await send(target.url, bodyOf(target.form, batch, more), { signal: over, waitsMs })
    } catch (error) {
      return { ok: false, problem: String(error) }
    }
  }

  return {
    severity: target.severity,
    add(notification: Notification): void {
      if (queue.length >= MAX_QUEUED) dropped++
      else queue.push(notification)
      working ??= work()
    },
    async idle(): Promise<void> {
      await working
    },
  }
}
