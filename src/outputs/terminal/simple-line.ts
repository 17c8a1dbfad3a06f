/**
 * The single line: what is least important goes first when there is no room; it never wraps.
 *
 * @module
 */
import type { DisplayState, SeriesRow } from './display-state.ts'
import { formatElapsed, formatInUnit, formatPace } from './format-value.ts'
import { progressBar } from './progress-bar.ts'
import { clipLine, type Line, lineWidth, type Span, span } from './spans.ts'
import { countWords, endWords, percentWords, SEVERITY_STYLE, shareDone } from './status-words.ts'
import { trendArrow } from './trend-arrow.ts'
import type { FrameView } from './view.ts'

const GAP = 2
const MIN_BAR = 10
const MAX_BAR = 28

interface Part {
  /** The lower, the longer it stays. */
  readonly rank: number
  /** The widest form first. */
  readonly forms: readonly Line[]
}

/** Iteration, share done, ETA, reward, KL, loss and alerts in at most `view.width` columns. */
export function simpleLine(state: DisplayState, view: FrameView, options: { readonly bar: boolean }): Line {
  const share = shareDone(state)
  const bar: Part[] =
    !options.bar || share === null || over(state) ? [] : [{ rank: 5, forms: [[span('-'.repeat(MIN_BAR))]] }]
  const chosen = choose([...beginning(state, view), ...bar, ...rest(state, share, view)], view.width)
  const room = Math.min(MAX_BAR, MIN_BAR + view.width - joinedWidth(chosen.map(([, form]) => form)))
  const lines = chosen.map(([part, form]) => (part === bar[0] ? progressBar(share!, room, view.glyphs) : form))
  const joined = lines.flatMap((line, i) => (i === 0 ? line : [span(' '.repeat(GAP)), ...line]))
  return clipLine(joined, view.width, view.glyphs)
}

function over(state: DisplayState): boolean {
  return state.status !== 'running' && state.status !== 'waiting'
}

function beginning(state: DisplayState, { glyphs }: FrameView): Part[] {
  const count = span(countWords(state), 'strong')
  if (!over(state)) return [{ rank: 0, forms: [[span('iteration ', 'dim'), count], [count]] }]
  return [
    { rank: 0, forms: [endWords(state, glyphs)] },
    { rank: 2, forms: [[count]] },
    labelled(6, 'took', formatElapsed(state.elapsedMs)),
  ]
}

function rest(state: DisplayState, share: number | null, view: FrameView): Part[] {
  const { glyphs } = view
  const running = !over(state)
  const parts: (Part | null)[] = [
    share === null || !running ? null : { rank: 3, forms: [[span(percentWords(share))]] },
    running && state.etaMs !== null ? labelled(4, 'ETA', formatElapsed(state.etaMs)) : null,
    running && state.etaMs === null && state.msPerIteration !== null
      ? { rank: 6, forms: [[span(formatPace(state.msPerIteration, glyphs), 'dim')]] }
      : null,
    state.reward && numberPart(2, 'reward', state.reward, view),
    state.kl && numberPart(4, 'KL', state.kl, view),
    state.loss && numberPart(7, 'loss', state.loss, view),
    alertPart(state, view),
  ]
  return parts.filter((part) => part !== null)
}

function labelled(rank: number, label: string, value: string): Part {
  return { rank, forms: [[span(`${label} `, 'dim'), span(value)]] }
}

function numberPart(rank: number, label: string, row: SeriesRow, { glyphs }: FrameView): Part {
  const value = span(formatInUnit(row.latest, row.unit, glyphs), Number.isFinite(row.latest) ? 'plain' : 'bad')
  const name = span(`${label} `, 'dim')
  const arrow: Span[] = row.trend === null ? [] : [span(' '), trendArrow(row.trend, row.badDirection, glyphs)]
  return {
    rank,
    forms: [
      [name, value, ...arrow],
      [name, value],
    ],
  }
}

function alertPart(state: DisplayState, { glyphs }: FrameView): Part | null {
  const newest = state.alerts[0]
  if (!newest) return null
  const { critical, warning, info } = state.alertCounts
  const count = critical + warning + info
  const style = SEVERITY_STYLE[critical > 0 ? 'critical' : warning > 0 ? 'warning' : 'info']
  const mark = span(`${glyphs.bullet} `, style)
  const title = newest.title.toLowerCase().replace(/^kl /, 'KL ')
  return {
    rank: 1,
    forms: [
      [mark, span(`${count} ${count === 1 ? 'alert' : 'alerts'}: ${title}`, style)],
      [mark, span(`${count} ${count === 1 ? 'alert' : 'alerts'}`, style)],
      [mark, span(String(count), style)],
    ],
  }
}

/** Takes parts in the order of their rank, each in the widest form that still leaves room for the narrowest of those before it. */
function choose(parts: readonly Part[], width: number): [Part, Line][] {
  const kept: Part[] = []
  for (const part of parts.toSorted((a, b) => a.rank - b.rank)) {
    const narrowest = [...kept, part].map(({ forms }) => forms.at(-1)!)
    if (kept.length === 0 || joinedWidth(narrowest) <= width) kept.push(part)
    else break
  }
  const forms = new Map(kept.map((part) => [part, part.forms.at(-1)!]))
  // The first part only gains a word, so it is widened last.
  for (const part of [...kept.slice(1), ...kept.slice(0, 1)]) {
    for (const form of part.forms) {
      forms.set(part, form)
      if (joinedWidth([...forms.values()]) <= width) break
    }
  }
  return parts.filter((part) => forms.has(part)).map((part) => [part, forms.get(part)!])
}

function joinedWidth(lines: readonly Line[]): number {
  return lines.reduce((sum, line) => sum + lineWidth(line), 0) + GAP * Math.max(0, lines.length - 1)
}
