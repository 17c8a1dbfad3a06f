/**
 * What a person calls one failure: an alert, and those that replaced it as it grew worse or eased.
 *
 * @module
 */
import type { Alert, Severity } from '../detectors/detector.ts'
import { SEVERITY_WORDS } from './severity-words.ts'

type Entry = Pick<Alert, 'id' | 'kind' | 'severity' | 'replaces'>

/** One failure. */
export interface Failure<One extends Entry> {
  /** Its alerts, oldest first; one at least. */
  readonly alerts: readonly One[]
  /** The first one of the highest severity that it reached. */
  readonly gravest: One
  readonly newest: One
}

const RANK: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 }

/** Whether a severity is at least another. */
export function isAtLeast(severity: Severity, least: Severity): boolean {
  return RANK[severity] >= RANK[least]
}

/** The alert of the same failure that one has replaced. One of another kind is another failure. */
export function formerOf<One extends Entry>(alert: One, history: readonly One[]): One | null {
  // Logs from before it was told have none.
  if (alert.replaces === null || alert.replaces === undefined) return null
  const former = history.find(({ id }) => id === alert.replaces)
  return former?.kind === alert.kind ? former : null
}

/** The failures of a run, in the order in which they began. */
export function failuresOf<One extends Entry>(history: readonly One[]): readonly Failure<One>[] {
  const chains: One[][] = []
  /** By the ids of their alerts: a display asks this at each paint, and a history may be long. */
  const chainOf = new Map<string, One[]>()
  for (const alert of history) {
    let chain = chainOf.get(alert.replaces ?? '')
    if (chain?.[0]?.kind === alert.kind) chain.push(alert)
    else {
      chain = [alert]
      chains.push(chain)
    }
    chainOf.set(alert.id, chain)
  }
  return chains.map((alerts) => ({
    alerts,
    gravest: alerts.reduce((gravest, one) => (isAtLeast(gravest.severity, one.severity) ? gravest : one)),
    newest: alerts.at(-1)!,
  }))
}

/** The alerts by which something got worse: those that began a failure or made it graver, without those that say that it has eased. */
export function worseningAlerts<One extends Entry>(history: readonly One[]): readonly One[] {
  return history.filter((alert) => {
    const former = formerOf(alert, history)
    return former === null || isAtLeast(alert.severity, former.severity)
  })
}

/** What came before and after its gravest alert, to follow the iteration of that: `, a warning from 365 on, passed since`; empty where it stands as it was raised. */
export function courseWords({ alerts, gravest, newest }: Failure<Entry & Pick<Alert, 'iteration' | 'state'>>): string {
  const [first] = alerts
  const before =
    first && first !== gravest ? `, ${severityWords(first)} from ${first.iteration.toLocaleString('en')} on` : ''
  if (newest.state === 'resolved') return `${before}, passed since`
  return newest === gravest || newest.severity === gravest.severity
    ? before
    : `${before}, eased to ${severityWords(newest)} at ${newest.iteration.toLocaleString('en')}`
}

/** `a note`, `a warning`, `critical`. */
export function severityWords({ severity }: Pick<Alert, 'severity'>): string {
  return severity === 'critical' ? severity : `a ${SEVERITY_WORDS[severity]}`
}
