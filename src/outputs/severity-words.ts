import type { Severity } from '../detectors/detector.ts'

/** What people read for a severity; programs read the severity itself. */
export const SEVERITY_WORDS: Readonly<Record<Severity, string>> = {
  info: 'note',
  warning: 'warning',
  critical: 'critical',
}
