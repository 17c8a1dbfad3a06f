import { SEVERITY_WORDS } from '../severity-words.ts'
import type { AlertView, CoverageView, DisplayState } from './display-state.ts'
import type { Glyphs } from './glyphs.ts'
import { heading } from './sections.ts'
import { clipLine, type Line, type Span, span, wrapLine, wrapText } from './spans.ts'
import { alertCountWords, SEVERITY_STYLE } from './status-words.ts'

const INDENT = 2
const NARROW = 60

/** The newest alerts: what was seen, when, and what to do. */
export function alertLines(state: DisplayState, width: number, glyphs: Glyphs): Line[] {
  const { muted } = state.alertCounts
  if (state.alerts.length === 0 && muted === 0) {
    return state.coverage === null ? [] : [heading('Alerts', [span('none', 'dim')], width, glyphs)]
  }
  const counts = alertCountWords({ ...state.alertCounts, muted: 0 })
  return [
    heading('Alerts', [span(counts === '' ? 'none but muted ones' : counts, 'dim')], width, glyphs),
    ...mutedLine(state, width, glyphs),
    ...state.alerts.flatMap((alert, i) =>
      alertBlock(alert, width, glyphs, i === 0 ? { reason: 2, advice: 1 } : { reason: 1, advice: 0 }),
    ),
  ]
}

/** How many alerts are muted, of which kinds: one line, in a place where a small screen does not cut it off. */
function mutedLine({ alertCounts: { muted }, mutedKinds }: DisplayState, width: number, glyphs: Glyphs): Line[] {
  if (muted === 0) return []
  const said = `${muted === 1 ? '1 alert is' : `${muted} alerts are`} muted: ${inProse(mutedKinds)}`
  return [clipLine([span(said, 'dim')], width, glyphs)]
}

/** One alert: its reason and each piece of advice in at most so many lines. What is over needs no advice. */
export function alertBlock(
  alert: AlertView,
  width: number,
  glyphs: Glyphs,
  maxLines: { readonly reason: number; readonly advice: number },
): Line[] {
  const style = alert.resolved ? 'dim' : SEVERITY_STYLE[alert.severity]
  const said: Span[] = [
    span(`${glyphs.bullet} ${SEVERITY_WORDS[alert.severity]}`, style),
    span(` ${width < NARROW ? 'it' : 'iteration'} ${alert.iteration}${alert.course}  `, 'dim'),
    span(alert.reason === '' ? alert.title : alert.reason, alert.resolved ? 'dim' : 'plain'),
  ]
  const lines = indented(wrapLine(said, width - INDENT, maxLines.reason, glyphs))
  if (alert.resolved || maxLines.advice === 0) return lines
  return [...lines, ...adviceLines(alert.advice, width, maxLines.advice, glyphs)]
}

function adviceLines(advice: readonly string[], width: number, maxLines: number, glyphs: Glyphs): Line[] {
  return advice.slice(0, 3).flatMap((sentence) => {
    const wrapped = wrapText(sentence, width - INDENT * 2, maxLines, glyphs)
    return wrapped.map(
      (line, i): Line => [
        span(i === 0 ? `${' '.repeat(INDENT)}${glyphs.arrow} ` : ' '.repeat(INDENT * 2), 'accent'),
        span(line),
      ],
    )
  })
}

/** All lines but the first moved in. */
function indented(lines: readonly Line[]): Line[] {
  return lines.map((line, i) => (i === 0 ? line : [span(' '.repeat(INDENT)), ...line]))
}

/** What is not watched and why. */
export function coverageLines(coverage: CoverageView | null, width: number, maxLines: number, glyphs: Glyphs): Line[] {
  if (coverage === null) return []
  if (coverage.unwatched.length === 0) {
    if (coverage.watched.length === 0) return []
    return wrapLine([span('Watched: ', 'dim'), span(inProse(coverage.watched), 'dim')], width, maxLines, glyphs)
  }
  const reasons = coverage.unwatched.map(({ title, why }) => `${inProse([title])} (${why})`)
  return wrapLine([span('Not watched: ', 'warn'), span(reasons.join('; '), 'dim')], width, maxLines, glyphs)
}

function inProse(titles: readonly string[]): string {
  return titles.map((title) => title.replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase())).join(', ')
}
