/**
 * What `telltale explain` says, as lines for people. Everything in it may come from a hostile log.
 *
 * @module
 */

import type { Alert, Severity } from '../detectors/detector.ts'
import { KIND_TITLES } from '../outputs/report/words.ts'
import { iterationsWords, readStatusWords } from '../outputs/run-words.ts'
import { SEVERITY_WORDS } from '../outputs/severity-words.ts'
import { displayText } from '../outputs/terminal/display-text.ts'
import { type Glyphs, glyphsFor } from '../outputs/terminal/glyphs.ts'
import { indentLines, type Line, renderLine, span, wrapLine } from '../outputs/terminal/spans.ts'
import { SEVERITY_STYLE } from '../outputs/terminal/status-words.ts'
import { showsUnicode, sizeOf, type TerminalStream, wantsColor } from '../outputs/terminal/terminal-traits.ts'
import { type ChartLevel, chart, number } from './chart.ts'
import type { ExplainedKind, ExplainedRun, ExplainedStatistic } from './explain-path.ts'

const MAX_WIDTH = 100
const MAX_WRAPPED = 6
const LEVELS: readonly { readonly severity: Severity; readonly style: ChartLevel['style'] }[] = [
  { severity: 'info', style: 'dim' },
  { severity: 'warning', style: 'warn' },
  { severity: 'critical', style: 'bad' },
]

interface Page {
  readonly width: number
  readonly glyphs: Glyphs
}

/** @param withCharts whether each statistic is drawn, and not only said. */
export function explainText(
  runs: readonly ExplainedRun[],
  withCharts: boolean,
  stream: TerminalStream,
  env: NodeJS.ProcessEnv,
): readonly string[] {
  const page: Page = { width: Math.min(MAX_WIDTH, sizeOf(stream).columns), glyphs: glyphsFor(showsUnicode(env)) }
  const color = wantsColor(stream, env)
  return runs.flatMap((run) => [...runLines(run, withCharts, page), []]).map((line) => renderLine(line, color))
}

function runLines({ run, kinds }: ExplainedRun, withCharts: boolean, page: Page): Line[] {
  const said = `${displayText(run.run, 80)}  ${iterationsWords(run)}, ${readStatusWords(run.status)}, judged by ${run.mode}${run.preset === null ? '' : `, ${run.preset}`}`
  const iterations = [firstOf(kinds), lastOf(kinds)] as const
  const watched = kinds.filter((kind) => kind.watched)
  const blind = kinds.filter((kind) => !kind.watched)
  return [
    ...wrapLine([span(said, 'strong')], page.width, 2, page.glyphs),
    ...indentLines(2, wrapLine([span(displayText(run.path, 200), 'dim')], page.width - 2, 3, page.glyphs)),
    ...watched.flatMap((kind, i) =>
      kindLines(kind, watched.slice(0, i).find(sameStatistics(kind)), withCharts, iterations, page),
    ),
    ...blind.flatMap((kind) => blindLines(kind, page)),
  ]
}

/** Whether the same is compared for another kind: what tells the two apart is the direction of the reward and which signals fall. */
function sameStatistics(kind: ExplainedKind) {
  const names = (one: ExplainedKind) => one.statistics.map(({ name }) => name).join(' ')
  return (other: ExplainedKind) => kind.statistics.length > 0 && names(other) === names(kind)
}

/** @param like an earlier kind for which the same is compared. */
function kindLines(
  kind: ExplainedKind,
  like: ExplainedKind | undefined,
  withCharts: boolean,
  iterations: readonly [number, number],
  page: Page,
): Line[] {
  const statistics = kind.statistics.filter(({ unit }) => unit !== 'iterations in a row')
  const rules = kind.statistics.filter(({ unit }) => unit === 'iterations in a row')
  const lines: Line[] = [heading(kind)]
  const why = worstOf(kind)?.reason
  if (why)
    lines.push(...indentLines(4, wrapLine([span(displayText(why, 600))], page.width - 4, MAX_WRAPPED, page.glyphs)))
  if (like) {
    const words = `judged by the same statistics as ${KIND_TITLES[like.kind].toLowerCase()}: the direction of the reward and the signals that fall tell them apart`
    return [...lines, ...indentLines(4, wrapLine([span(words, 'dim')], page.width - 4, 3, page.glyphs))]
  }
  for (const one of statistics) {
    lines.push(...indentLines(4, wrapLine([span(statisticWords(one))], page.width - 4, MAX_WRAPPED, page.glyphs)))
    if (withCharts && one.points.length > 1)
      lines.push(...indentLines(4, chart(one.points, levelsOf(one), iterations, page.width - 4, page.glyphs)))
  }
  if (rules.length > 0)
    lines.push(...indentLines(4, wrapLine([span(rulesWords(rules))], page.width - 4, 3, page.glyphs)))
  if (kind.statistics.length === 0) {
    const words = 'watched; nothing of it is a statistic that could be shown'
    lines.push(...indentLines(4, wrapLine([span(words, 'dim')], page.width - 4, 3, page.glyphs)))
  }
  return lines
}

function worstOf({ alerts }: ExplainedKind): Alert | null {
  return alerts.reduce<Alert | null>((a, b) => (a === null || rank(b) > rank(a) ? b : a), null)
}

function heading(kind: ExplainedKind): Line {
  const title = span(`  ${KIND_TITLES[kind.kind]}  `, 'strong')
  const worst = worstOf(kind)
  if (worst === null) return [title, span('no alert', 'good')]
  return [
    title,
    span(
      `${SEVERITY_WORDS[worst.severity]} at iteration ${worst.iteration.toLocaleString('en')}`,
      SEVERITY_STYLE[worst.severity],
    ),
  ]
}

function rank({ severity }: Alert): number {
  return LEVELS.findIndex((level) => level.severity === severity)
}

/** What came nearest, of what it takes. */
function statisticWords({ what, unit, after, largest, thresholds }: ExplainedStatistic): string {
  if (largest === null)
    return `${what}: not compared yet, which begins after ${after} iterations that log what it takes`
  const { info = Number.POSITIVE_INFINITY, warning = Number.POSITIVE_INFINITY, critical = 0 } = thresholds
  const at = `${number(largest.value)} ${unit} at iteration ${largest.iteration.toLocaleString('en')}`
  if (largest.value >= critical) return `${what}: reached ${at}, where ${number(critical)} is critical`
  const next =
    largest.value >= warning
      ? `a warning; ${number(critical)} would be critical`
      : largest.value >= info
        ? `a note; ${number(warning)} would be a warning, ${number(critical)} critical`
        : `below a note at ${number(info)}; a warning takes ${number(warning)}, a critical alert ${number(critical)}`
  return `${what}: at most ${at}: ${next}`
}

/** Rules that were never broken need one line together. */
function rulesWords(rules: readonly ExplainedStatistic[]): string {
  const broken = rules.filter(({ largest }) => (largest?.value ?? 0) > 0)
  const quiet = rules.length - broken.length
  const said = broken.map(
    ({ name, largest, thresholds }) =>
      `${name} was broken ${inARow(largest!.value)} up to ${largest!.iteration.toLocaleString('en')}, where ${thresholds.critical} are critical`,
  )
  if (quiet > 0)
    said.push(
      `${quiet === 1 ? `the rule ${rules.find((one) => !broken.includes(one))!.name} was` : `${quiet} rules were`} never broken`,
    )
  return said.join('; ')
}

function inARow(iterations: number): string {
  return iterations === 1 ? 'in one iteration' : `${iterations.toLocaleString('en')} iterations in a row`
}

function blindLines({ kind, why }: ExplainedKind, page: Page): Line[] {
  return [
    [span(`  ${KIND_TITLES[kind]}  `, 'strong'), span('not watched', 'warn')],
    ...indentLines(4, wrapLine([span(displayText(why ?? '', 400), 'dim')], page.width - 4, 3, page.glyphs)),
  ]
}

function levelsOf({ thresholds }: ExplainedStatistic): ChartLevel[] {
  return LEVELS.flatMap(({ severity, style }) => {
    const value = thresholds[severity]
    return value === undefined ? [] : [{ label: SEVERITY_WORDS[severity], value, style }]
  })
}

function firstOf(kinds: readonly ExplainedKind[]): number {
  const all = kinds.flatMap(({ statistics }) =>
    statistics.map(({ points }) => points[0]?.[0] ?? Number.POSITIVE_INFINITY),
  )
  const first = Math.min(...all)
  return Number.isFinite(first) ? first : 0
}

function lastOf(kinds: readonly ExplainedKind[]): number {
  return Math.max(0, ...kinds.flatMap(({ statistics }) => statistics.map(({ points }) => points.at(-1)?.[0] ?? 0)))
}
