/**
 * Bodies of webhooks: Slack's, Discord's, and plain JSON. Each text is escaped for where it goes, so that a run's name can neither call everybody in a
 * channel nor become a link.
 *
 * @module
 */
import { plainJson } from '../../text/plain-json.ts'
import { type Notification, notificationWords } from './notification.ts'

/** How a webhook wants its body. */
export const WEBHOOK_FORMS = ['slack', 'discord', 'json'] as const

/** One of {@link WEBHOOK_FORMS}. */
export type WebhookForm = (typeof WEBHOOK_FORMS)[number]

/** Slack refuses longer texts in a block, and Discord longer messages. */
const SLACK_CHARACTERS = 2900
const DISCORD_CHARACTERS = 1900
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
  if (form === 'json') {
    const text = notifications.map((one) => notificationWords(one).title).join('; ')
    return plainJson({ source: 'telltale', text, notifications, droppedNotifications: more }).text
  }
  const lines = notifications.length === 1 ? single(notifications[0]!, form) : digest(notifications, more, form)
  if (form === 'slack') {
    const text = cut(lines.join('\n'), SLACK_CHARACTERS)
    return JSON.stringify({
      // What a notification on a phone shows.
      text: slackText(cut(plainTitle(notifications), 200)),
      blocks: [{ type: 'section', text: { type: 'mrkdwn', text } }],
      unfurl_links: false,
    })
  }
  return JSON.stringify({ content: cut(lines.join('\n'), DISCORD_CHARACTERS), allowed_mentions: { parse: [] } })
}

function single(notification: Notification, form: 'slack' | 'discord'): string[] {
  const { title, what, facts } = notificationWords(notification)
  const { escaped, bold } = MARKUP[form]
  return [bold(escaped(title)), escaped(what), ...facts.map(([label, text]) => `${bold(label)}: ${escaped(text)}`)]
}

function digest(notifications: readonly Notification[], more: number, form: 'slack' | 'discord'): string[] {
  const { escaped, bold } = MARKUP[form]
  const shown = notifications.slice(0, DIGEST_LINES)
  const left = notifications.length - shown.length + more
  return [
    bold(escaped(plainTitle(notifications))),
    ...shown.map((one) => {
      const { title, what } = notificationWords(one)
      return `• ${escaped(title)}, iteration ${one.alert.iteration}: ${escaped(cut(what, 160))}`
    }),
    ...(left > 0 ? [`and ${left} more`] : []),
  ]
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
  return text.length <= characters ? text : `${text.slice(0, characters - 1)}…`
}
