import type { AlertView, CoverageView, DisplayState } from './display-state.ts'
import type { Glyphs } from './glyphs.ts'
import { heading } from './sections.ts'
import { type Line, type Span, span, wrapLine, wrapText } from './spans.ts'
import { alertCountWords, SEVERITY_STYLE } from './status-words.ts'

const INDENT = 2

/** The newest alerts: what was seen, when, and what to do. */
export function alertLines(state: DisplayState, width: number, glyphs: Glyphs): Line[] {
  if (state.alerts.length === 0) {
    return state.coverage === null ? [] : [heading('Alerts', [span('none', 'dim')], width, glyphs)]
  }
  const counts = alertCountWords(state.alertCounts)
  return [
    heading('Alerts', [span(counts, 'dim')], width, glyphs),
    ...state.alerts.flatMap((alert, i) => alertBlock(alert, width, glyphs, i === 0)),
  ]
}

/** One alert in some lines; the older ones, and those that are over, without advice. */
export function alertBlock(alert: AlertView, width: number, glyphs: Glyphs, whole: boolean): Line[] {
  const style = alert.resolved ? 'dim' : SEVERITY_STYLE[alert.severity]
  const said: Span[] = [
    span(`${glyphs.bullet} ${alert.severity}`, style),
    span(` iteration ${alert.iteration}${alert.resolved ? ', over' : ''}  `, 'dim'),
    span(alert.reason === '' ? alert.title : alert.reason, alert.resolved ? 'dim' : 'plain'),
  ]
  const lines = indented(wrapLine(said, width - INDENT, whole ? 3 : 1, glyphs))
  if (!whole || alert.resolved) return lines
  return [...lines, ...adviceLines(alert.advice, width, glyphs)]
}

/** What to do, a piece of advice a line. */
function adviceLines(advice: readonly string[], width: number, glyphs: Glyphs): Line[] {
  return advice.slice(0, 3).flatMap((sentence) => {
    const wrapped = wrapText(sentence, width - INDENT * 2, 2, glyphs)
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

/** What is not watched and why, in at most two lines. */
export function coverageLines(coverage: CoverageView | null, begun: boolean, width: number, glyphs: Glyphs): Line[] {
  if (coverage === null || !begun) return []
  if (coverage.unwatched.length === 0) {
    if (coverage.watched.length === 0) return []
    return wrapLine([span('Watched: ', 'dim'), span(inProse(coverage.watched), 'dim')], width, 2, glyphs)
  }
  const reasons = coverage.unwatched.map(({ title, missing }) => `${inProse([title])} (no ${missing.join(', no ')})`)
  return wrapLine([span('Not watched: ', 'warn'), span(reasons.join('; '), 'dim')], width, 2, glyphs)
}

function inProse(titles: readonly string[]): string {
  return titles.map((title) => title.replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase())).join(', ')
}
