/**
 * One message to one address: sent again after a while where it did not arrive.
 *
 * @module
 */
import { errorMessage } from '../../errors.ts'
import { plainText } from '../../text/plain-text.ts'
import { sleep } from '../../time.ts'

/** Milliseconds before the second, third, … try. */
const WAITS_MS = [1000, 4000, 15_000, 60_000] as const
const TRY_MS = 10_000
/** An address that wants to be left alone for longer is given up. */
const MAX_RETRY_AFTER_MS = 300_000
/** Of an answer's body. */
const MAX_ANSWER_CHARACTERS = 120

/** What came of a message. */
export type Sent = { readonly ok: true } | { readonly ok: false; readonly problem: string }

/** How patient a sender is. */
export interface SendOptions {
  /** Ends the waiting and the trying. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds before the second, third, … try; five tries within about 80 s by default. */
  readonly waitsMs?: readonly number[] | undefined
}

/**
 * Never throws, and never names the address, which is a secret: whoever has it can write to the channel.
 *
 * Tried again: no connection, no answer within 10 s, a status of 429 (after what `Retry-After` says) or of 500 and above. Redirects are not
 * followed.
 */
export async function send(url: string, body: string, options: SendOptions = {}): Promise<Sent> {
  const { signal, waitsMs = WAITS_MS } = options
  for (let tries = 0; ; tries++) {
    const outcome = await trySend(url, body, signal)
    if (outcome.ok) return outcome
    if (!outcome.again) return { ok: false, problem: outcome.problem }
    const waitMs = waitsMs[tries]
    if (waitMs === undefined || signal?.aborted)
      return { ok: false, problem: `${outcome.problem} (tried ${tries + 1} times)` }
    await sleep(Math.max(waitMs, outcome.afterMs ?? 0), signal)
    if (signal?.aborted) return { ok: false, problem: `${outcome.problem} (no time was left to try again)` }
  }
}

type Outcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly problem: string; readonly again: boolean; readonly afterMs?: number }

async function trySend(url: string, body: string, signal: AbortSignal | undefined): Promise<Outcome> {
  const late = AbortSignal.timeout(TRY_MS)
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'telltale' },
      body,
      redirect: 'manual',
      signal: signal ? AbortSignal.any([late, signal]) : late,
    })
    const answer = plainText((await response.text()).slice(0, 1000), MAX_ANSWER_CHARACTERS)
    if (response.ok) return { ok: true }
    if (response.status >= 300 && response.status < 400)
      return { ok: false, again: false, problem: `it answered ${response.status}: it has moved; give its new address` }
    const problem = `it answered ${response.status}${answer === '' ? '' : `: ${answer}`}`
    const afterMs = 1000 * Number(response.headers.get('retry-after') ?? 0)
    const tooLate = afterMs > MAX_RETRY_AFTER_MS
    const again = (response.status === 429 || response.status >= 500) && !tooLate
    return { ok: false, problem, again, ...(afterMs > 0 ? { afterMs } : {}) }
  } catch (error) {
    if (signal?.aborted) return { ok: false, again: false, problem: 'no time was left' }
    if (late.aborted) return { ok: false, again: true, problem: `no answer within ${TRY_MS / 1000} s` }
    return { ok: false, again: true, problem: withoutAddress(error, url) }
  }
}

/** The cause says what happened; what fetch itself says may hold the address. */
function withoutAddress(error: unknown, url: string): string {
  const cause = error instanceof Error && error.cause ? error.cause : error
  const { pathname, search } = new URL(url)
  const text = errorMessage(cause).replaceAll(url, 'the address')
  const secret = pathname + search
  return plainText(secret.length > 1 ? text.replaceAll(secret, '…') : text, 200)
}
