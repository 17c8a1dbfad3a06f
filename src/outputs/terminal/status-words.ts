import type { Alert, Severity } from '../../detectors/detector.ts'
import { failuresOf } from '../failures.ts'
import type { DisplayState } from './display-state.ts'
import type { Glyphs } from './glyphs.ts'
import { type Line, type Style, span } from './spans.ts'

/** The colour of each severity. */
export const SEVERITY_STYLE: Readonly<Record<Severity, Style>> = { info: 'accent', warning: 'warn', critical: 'bad' }

/** The share of the run that is done, 0 to 1, or null where its length is unknown. */
export function shareDone(state: DisplayState): number | null {
  return state.total === null ? null : Math.min(1, state.done / state.total)
}

/** `37/120`, or `37` for a run of unknown length. */
export function countWords(state: DisplayState): string {
  return state.total === null ? String(state.done) : `${state.done}/${state.total}`
}

/** `31 %`: never 100 before the end, never 0 once something is done. */
export function percentWords(share: number): string {
  const percent = Math.floor(share * 100)
  return `${share > 0 ? Math.max(1, percent) : percent} %`
}

/** How a run that is over ended: `completed 120/120`. */
export function endWords(state: DisplayState, glyphs: Glyphs): Line {
  if (state.status === 'completed') return [span(`${glyphs.done} `, 'good'), span('completed', 'strong')]
  if (state.status === 'failed') return [span(`${glyphs.stopped} `, 'bad'), span('failed', 'bad')]
  return [span(`${glyphs.stopped} `, 'warn'), span('stopped', 'strong')]
}

/** How many alerts there are of each severity, and how many that are muted. */
export interface AlertCounts extends Readonly<Record<Severity, number>> {
  readonly muted: number
}

/** Counts failures, each at the gravest that it was; a muted one counts as that alone, whatever its severity. */
export function countAlerts(
  alerts: readonly Pick<Alert, 'id' | 'kind' | 'severity' | 'replaces' | 'muted'>[],
): AlertCounts {
  const counts = { info: 0, warning: 0, critical: 0, muted: 0 }
  for (const {
    gravest: { severity, muted },
  } of failuresOf(alerts))
    if (muted) counts.muted++
    else if (Object.hasOwn(counts, severity)) counts[severity]++
  return counts
}

/** The style of the gravest alert that is counted; where there are only muted ones, or none, that of what needs no look. */
export function countStyle({ critical, warning, info, muted }: AlertCounts): Style {
  if (critical > 0) return SEVERITY_STYLE.critical
  if (warning > 0) return SEVERITY_STYLE.warning
  if (info > 0) return SEVERITY_STYLE.info
  return muted > 0 ? 'dim' : 'good'
}

/** `1 critical, 2 warnings, 1 muted`, or `1 alert, muted` where all are; empty where there are none. */
export function alertCountWords(counts: AlertCounts): string {
  const parts: string[] = []
  if (counts.critical > 0) parts.push(`${counts.critical} critical`)
  if (counts.warning > 0) parts.push(`${counts.warning} ${counts.warning === 1 ? 'warning' : 'warnings'}`)
  if (counts.info > 0) parts.push(`${counts.info} ${counts.info === 1 ? 'note' : 'notes'}`)
  const { muted } = counts
  if (muted > 0) parts.push(parts.length > 0 ? `${muted} muted` : `${muted} ${muted === 1 ? 'alert' : 'alerts'}, muted`)
  return parts.join(', ')
}
