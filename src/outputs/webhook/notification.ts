/**
 * What a person is told of an alert, as data, and in words without markup.
 *
 * @module
 */
import type { Alert, AlertKind, Severity } from '../../detectors/detector.ts'
import { plainText } from '../../text/plain-text.ts'
import { adviceWords, certaintyWords, KIND_TITLES, onsetWords } from '../report/words.ts'

/** What became of an alert. */
export type AlertChange = 'opened' | 'escalated' | 'resolved'

/** One change of one alert of one run. */
export interface Notification {
  readonly change: AlertChange
  /** Id of the run, its name for people, and where it is read. */
  readonly run: string
  readonly name: string
  readonly path: string
  /** Name of the machine that watches. */
  readonly host: string
  /** Unix seconds. */
  readonly time: number
  readonly alert: Alert
}

/** The parts of a message; every text is one line without control characters. */
export interface NotificationWords {
  readonly title: string
  readonly what: string
  readonly facts: readonly (readonly [label: string, text: string])[]
}

const RANK: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 }
const MAX_CHARACTERS = 600

/** Whether a severity is at least another. */
export function isAtLeast(severity: Severity, least: Severity): boolean {
  return RANK[severity] >= RANK[least]
}

export function notificationWords({ change, name, path, host, alert }: Notification): NotificationWords {
  const title = `${said(alert.severity, change)}: ${KIND_TITLES[alert.kind as AlertKind]} in ${plainText(name, 80)}`
  const advice = alert.advice.map((one) => plainText(adviceWords(one), MAX_CHARACTERS))
  return {
    title,
    what: plainText(alert.reason, MAX_CHARACTERS),
    facts: [
      ['Iteration', `${alert.iteration}, ${onsetWords(alert.onset)}`],
      ['How sure', plainText(certaintyWords(alert), MAX_CHARACTERS)],
      ...(change === 'resolved' ? [] : advice.slice(0, 3).map((text): [string, string] => ['What to do', text])),
      ['Run', `${plainText(path, 200)} on ${plainText(host, 80)}`],
    ],
  }
}

function said(severity: Severity, change: AlertChange): string {
  if (change === 'resolved') return 'Passed'
  return severity === 'critical' ? 'Critical' : severity === 'warning' ? 'Warning' : 'Note'
}
