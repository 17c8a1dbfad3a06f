/**
 * The panel: header, metrics, mechanics of PPO, alerts, the newest sample change and what is not watched, cut to the screen.
 *
 * @module
 */
import type { DisplayState } from './display-state.ts'
import { formatElapsed, formatPace } from './format-value.ts'
import { alertLines, coverageLines } from './panel-alerts.ts'
import { sampleLines } from './panel-sample.ts'
import { seriesGrid, seriesTable } from './panel-series.ts'
import { progressBar } from './progress-bar.ts'
import { besides, type Section, stackSections } from './sections.ts'
import { clipLine, fitLine, type Line, lineWidth, type Span, span, wrapLine } from './spans.ts'
import { countWords, endWords, percentWords, shareDone } from './status-words.ts'
import type { FrameView } from './view.ts'

/** Beyond this a panel only stretches. */
const MAX_WIDTH = 200
/** From here on two columns stand side by side. */
const TWO_COLUMNS = 128
const GUTTER = 4
const MIN_BAR = 8
const MAX_BAR = 48

/** The panel in at most `view.height` lines of at most `view.width` columns. */
export function panel(state: DisplayState, view: FrameView): Line[] {
  const { height, glyphs, color } = view
  const width = Math.min(MAX_WIDTH, view.width)
  const header: Section = { lines: headerLines(state, width, view), least: 2, good: 4, rank: 0 }
  const untold = state.done > 0 ? coverageLines(state.coverage, width, height < 16 ? 1 : 2, glyphs) : []
  const coverage: Section = { lines: untold, least: untold.length, good: untold.length, rank: 5 }
  const rows = tableRows(state, height)
  const note = [span(`${state.seriesCount} series`, 'dim')]
  const wide = width >= TWO_COLUMNS
  const left = wide ? Math.floor((width - GUTTER) * 0.54) : width
  const right = wide ? width - GUTTER - left : width

  const metrics = seriesTable('Metrics', rows, note, left, glyphs)
  const mechanics = wide
    ? seriesTable('PPO mechanics', state.mechanics, [], right, glyphs)
    : seriesGrid('PPO mechanics', state.mechanics, right, glyphs)
  const alerts = alertLines(state, left, glyphs)
  const sample = sampleLines(state.sample, right, height < 36 ? 1 : 2, color, glyphs)
  const sections: Section[] = wide
    ? [
        header,
        { lines: pair(metrics, mechanics, left, glyphs), least: 5, good: 9, rank: 1 },
        { lines: pair(alerts, sample, left, glyphs), least: 3, good: 5, rank: 2 },
        coverage,
      ]
    : [
        header,
        { lines: metrics, least: 3, good: 8, rank: 1 },
        { lines: mechanics, least: 2, good: 4, rank: 3 },
        { lines: alerts, least: 3, good: 4, rank: 2 },
        { lines: sample, least: 4, good: 4, rank: 4 },
        coverage,
      ]
  return stackSections(sections, height)
    .slice(0, height)
    .map((line) => clipLine(line, width, glyphs))
}

/** On a small screen the rows at the end would only push out the other sections. */
function tableRows(state: DisplayState, height: number): DisplayState['series'] {
  return state.series.slice(0, Math.max(3, Math.floor(height * 0.45)))
}

function pair(left: readonly Line[], right: readonly Line[], leftWidth: number, glyphs: FrameView['glyphs']): Line[] {
  if (left.length === 0) return [...right]
  if (right.length === 0) return [...left]
  return besides(left, right, leftWidth, GUTTER, glyphs)
}

function headerLines(state: DisplayState, width: number, { glyphs }: FrameView): Line[] {
  const over = state.status !== 'running' && state.status !== 'waiting'
  const status: Line = over ? endWords(state, glyphs) : [span(state.status, 'dim')]
  const name: Span[] = [span('Telltale', 'strong')]
  if (state.runId !== null) name.push(span(`  ${state.runId}`, 'dim'))
  const room = width - lineWidth(status) - 2
  const title = room > 8 ? [...fitLine(name, room, glyphs), span('  '), ...status] : clipLine(name, width, glyphs)
  const lines: Line[] = [title, progressLine(state, over, width, glyphs)]
  // Mostly it stops because of an alert, which stands below.
  const told = state.alerts.some(({ reason }) => reason === state.why)
  if (over && state.why !== null && !told) lines.push(...wrapLine([span(state.why)], width, 2, glyphs))
  return lines
}

function progressLine(state: DisplayState, over: boolean, width: number, glyphs: FrameView['glyphs']): Line {
  const share = shareDone(state)
  const fact = (label: string, value: string): Line => [span(`${label} `, 'dim'), span(value)]
  const facts: Line[] = [
    ...(share === null ? [] : [[span(percentWords(share), 'strong')]]),
    ...(over || state.etaMs === null ? [] : [fact('ETA', formatElapsed(state.etaMs))]),
    fact(over ? 'took' : 'elapsed', formatElapsed(state.elapsedMs)),
    ...(state.msPerIteration === null ? [] : [[span(formatPace(state.msPerIteration, glyphs))]]),
  ]
  const gap = span('   ')
  const count: Line = [span('iteration ', 'dim'), span(countWords(state), 'strong')]
  const widthOf = (lines: readonly Line[]): number => lines.reduce((sum, line) => sum + 3 + lineWidth(line), 0)
  const room = (): number => width - lineWidth(count) - widthOf(facts) - 3
  // The bar before the third fact, the second fact before the bar.
  while (facts.length > 2 && room() < (share === null ? 0 : MIN_BAR)) facts.pop()
  while (facts.length > 1 && room() < 0) facts.pop()
  const bar = share === null || room() < MIN_BAR ? [] : [gap, ...progressBar(share, Math.min(MAX_BAR, room()), glyphs)]
  return [...count, ...bar, ...facts.flatMap((line) => [gap, ...line])]
}
