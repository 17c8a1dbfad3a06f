/**
 * What a person is told of an alert, as data, and in words without markup.
 *
 * @module
 */
import type { Alert, AlertKind, Severity } from '../../detectors/detector.ts'
import { plainText } from '../../text/plain-text.ts'
import { severityWords } from '../failures.ts'
import { adviceWords, certaintyWords, KIND_TITLES, onsetWords } from '../report/words.ts'

/** What became of an alert. */
export type AlertChange = 'opened' | 'escalated' | 'eased' | 'resolved'

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
  /** Severity that the failure had before it grew worse or eased; null for what is new, or has passed. */
  readonly before: Severity | null
}

/** The parts of a message; every text is one line without control characters. */
export interface NotificationWords {
  readonly title: string
  readonly what: string
  readonly facts: readonly (readonly [label: string, text: string])[]
}

const MAX_CHARACTERS = 600

export function notificationWords({ change, name, path, host, alert }: Notification): NotificationWords {
  const title = `${said(alert.severity, change)}: ${KIND_TITLES[alert.kind as AlertKind]} in ${plainText(name, 80)}`
  const advice = alert.advice.map((one) => plainText(adviceWords(one), MAX_CHARACTERS))
  return {
    title,
    what: plainText(alert.reason, MAX_CHARACTERS),
    facts: [
      ['Iteration', `${alert.iteration}, ${onsetWords(alert.onset)}`],
      ['How sure', plainText(certaintyWords(alert), MAX_CHARACTERS)],
      ...(change === 'resolved' || change === 'eased'
        ? []
        : advice.slice(0, 3).map((text): [string, string] => ['What to do', text])),
      ['Run', `${plainText(path, 200)} on ${plainText(host, 80)}`],
    ],
  }
}

function said(severity: Severity, change: AlertChange): string {
  if (change === 'resolved') return 'Passed'
  if (change === 'eased') return `Eased to ${severityWords({ severity })}`
  return severity === 'critical' ? 'Critical' : severity === 'warning' ? 'Warning' : 'Note'
}
