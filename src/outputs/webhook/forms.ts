/**
 * Bodies of webhooks: Slack's, Discord's, and plain JSON. Each text is escaped for where it goes, so that a run's name can neither call everybody in a
 * channel nor become a link.
 *
 * @module
 */
import { plainJson } from '../../text/plain-json.ts'
import { type Notification, notificationWords } from './notification.ts'

/** How a webhook wants its body: as Slack or Discord take it, or as plain JSON. */
export type WebhookForm = 'slack' | 'discord' | 'json'

/** All of them. */
export const WEBHOOK_FORMS = ['slack', 'discord', 'json'] as const satisfies readonly WebhookForm[]

/** Slack refuses longer texts in a block, and Discord longer messages. */
const SLACK_CHARACTERS = 2900
const DISCORD_CHARACTERS = 1900
const LIMITS = { slack: SLACK_CHARACTERS, discord: DISCORD_CHARACTERS } as const
/** Of a JSON body; answers are left out of what goes beyond it. */
const JSON_CHARACTERS = 1024 * 1024
/** Changes that a digest names; the others are counted. */
const DIGEST_LINES = 20

/** The form that an address wants: Slack's and Discord's are known by their hosts. */
export function formOf(url: string): WebhookForm {
  const { hostname, pathname } = new URL(url)
  if (/(^|\.)slack\.com$/.test(hostname)) return 'slack'
  if (/(^|\.)discord(app)?\.com$/.test(hostname) && pathname.startsWith('/api/webhooks/')) return 'discord'
  return 'json'
}

/** @param more changes that came in the same time and were dropped: the queue was full. */
export function bodyOf(form: WebhookForm, notifications: readonly Notification[], more: number): string {
  if (form === 'json') return jsonBody(notifications, more)
  const lines =
    notifications.length === 1 && more === 0 ? single(notifications[0]!, form) : digest(notifications, more, form)
  if (form === 'slack') {
    const text = fitting(lines, SLACK_CHARACTERS)
    return JSON.stringify({
      // What a notification on a phone shows.
      text: slackText(cut(plainTitle(notifications), 200)),
      // Without `verbatim` Slack makes links of addresses and of names of channels by itself.
      blocks: [{ type: 'section', text: { type: 'mrkdwn', text, verbatim: true } }],
      unfurl_links: false,
    })
  }
  return JSON.stringify({ content: fitting(lines, DISCORD_CHARACTERS), allowed_mentions: { parse: [] } })
}

/** Every notification whole, without its answers where there is no room for them, or counted. */
function jsonBody(notifications: readonly Notification[], more: number): string {
  const kept: string[] = []
  let room = JSON_CHARACTERS
  for (const one of notifications) {
    const whole = plainJson(one).text
    const text = whole.length <= room ? whole : plainJson({ ...one, alert: { ...one.alert, samples: [] } }).text
    if (text.length > room) break
    room -= text.length
    kept.push(text)
  }
  const dropped = notifications.length - kept.length + more
  const title = notifications.map((one) => notificationWords(one).title).join('; ')
  return `{"source":"telltale","text":${JSON.stringify(title)},"notifications":[${kept.join(',')}],"droppedNotifications":${dropped}}`
}

function single(notification: Notification, form: 'slack' | 'discord'): string[] {
  const { title, what, facts } = notificationWords(notification)
  const { escaped, bold } = MARKUP[form]
  return [bold(escaped(title)), escaped(what), ...facts.map(([label, text]) => `${bold(label)}: ${escaped(text)}`)]
}

function digest(notifications: readonly Notification[], more: number, form: 'slack' | 'discord'): string[] {
  const { escaped, bold } = MARKUP[form]
  const head = bold(escaped(plainTitle(notifications)))
  const shown: string[] = []
  // Room for the last line.
  let room = LIMITS[form] - head.length - 40
  for (const one of notifications.slice(0, DIGEST_LINES)) {
    const { title, what } = notificationWords(one)
    const line = `• ${escaped(title)}, iteration ${one.alert.iteration}: ${escaped(cut(what, 160))}`
    room -= line.length + 1
    if (room < 0) break
    shown.push(line)
  }
  const left = notifications.length - shown.length + more
  return [head, ...shown, ...(left > 0 ? [`and ${left} more`] : [])]
}

function plainTitle(notifications: readonly Notification[]): string {
  if (notifications.length === 1) return notificationWords(notifications[0]!).title
  const runs = new Set(notifications.map(({ name }) => name)).size
  return `Telltale: ${notifications.length} changes of alerts in ${runs === 1 ? 'one run' : `${runs} runs`}`
}

const MARKUP = {
  slack: { escaped: slackText, bold: (text: string) => `*${text}*` },
  discord: { escaped: discordText, bold: (text: string) => `**${text}**` },
} as const

/** Slack takes everything between < and > for a link or a mention; the marks of emphasis get a character between that is not seen. */
function slackText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[*_~`]/g, '$&\u200b')
}

function discordText(text: string): string {
  return text.replaceAll(/[\\*_~`|>[\]()#<@:-]/g, '\\$&')
}

function cut(text: string, characters: number): string {
  if (text.length <= characters) return text
  // Not between the halves of a character: half of one is no text that others take.
  return `${text.slice(0, characters - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

/** Lines as far as they fit; the one that does not is cut, not in the middle of what stands for one character. */
function fitting(lines: readonly string[], characters: number): string {
  const text = lines.join('\n')
  if (text.length <= characters) return text
  const whole = text.slice(0, characters - 1).replace(/[\ud800-\udbff]$/, '')
  return `${whole.replace(/&[a-z]{0,4}$|(?<!\\)(?:\\\\)*\\$/, '')}…`
}
