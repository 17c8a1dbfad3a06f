import type { AlertBasis, AlertKind, Severity, SimpleAdvice } from './report-input.ts'
import { KIND_TITLES, SIMPLE_ADVICE_WORDS } from './words.ts'

/** The kinds of failure, as values: outputs take only types from the detectors. */
export const ALERT_KINDS = Object.keys(KIND_TITLES) as [AlertKind, ...AlertKind[]]

/** The severities, rising. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const satisfies readonly Severity[]

/** Where an alert's threshold can come from. */
export const ALERT_BASES = ['threshold', 'calibrated', 'rule'] as const satisfies readonly AlertBasis[]

/** The advice without numbers. */
export const SIMPLE_ADVICE = Object.keys(SIMPLE_ADVICE_WORDS) as [SimpleAdvice, ...SimpleAdvice[]]
