/**
 * Runs beside each other, as lines for people. Everything in it may come from a hostile log.
 *
 * @module
 */
import { failuresOf } from '../outputs/failures.ts'
import { KIND_TITLES } from '../outputs/report/words.ts'
import { loggedWords } from '../outputs/run-words.ts'
import { displayText } from '../outputs/terminal/display-text.ts'
import { formatInUnit } from '../outputs/terminal/format-value.ts'
import { type Glyphs, glyphsFor } from '../outputs/terminal/glyphs.ts'
import { fitLine, indentLines, type Line, renderLine, span, wrapLine } from '../outputs/terminal/spans.ts'
import { sparkline } from '../outputs/terminal/sparkline.ts'
import { showsUnicode, sizeOf, type TerminalStream, wantsColor } from '../outputs/terminal/terminal-traits.ts'
import type { RunComparison, SeriesComparison } from './compare-runs.ts'
import { markAnswers } from './mark-answers.ts'
import { headlinesFirst } from './series-order.ts'
import { standOf } from './stand-of-run.ts'
import { wordDiffLine } from './word-diff.ts'

const MAX_WIDTH = 160
const LABEL = 26
const MIN_COLUMN = 18
const MAX_COLUMN = 34
const MAX_SERIES = 40
const MAX_SETTINGS = 40
const MAX_ALERTS = 6
/** Columns of an answer that stands beside others, at the least, and between two of them. */
const MIN_CELL = 34
const CELL_GAP = 3
const MAX_ANSWER_LINES = 20
const SERIES_HEADING = 'Series, mean of the last third; * where it differs from the first run beyond chance (95 %)'

interface Page {
  readonly width: number
  readonly column: number
  readonly glyphs: Glyphs
  readonly color: boolean
}

export function compareText(
  comparison: RunComparison,
  nowUnixSeconds: number,
  stream: TerminalStream,
  env: NodeJS.ProcessEnv,
): readonly string[] {
  const width = Math.min(MAX_WIDTH, sizeOf(stream).columns)
  const column = Math.max(MIN_COLUMN, Math.min(MAX_COLUMN, Math.floor((width - LABEL) / comparison.runs.length)))
  const color = wantsColor(stream, env)
  const page: Page = { width, column, glyphs: glyphsFor(showsUnicode(env)), color }
  return [
    ...headLines(comparison, nowUnixSeconds, page),
    ...settingLines(comparison, page),
    ...seriesLines(comparison, page),
    ...answerLines(comparison, page),
  ].map((line) => renderLine(line, color))
}

function headLines({ runs, alerts }: RunComparison, nowUnixSeconds: number, page: Page): Line[] {
  const row = (label: string, cells: readonly string[]) =>
    rowOf(
      label,
      cells.map((cell): Line => [span(cell)]),
      page,
    )
  const failures = alerts.map((some) => failuresOf(some).map(({ gravest }) => gravest))
  const told = failures.map((some) => some.filter(({ severity, muted }) => severity !== 'info' && !muted))
  const most = Math.min(MAX_ALERTS, Math.max(0, ...told.map(({ length }) => length)))
  return [
    rowOf(
      '',
      runs.map(({ name }): Line => [span(displayText(name, page.column - 2), 'strong')]),
      page,
    ),
    row(
      'status',
      runs.map((run) => standOf(run, nowUnixSeconds)),
    ),
    row(
      'iterations',
      runs.map(({ iterations }) => iterations.toLocaleString('en')),
    ),
    ...(runs.some((run) => loggedWords(run, '') !== '')
      ? [
          row(
            'of them logged',
            runs.map(({ loggedIterations }) => loggedIterations?.toLocaleString('en') ?? ''),
          ),
        ]
      : []),
    row(
      'trainer',
      runs.map(({ trainer }) => trainer),
    ),
    row(
      'alerts',
      failures.map((some) =>
        some.length === 0
          ? 'none'
          : `${some.filter(({ severity, muted }) => severity === 'critical' && !muted).length} critical of ${some.length}`,
      ),
    ),
    ...Array.from({ length: most }, (_, i) =>
      row(
        '',
        told.map((some) => (some[i] ? `${KIND_TITLES[some[i].kind]} at ${some[i].iteration}` : '')),
      ),
    ),
  ]
}

function settingLines({ settings }: RunComparison, page: Page): Line[] {
  const heading: Line = [
    span(settings.length === 0 ? 'No setting differs, of those that are known' : 'Settings that differ', 'strong'),
  ]
  const left = settings.length - MAX_SETTINGS
  return [
    [],
    ...wrapLine(heading, page.width, 2, page.glyphs),
    ...settings.slice(0, MAX_SETTINGS).map(({ name, values }) =>
      rowOf(
        displayText(name, LABEL - 2),
        values.map(
          (value): Line => [
            span(value === null ? '-' : displayText(value, page.column - 2), value === null ? 'dim' : 'plain'),
          ],
        ),
        page,
      ),
    ),
    ...(left > 0 ? [[span(`  and ${left} more: --json shows all`, 'dim')]] : []),
  ]
}

function seriesLines({ series }: RunComparison, page: Page): Line[] {
  const ordered = headlinesFirst(series)
  const left = ordered.length - MAX_SERIES
  return [
    [],
    ...wrapLine([span(SERIES_HEADING, 'strong')], page.width, 2, page.glyphs),
    ...ordered.slice(0, MAX_SERIES).map((one) =>
      rowOf(
        displayText(one.name, LABEL - 2),
        one.levels.map((_, i) => seriesCell(one, i, page)),
        page,
      ),
    ),
    ...(left > 0 ? [[span(`  and ${left} more: --json shows all`, 'dim')]] : []),
  ]
}

/** Level, mark and curve; all curves of a row have one scale. */
function seriesCell(
  { levels, differences, curves, unit }: SeriesComparison,
  i: number,
  { column, glyphs }: Page,
): Line {
  const difference = differences[i]
  const differs = difference ? difference.interval[0] > 0 || difference.interval[1] < 0 : false
  const text = formatInUnit(levels[i]!.mean, unit, glyphs)
  const room = column - 13
  const scale = curves.flat().filter(Number.isFinite)
  const curve =
    room < 4 || scale.length === 0 ? '' : onScale(curves[i]!, Math.min(...scale), Math.max(...scale), room, glyphs)
  return [span(text.padStart(9)), span(differs ? '* ' : '  ', 'warn'), span(curve, 'dim')]
}

/** A sparkline between two ends that others have, too: they are put beside it, and cut off again. */
function onScale(values: readonly number[], low: number, high: number, columns: number, glyphs: Glyphs): string {
  const width = Math.ceil(values.length / columns)
  const means: number[] = []
  for (let from = 0; from < values.length; from += width) {
    const piece = values.slice(from, from + width).filter(Number.isFinite)
    means.push(piece.length === 0 ? Number.NaN : piece.reduce((sum, value) => sum + value / piece.length, 0))
  }
  const ended = means.findLastIndex((value) => !Number.isNaN(value)) + 1
  return sparkline([low, high, ...means.slice(0, ended)], ended + 2, glyphs).slice(2)
}

function answerLines({ answers, runs }: RunComparison, page: Page): Line[] {
  if (answers.length === 0) return []
  const legend = wordDiffLine(
    [
      { kind: 'removed', text: 'only in the first run' },
      { kind: 'added', text: 'not in the first run' },
    ],
    page.color,
  )
  return [
    [],
    ...wrapLine([span('Newest answers to the same prompts: ', 'strong'), ...legend], page.width, 2, page.glyphs),
    ...answers.flatMap(({ prompt, answers: some }) => [
      ...indentLines(2, wrapLine([span(displayText(prompt, 400), 'dim')], page.width - 2, 3, page.glyphs)),
      ...indentLines(4, sideBySide(answerCells(some, runs, page), page.width - 4, page)),
    ]),
  ]
}

/** An answer's head and its words, which may still be broken into lines of any width. */
interface AnswerCell {
  readonly head: Line
  readonly words: Line
}

/** Beside each other where the page has room for it, or else one below the other. */
function sideBySide(cells: readonly AnswerCell[], width: number, page: Page): Line[] {
  const column = Math.floor((width - CELL_GAP * (cells.length - 1)) / cells.length)
  const beside = column >= MIN_CELL
  const room = beside ? column : width
  const blocks = cells.map(({ head, words }) => [
    ...wrapLine(head, room, 2, page.glyphs),
    ...(beside
      ? wrapLine(words, room, MAX_ANSWER_LINES, page.glyphs)
      : indentLines(2, wrapLine(words, room - 2, MAX_ANSWER_LINES, page.glyphs))),
  ])
  if (!beside) return blocks.flat()
  const height = Math.max(...blocks.map((lines) => lines.length))
  return Array.from({ length: height }, (_, i) =>
    blocks.flatMap(
      (lines, at): Line => [
        ...(at > 0 ? [span(' '.repeat(CELL_GAP))] : []),
        ...fitLine(lines[i] ?? [], column, page.glyphs),
      ],
    ),
  )
}

function answerCells(
  some: RunComparison['answers'][number]['answers'],
  runs: RunComparison['runs'],
  { color, glyphs }: Page,
): readonly AnswerCell[] {
  const marked = markAnswers(some.map(({ response }) => response))
  return some.map(({ iteration, response, reward }, i) => {
    const rewarded = Number.isNaN(reward) ? '' : `, reward ${formatInUnit(reward, '', glyphs)}`
    const words = wordDiffLine(marked[i]!, color)
    const same = i > 0 && response === some[0]!.response
    return {
      head: [span(`${displayText(runs[i]!.name, 24)} at ${iteration}${rewarded}:`, 'dim')],
      words: same ? [span('(the same as the first)', 'dim')] : words.length === 0 ? [span('(empty)', 'dim')] : words,
    }
  })
}

function rowOf(label: string, cells: readonly Line[], { column, width, glyphs }: Page): Line {
  const fitted = cells.flatMap((cell) => fitLine(cell, column, glyphs))
  return fitLine([...fitLine([span(`  ${label}`, 'dim')], LABEL, glyphs), ...fitted], width, glyphs)
}
