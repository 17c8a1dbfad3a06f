/**
 * What `telltale doctor` says, as lines for people. Everything in it may come from a hostile log.
 *
 * @module
 */
import { KIND_TITLES } from '../outputs/report/words.ts'
import { iterationsWords, readStatusWords } from '../outputs/run-words.ts'
import { displayText } from '../outputs/terminal/display-text.ts'
import { type Glyphs, glyphsFor } from '../outputs/terminal/glyphs.ts'
import { type Line, renderLine, type Span, span, wrapLine } from '../outputs/terminal/spans.ts'
import { showsUnicode, sizeOf, type TerminalStream, wantsColor } from '../outputs/terminal/terminal-traits.ts'
import type { LoggingOption } from '../vocabulary/logging-options.ts'
import type { MachineCheck } from './doctor-machine.ts'
import type { Blind, DiagnosedRun } from './doctor-path.ts'

const MAX_WIDTH = 110
const MAX_WRAPPED = 12
const MAX_FILES = 12
const LABEL = 12

interface Page {
  readonly width: number
  readonly glyphs: Glyphs
}

export function machineText(
  checks: readonly MachineCheck[],
  stream: TerminalStream,
  env: NodeJS.ProcessEnv,
): readonly string[] {
  const page = pageOf(stream, env)
  const width = Math.max(...checks.map(({ what }) => what.length)) + 2
  const lines = checks.flatMap(({ what, state, said, todo }): Line[] => [
    ...labelled(what, width, [span(`${state.padEnd(9)}`, STATE_STYLE[state]), span(said)], page),
    ...(todo === undefined ? [] : labelled('', width + 9, [span(todo, 'dim')], page)),
  ])
  return render(lines, stream, env)
}

const STATE_STYLE = { ok: 'good', note: 'warn', problem: 'bad' } as const

export function runsText(
  runs: readonly DiagnosedRun[],
  stream: TerminalStream,
  env: NodeJS.ProcessEnv,
): readonly string[] {
  const page = pageOf(stream, env)
  return render(
    runs.flatMap((run): Line[] => [...runLines(run, page), []]),
    stream,
    env,
  )
}

function runLines(one: DiagnosedRun, page: Page): Line[] {
  const { run, files } = one
  const field = (label: string, spans: Line) => labelled(label, LABEL, spans, page)
  const head = `${displayText(run.run, 80)}  ${iterationsWords(run)}, ${readStatusWords(run.status)}`
  const places = files.length > 0 ? files : [{ format: run.source, path: run.path }]
  return [
    ...wrapLine([span(head, 'strong')], page.width, 2, page.glyphs),
    ...places.slice(0, MAX_FILES).flatMap(({ format, path }, i) => {
      const numbers = path === run.path && places.length > 1 ? '  its numbers are taken' : ''
      return field(i === 0 ? 'found' : '', [
        span(`${format.padEnd(14)}${displayText(path, 200)}`),
        span(numbers, 'dim'),
      ])
    }),
    ...(places.length > MAX_FILES ? field('', [span(`and ${places.length - MAX_FILES} more`, 'dim')]) : []),
    ...field('trainer', [span(trainerWords(one))]),
    ...field('judged as', [span(run.preset ?? run.mode)]),
    ...field('signals', [
      span(one.signals.length === 0 ? 'none that a detector reads' : one.signals.map(signalWords).join(', ')),
    ]),
    ...(one.unknown.length > 0
      ? field('unknown', [
          span(
            `${one.unknown
              .slice(0, 20)
              .map((name) => displayText(name, 60))
              .join(', ')}${one.unknown.length > 20 ? ', …' : ''}  (--map NAME=MEANING tells what one is)`,
            'dim',
          ),
        ])
      : []),
    ...field('can see', [
      span(
        one.works.length === 0 ? 'nothing' : one.works.map((kind) => KIND_TITLES[kind]).join(', '),
        one.works.length === 0 ? 'bad' : 'good',
      ),
    ]),
    ...one.blind.flatMap((blind, i) => blindLines(blind, i === 0 ? 'cannot see' : '', page)),
  ]
}

function trainerWords({ trainer, toldFrom }: DiagnosedRun): string {
  const told = toldFrom.length > 0 ? `, told from ${toldFrom.map((name) => displayText(name, 60)).join(', ')}` : ''
  if (trainer === 'trl-grpo' && told !== '')
    return `${trainer}${told}. RLOO logs the same names with other meanings: --trainer trl-rloo if it is that`
  if (trainer === 'own-loop') return `${trainer}: no names that tell a trainer (--trainer names one)`
  return `${trainer}${told}`
}

function signalWords({ canonical, original, estimator, reliability }: DiagnosedRun['signals'][number]): string {
  const name = canonical === original ? '' : ` ← ${displayText(original, 60)}`
  const marks = [estimator, reliability === 'exact' ? undefined : reliability].filter(Boolean).join(', ')
  return `${displayText(canonical, 60)}${name}${marks === '' ? '' : ` (${marks})`}`
}

function blindLines({ kinds, why, options, readIn }: Blind, label: string, page: Page): Line[] {
  const titles = kinds.map((kind) => KIND_TITLES[kind]).join(', ')
  return [
    ...labelled(label, LABEL, [span(titles, 'warn'), span(`: ${displayText(why, 400)}`)], page),
    ...options.flatMap((option) => labelled('', LABEL + 2, optionSpans(option, readIn), page)),
  ]
}

function optionSpans(option: LoggingOption, readIn: string): Line {
  if ('none' in option) return [span(option.none, 'dim')]
  const spans: Span[] = [span('turn on: '), span(option.set, 'strong')]
  const notes = [option.note, readIn === '' ? undefined : readIn].filter(Boolean).join('; ')
  return notes === '' ? spans : [...spans, span(`  (${notes})`, 'dim')]
}

function labelled(label: string, width: number, spans: Line, page: Page): Line[] {
  return wrapLine(spans, Math.max(20, page.width - width - 2), MAX_WRAPPED, page.glyphs).map(
    (line, i): Line => [span(`  ${(i === 0 ? label : '').padEnd(width)}`, 'dim'), ...line],
  )
}

function pageOf(stream: TerminalStream, env: NodeJS.ProcessEnv): Page {
  return { width: Math.min(MAX_WIDTH, sizeOf(stream).columns), glyphs: glyphsFor(showsUnicode(env)) }
}

function render(lines: readonly Line[], stream: TerminalStream, env: NodeJS.ProcessEnv): readonly string[] {
  const color = wantsColor(stream, env)
  return lines.map((line) => renderLine(line, color))
}
