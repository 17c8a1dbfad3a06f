/**
 * One message to one address: sent again after a while where it did not arrive.
 *
 * @module
 */
import { errorMessage } from '../../errors.ts'
import { plainText } from '../../text/plain-text.ts'
import { aboutMs, sleep, systemClock } from '../../time.ts'

/** Milliseconds before the second, third, … try. */
const WAITS_MS = [1000, 4000, 15_000, 60_000] as const
const TRY_MS = 10_000
/** An address that wants to be left alone for longer is given up. */
const MAX_RETRY_AFTER_MS = 300_000
/** Of an answer's body: what is shown of it, and what is read of it. */
const MAX_ANSWER_CHARACTERS = 120
const MAX_ANSWER_BYTES = 2000
/** A shorter piece of an address is a common word, and no secret. */
const MIN_SECRET_CHARACTERS = 6

/** What came of a message. */
export type Sent = { readonly ok: true } | { readonly ok: false; readonly problem: string }

/** How patient a sender is. */
export interface SendOptions {
  /** Ends the waiting and the trying. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds before the second, third, … try, each up to a quarter longer by chance; five tries within about 90 s by default. */
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
    // Many who wait for one that was away must not all come back in the same moment.
    await sleep(aboutMs(Math.max(waitMs, outcome.afterMs ?? 0)), signal)
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
    if (response.ok) {
      // It has arrived, whatever becomes of the rest of the answer: to send it again would tell it twice.
      response.body?.cancel().catch(() => {})
      return { ok: true }
    }
    const answer = plainText(withoutAddress(await beginningOf(response), url), MAX_ANSWER_CHARACTERS)
    if (response.status >= 300 && response.status < 400)
      return { ok: false, again: false, problem: `it answered ${response.status}: it has moved; give its new address` }
    const problem = `it answered ${response.status}${answer === '' ? '' : `: ${answer}`}`
    const afterMs = retryAfterMs(response.headers.get('retry-after'))
    const tooLate = afterMs > MAX_RETRY_AFTER_MS
    const again = (response.status === 429 || response.status >= 500) && !tooLate
    return { ok: false, problem, again, ...(afterMs > 0 ? { afterMs } : {}) }
  } catch (error) {
    if (signal?.aborted) return { ok: false, again: false, problem: 'no time was left' }
    if (late.aborted) return { ok: false, again: true, problem: `no answer within ${TRY_MS / 1000} s` }
    const cause = error instanceof Error && error.cause ? error.cause : error
    return { ok: false, again: true, problem: plainText(withoutAddress(errorMessage(cause), url), 200) }
  }
}

/** What `Retry-After` asks for, a number of seconds or a date, in milliseconds; 0 where it says nothing. */
function retryAfterMs(text: string | null): number {
  if (text === null) return 0
  const seconds = Number(text)
  const ms = Number.isNaN(seconds) ? Date.parse(text) - 1000 * systemClock.unixSeconds() : 1000 * seconds
  return Number.isNaN(ms) ? 0 : Math.max(0, ms)
}

/** The first characters of a body, however long it is. */
async function beginningOf(response: Response): Promise<string> {
  const reader = response.body?.getReader()
  if (!reader) return ''
  const decoder = new TextDecoder()
  let text = ''
  try {
    while (text.length < MAX_ANSWER_BYTES) {
      const { done, value } = await reader.read()
      if (done) break
      text += decoder.decode(value.subarray(0, MAX_ANSWER_BYTES), { stream: true })
    }
  } catch {
    // The status has said what matters.
  }
  reader.cancel().catch(() => {})
  return text
}

/** Takes the address and its pieces out of a text: servers repeat the path they were asked for, and errors the whole. */
function withoutAddress(text: string, url: string): string {
  const { href, pathname, search, searchParams } = new URL(url)
  const pieces = [...pathname.split('/'), ...searchParams.values()].filter(
    (piece) => piece.length >= MIN_SECRET_CHARACTERS,
  )
  const secrets = [url, href, pathname + search, pathname, search, ...pieces].filter((secret) => secret.length > 1)
  return secrets.sort((a, b) => b.length - a.length).reduce((rest, secret) => rest.replaceAll(secret, '…'), text)
}
