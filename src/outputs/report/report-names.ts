import type { AlertKind, Severity } from './report-input.ts'
import { KIND_TITLES } from './words.ts'

/** The kinds of failure, as values: outputs take only types from the detectors. */
export const ALERT_KINDS = Object.keys(KIND_TITLES) as [AlertKind, ...AlertKind[]]

/** The severities, rising. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const satisfies readonly Severity[]
