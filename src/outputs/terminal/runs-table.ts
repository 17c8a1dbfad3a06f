/**
 * Many runs as a table: a row a run, those with critical alerts first.
 *
 * @module
 */
import { displayText } from './display-text.ts'
import { formatElapsed, formatInUnit } from './format-value.ts'
import { clipLine, fitLine, type Line, lineWidth, type Style, span } from './spans.ts'
import { type AlertCounts, alertCountWords, countStyle } from './status-words.ts'
import type { FrameView } from './view.ts'

/** Where a run is: `waiting` has no iteration yet, `quiet` has given nothing for long, `no end`: its log was read once and has none, `unreadable` has a problem. */
export type RunState =
  | 'reading'
  | 'waiting'
  | 'running'
  | 'quiet'
  | 'no end'
  | 'completed'
  | 'stopped'
  | 'failed'
  | 'crashed'
  | 'unreadable'

/** A number with its unit. */
export interface TableNumber {
  readonly value: number
  readonly unit: string
}

/** One run as a row. Texts may be anything. */
export interface RunRow {
  readonly name: string
  readonly state: RunState
  readonly iterations: number
  readonly total: number | null
  readonly reward: TableNumber | null
  readonly kl: TableNumber | null
  readonly alerts: AlertCounts
  /** Title of the gravest and newest alert that is not muted. */
  readonly alert: string | null
  /** Since the last news of it; null before any. */
  readonly ageMs: number | null
  /** What is wrong with reading it. */
  readonly problem: string | null
}

const STATE_STYLE: Readonly<Record<RunState, Style>> = {
  reading: 'dim',
  waiting: 'dim',
  running: 'plain',
  quiet: 'warn',
  'no end': 'dim',
  completed: 'good',
  stopped: 'warn',
  failed: 'bad',
  crashed: 'bad',
  unreadable: 'bad',
}
const ORDER: readonly RunState[] = [
  'unreadable',
  'failed',
  'crashed',
  'running',
  'reading',
  'quiet',
  'no end',
  'waiting',
  'stopped',
  'completed',
]
const GAP = 2
/** Columns of the parts beside the name and the alert. */
const WIDTHS = { state: 10, iteration: 11, reward: 9, kl: 9, age: 7 } as const
const MIN_NAME = 12
const MAX_NAME = 40
/** Width below which the numbers are left out. */
const NARROW = 72

/**
 * The table, a heading first, within the view; rows that do not fit are counted.
 *
 * @param asGiven keeps the order of the rows.
 */
export function runsTable(rows: readonly RunRow[], view: FrameView, asGiven = false): Line[] {
  const { width, height, glyphs } = view
  const ordered = asGiven
    ? rows
    : rows.toSorted(
        (a, b) =>
          b.alerts.critical - a.alerts.critical || ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || byName(a, b),
      )
  const narrow = width < NARROW
  const longest = Math.max(...rows.map(({ name }) => lineWidth([span(displayText(name, MAX_NAME * 2))])), MIN_NAME)
  const name = Math.min(longest, MAX_NAME, Math.max(MIN_NAME, Math.floor(width / 3)))
  const room = Math.max(1, height - 3)
  const fits = ordered.length <= room ? ordered : ordered.slice(0, room - 1)
  const columns = narrow
    ? ['run', 'state', 'iteration', 'alerts']
    : ['run', 'state', 'iteration', 'reward', 'KL', 'last', 'alerts']
  const lines: Line[] = [
    summary(rows),
    [],
    tableLine(columns.map((title): Line => [span(title, 'dim')])),
    ...fits.map((row) => tableLine(cells(row))),
  ]
  const left = ordered.length - fits.length
  if (left > 0) lines.push([span(`and ${left.toLocaleString('en')} more`, 'dim')])
  return lines.map((line) => clipLine(line, width, glyphs))

  function tableLine(parts: readonly Line[]): Line {
    const widths = narrow
      ? [name, WIDTHS.state, WIDTHS.iteration]
      : [name, WIDTHS.state, WIDTHS.iteration, WIDTHS.reward, WIDTHS.kl, WIDTHS.age]
    return parts.flatMap((part, i): Line => {
      const fixed = widths[i]
      if (fixed === undefined) return part
      const right = i >= 2
      return [...fitLine(part, fixed, glyphs, right ? 'right' : 'left'), span(' '.repeat(GAP))]
    })
  }

  function cells(row: RunRow): Line[] {
    const done = row.total === null ? String(row.iterations) : `${row.iterations}/${row.total}`
    const all: Line[] = [
      [span(displayText(row.name, MAX_NAME * 2), row.alerts.critical > 0 ? 'bad' : 'strong')],
      [span(row.state, STATE_STYLE[row.state])],
      [span(row.iterations > 0 ? done : '-')],
    ]
    if (!narrow) {
      for (const number of [row.reward, row.kl]) all.push([numberSpan(number, view)])
      all.push([span(row.ageMs === null ? '-' : formatElapsed(row.ageMs), 'dim')])
    }
    return [...all, said(row, view)]
  }
}

/** Order of names from a to z. */
export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}

function numberSpan(number: TableNumber | null, { glyphs }: FrameView) {
  if (number === null) return span('-', 'dim')
  return span(formatInUnit(number.value, number.unit, glyphs), Number.isFinite(number.value) ? 'plain' : 'bad')
}

/** A run's alerts, or what is wrong with it. */
function said(row: RunRow, { glyphs }: FrameView): Line {
  if (row.problem !== null) return [span(displayText(row.problem, 300), 'bad')]
  const counts = alertCountWords(row.alerts)
  if (counts === '') return []
  const style = countStyle(row.alerts)
  return [span(`${glyphs.bullet} `, style), span(row.alert === null ? counts : `${counts}: ${row.alert}`, style)]
}

function summary(rows: readonly RunRow[]): Line {
  const counts = new Map<RunState, number>()
  const alerts = { info: 0, warning: 0, critical: 0, muted: 0 }
  for (const row of rows) {
    counts.set(row.state, (counts.get(row.state) ?? 0) + 1)
    for (const part of ['info', 'warning', 'critical', 'muted'] as const) alerts[part] += row.alerts[part]
  }
  const states = ORDER.flatMap((state) => (counts.has(state) ? [`${counts.get(state)} ${state}`] : []))
  const words = alertCountWords(alerts)
  return [
    span('Telltale', 'strong'),
    span(` watches ${rows.length} ${rows.length === 1 ? 'run' : 'runs'}`),
    ...(states.length > 0 ? [span(`: ${states.join(', ')}`, 'dim')] : []),
    span('   '),
    span(words === '' ? 'no alerts' : words, countStyle(alerts)),
  ]
}
