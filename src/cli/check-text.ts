/**
 * What `telltale check` found, as lines for people. Everything in it may come from a hostile log.
 *
 * @module
 */

import type { CheckedPath } from '../check/check-path.ts'
import type { CheckedRun } from '../check/run-check.ts'
import type { Alert } from '../detectors/detector.ts'
import { courseWords, type Failure, failuresOf } from '../outputs/failures.ts'
import { unwatchedKinds, unwatchedWords } from '../outputs/report/coverage-words.ts'
import { adviceWords, certaintyWords, KIND_TITLES, mutedWords, onsetWords } from '../outputs/report/words.ts'
import { iterationsWords, readStatusWords } from '../outputs/run-words.ts'
import { SEVERITY_WORDS } from '../outputs/severity-words.ts'
import { displayText } from '../outputs/terminal/display-text.ts'
import { type Glyphs, glyphsFor } from '../outputs/terminal/glyphs.ts'
import { indentLines, type Line, renderLine, span, wrapLine } from '../outputs/terminal/spans.ts'
import { alertCountWords, countAlerts, countStyle, SEVERITY_STYLE } from '../outputs/terminal/status-words.ts'
import { showsUnicode, sizeOf, type TerminalStream, wantsColor } from '../outputs/terminal/terminal-traits.ts'

const MAX_ALERTS = 20
const MAX_DAMAGED = 5
const SAMPLE_CHARACTERS = 160
const MAX_WIDTH = 120
const MAX_WRAPPED = 8

/** How lines are made for a stream. */
interface Page {
  readonly width: number
  readonly glyphs: Glyphs
  readonly color: boolean
}

/** The text of one path's runs, as lines for a stream. */
export function checkText(checked: CheckedPath, stream: TerminalStream, env: NodeJS.ProcessEnv): readonly string[] {
  const page: Page = {
    width: Math.min(MAX_WIDTH, sizeOf(stream).columns),
    glyphs: glyphsFor(showsUnicode(env)),
    color: wantsColor(stream, env),
  }
  const lines = [...checked.runs.flatMap((run) => [...runLines(run, page), []]), ...damagedLines(checked, page)]
  return lines.map((line) => renderLine(line, page.color))
}

function runLines(run: CheckedRun, page: Page): Line[] {
  const counts = countAlerts(run.alerts)
  const verdict = alertCountWords(counts) || 'no alerts'
  const judged = run.preset === null ? run.mode : `${run.mode}, ${run.preset}`
  const said = `${displayText(run.run, 80)}  ${iterationsWords(run)}, ${readStatusWords(run.status)}, judged by ${judged}`
  const head: Line = [span(said, 'strong'), span('  '), span(verdict, countStyle(counts))]
  const muted = run.alerts.filter((alert) => alert.muted)
  const heard = failuresOf(run.alerts).filter(({ gravest }) => !gravest.muted)
  const shown = heard.slice(0, MAX_ALERTS)
  const left = heard.length - shown.length
  return [
    ...wrapLine(head, page.width, 2, page.glyphs),
    ...indentLines(2, [[span(displayText(run.path, 200), 'dim')]]),
    ...shown.flatMap((failure) => alertLines(failure, page)),
    ...(left > 0 ? indentLines(2, [[span(`and ${left} further alerts: --json shows all`, 'dim')]]) : []),
    ...mutedLines(muted, page),
    ...stopLines(run, page),
    ...unwatchedLines(run, page),
  ]
}

/** What, since when, how sure, which answers, what to do. */
function alertLines(failure: Failure<Alert>, page: Page): Line[] {
  const alert = failure.gravest
  const what: Line = [
    span(`${page.glyphs.bullet} ${SEVERITY_WORDS[alert.severity]}`, SEVERITY_STYLE[alert.severity]),
    span(
      ` ${KIND_TITLES[alert.kind]}, iteration ${alert.iteration.toLocaleString('en')}${courseWords(failure)}  `,
      'strong',
    ),
    span(displayText(alert.reason, 600)),
  ]
  return [
    ...indentLines(2, wrapLine(what, page.width - 2, MAX_WRAPPED, page.glyphs)),
    ...labelled('since', onsetWords(alert.onset).replace(/^since /, ''), page),
    ...labelled('how sure', certaintyWords(alert), page),
    ...alert.samples
      .slice(0, 1)
      .flatMap((sample) => [
        ...labelled('prompt', displayText(sample.prompt, SAMPLE_CHARACTERS), page),
        ...labelled(`at ${sample.baselineIteration}`, displayText(sample.original, SAMPLE_CHARACTERS), page),
        ...labelled(`at ${sample.iteration}`, displayText(sample.updated, SAMPLE_CHARACTERS), page),
      ]),
    ...alert.advice.flatMap((advice, i) =>
      labelled(i === 0 ? 'what to do' : '', displayText(adviceWords(advice), 400), page),
    ),
  ]
}

/** In short, all in one: whoever mutes a kind knows it, and wants to see that it is still there. */
function mutedLines(alerts: readonly Alert[], page: Page): Line[] {
  if (alerts.length === 0) return []
  const said: Line = [span('muted: ', 'strong'), span(mutedWords(alerts))]
  return indentLines(2, wrapLine(said, page.width - 2, MAX_WRAPPED, page.glyphs))
}

function stopLines({ stop }: CheckedRun, page: Page): Line[] {
  if (stop === null) return []
  const back = stop.rollbackTo === null ? 'no checkpoint from before the onset' : `checkpoint ${stop.rollbackTo}`
  return indentLines(
    2,
    wrapLine(
      [
        span(
          `Would have been stopped after iteration ${stop.iteration.toLocaleString('en')}; roll back to: ${back}`,
          'strong',
        ),
      ],
      page.width - 2,
      2,
      page.glyphs,
    ),
  )
}

function unwatchedLines({ coverage }: CheckedRun, page: Page): Line[] {
  const blind = unwatchedKinds(coverage)
  if (blind.length === 0) return []
  return [
    ...indentLines(2, [[span('Not watched:', 'warn')]]),
    ...blind.flatMap((entry) =>
      wrapLine([span(displayText(unwatchedWords(entry), 400), 'dim')], page.width - 4, 3, page.glyphs).map(
        (line): Line => [span('    '), ...line],
      ),
    ),
  ]
}

function damagedLines({ damaged, repeated, missing }: CheckedPath, page: Page): Line[] {
  const lines: Line[] = []
  if (damaged.count > 0) {
    lines.push([
      span(`${damaged.count.toLocaleString('en')} ${damaged.count === 1 ? 'line' : 'lines'} set aside:`, 'warn'),
    ])
    for (const { path, lineNumber, offset, problem } of damaged.lines.slice(0, MAX_DAMAGED)) {
      const place = lineNumber === undefined ? `byte ${offset.toLocaleString('en')}` : `${lineNumber}`
      const text = `${displayText(path, 200)}:${place}: ${displayText(problem, 200)}`
      lines.push(...indentLines(2, wrapLine([span(text, 'dim')], page.width - 2, 2, page.glyphs)))
    }
    const left = damaged.count - Math.min(damaged.lines.length, MAX_DAMAGED)
    if (left > 0) lines.push(...indentLines(2, [[span(`and ${left.toLocaleString('en')} more`, 'dim')]]))
  }
  if (repeated > 0) lines.push([span(`${repeated.toLocaleString('en')} lines were met again and left out`, 'dim')])
  if (missing > 0) lines.push([span(`${missing.toLocaleString('en')} lines are missing from the log`, 'warn')])
  return lines
}

function labelled(label: string, text: string, page: Page): Line[] {
  const indent = 16
  return wrapLine([span(text)], Math.max(10, page.width - indent), MAX_WRAPPED, page.glyphs).map(
    (line, i): Line => [span((i === 0 ? `    ${label}` : '').padEnd(indent), 'dim'), ...line],
  )
}
