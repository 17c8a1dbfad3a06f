/**
 * Webhooks as people set them down, by the names of environment variables, and the addresses that these hold.
 *
 * @module
 */
import type { Severity } from '../../detectors/detector.ts'
import { TelltaleError } from '../../errors.ts'
import { plainText } from '../../text/plain-text.ts'
import { formOf, WEBHOOK_FORMS, type WebhookForm } from './forms.ts'
import type { WebhookTarget } from './notifier.ts'

/** Who is told of alerts. */
export interface Webhook {
  /** Name of the environment variable that holds the address. Never the address itself: whoever has it can write to the channel. */
  readonly urlFrom: string
  /** How the body looks; told from the address by default: Slack's and Discord's are known, any other gets plain JSON. */
  readonly form?: WebhookForm | undefined
  /** The least severity that is sent; `warning` by default. */
  readonly severity?: Severity | undefined
}

const SEVERITIES: readonly Severity[] = ['info', 'warning', 'critical']

/**
 * The addresses that webhooks name, from the environment.
 *
 * @throws TelltaleError `bad-option` for a variable that is not set or holds no address; its message does not repeat what it holds.
 */
export function webhookTargets(webhooks: readonly Webhook[], env: NodeJS.ProcessEnv): readonly WebhookTarget[] {
  return webhooks.map(({ urlFrom, form, severity = 'warning' }) => {
    // Where an address was given instead of the name, it must not be said.
    const name = /^[A-Za-z_][A-Za-z0-9_]*$/.test(urlFrom) ? plainText(urlFrom, 80) : null
    if (name === null)
      throw new TelltaleError(
        'bad-option',
        "urlFrom is no name of an environment variable; expected letters, digits and underscores, such as 'SLACK_WEBHOOK_URL', and the address in that variable",
      )
    if (form !== undefined) oneOf(form, WEBHOOK_FORMS, name, 'form')
    oneOf(severity, SEVERITIES, name, 'severity')
    const url = env[urlFrom]?.trim() ?? ''
    const wrong = (what: string) =>
      new TelltaleError(
        'bad-option',
        `the webhook ${name}: the environment variable ${what}. Set it to the address that the channel gave.`,
      )
    if (url === '') throw wrong('is not set')
    if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : ''))
      throw wrong('holds no address that begins with https://')
    return { name: `webhook ${name}`, url, form: form ?? formOf(url), severity }
  })
}

function oneOf(value: string, choices: readonly string[], webhook: string, what: string): void {
  if (choices.includes(value)) return
  // What came is not said: it may be an address that stands in the wrong place.
  throw new TelltaleError(
    'bad-option',
    `the webhook ${webhook}: its ${what} is unknown; expected ${choices.join(', ')}`,
  )
}
