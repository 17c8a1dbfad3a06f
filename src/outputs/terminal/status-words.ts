import type { Severity } from '../../detectors/detector.ts'
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

/** `1 critical, 2 warnings`; empty where there are none. */
export function alertCountWords(counts: Readonly<Record<Severity, number>>): string {
  const parts: string[] = []
  if (counts.critical > 0) parts.push(`${counts.critical} critical`)
  if (counts.warning > 0) parts.push(`${counts.warning} ${counts.warning === 1 ? 'warning' : 'warnings'}`)
  if (counts.info > 0) parts.push(`${counts.info} ${counts.info === 1 ? 'note' : 'notes'}`)
  return parts.join(', ')
}
