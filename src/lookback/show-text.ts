/**
 * One stored run in words: how it went, its alerts, its numbers with their curves, its settings.
 *
 * @module
 */

import { courseWords, failuresOf } from '../outputs/failures.ts'
import { formatDuration, formatNumber, formatTime } from '../outputs/report/format.ts'
import { adviceWords, certaintyWords, KIND_TITLES, onsetWords } from '../outputs/report/words.ts'
import { iterationsWords, NO_END } from '../outputs/run-words.ts'
import { SEVERITY_WORDS } from '../outputs/severity-words.ts'
import { displayText } from '../outputs/terminal/display-text.ts'
import { formatInUnit } from '../outputs/terminal/format-value.ts'
import { type Glyphs, glyphsFor } from '../outputs/terminal/glyphs.ts'
import { indentLines, type Line, renderLine, span, wrapLine } from '../outputs/terminal/spans.ts'
import { sparkline } from '../outputs/terminal/sparkline.ts'
import { alertCountWords, countAlerts, SEVERITY_STYLE } from '../outputs/terminal/status-words.ts'
import { showsUnicode, sizeOf, type TerminalStream, wantsColor } from '../outputs/terminal/terminal-traits.ts'
import { lastHeardWords } from '../stores/mark-crashed.ts'
import type { RunStore, StoredRun, StoredSeries } from '../stores/store.ts'
import { type AfterOnset, afterOnset, wallSeconds } from './after-onset.ts'
import { gpusOfRun } from './gpus-of-run.ts'
import { standOf } from './stand-of-run.ts'

const MAX_WIDTH = 110
const MAX_SERIES = 60
const MAX_ALERTS = 20
const MAX_SETTINGS = 40
const SPARK_COLUMNS = 32
const MAX_WRAPPED = 6

interface Page {
  readonly width: number
  readonly glyphs: Glyphs
}

/** @param gpus how many the run had, where its settings do not say. */
export function showText(
  run: StoredRun,
  store: RunStore,
  nowUnixSeconds: number,
  stream: TerminalStream,
  env: NodeJS.ProcessEnv,
  gpus?: number | undefined,
): readonly string[] {
  const page: Page = { width: Math.min(MAX_WIDTH, sizeOf(stream).columns), glyphs: glyphsFor(showsUnicode(env)) }
  const color = wantsColor(stream, env)
  const lines = [
    ...headLines(run, nowUnixSeconds, page),
    [],
    ...alertLines(run, store, page),
    ...afterLines(run, store, gpus, page),
    [],
    ...seriesLines(run, store, page),
    [],
    ...settingLines(run, page),
  ]
  return lines.map((line) => renderLine(line, color))
}

function headLines(run: StoredRun, nowUnixSeconds: number, page: Page): Line[] {
  const { startedUnixSeconds } = run
  const stand = standOf(run, nowUnixSeconds)
  const wall = wallSeconds(run)
  // Flat lines have no time; an earlier version stored 0.
  const began = startedUnixSeconds ? `, begun ${formatTime(startedUnixSeconds)}` : ''
  const took = wall === null ? '' : `, ${formatDuration(1000 * wall)}`
  return [
    [span(displayText(run.name, 100), 'strong'), span(`  ${stand === 'no end' ? NO_END : stand}`)],
    ...indentLines(
      2,
      wrapLine(
        [
          span(
            `${iterationsWords(run)}${began}${took}, ${run.trainer}${run.preset === null ? '' : `, judged as ${run.preset}`}`,
          ),
        ],
        page.width - 2,
        2,
        page.glyphs,
      ),
    ),
    ...indentLines(2, wrapLine([span(displayText(run.path, 200), 'dim')], page.width - 2, 2, page.glyphs)),
    ...processLines(run, page),
    ...holeLines(run, page),
    ...(run.tags.length > 0 ? indentLines(2, [[span(`tags: ${displayText(run.tags.join(', '), 200)}`)]]) : []),
    ...run.notes.flatMap(({ text, unixSeconds }) => {
      const when = new Date(1000 * unixSeconds).toISOString().slice(0, 10)
      return indentLines(
        2,
        wrapLine([span(`${when}  `, 'dim'), span(displayText(text, 2000))], page.width - 2, MAX_WRAPPED, page.glyphs),
      )
    }),
    ...(run.checkpoints.length > 0
      ? indentLines(2, [[span(`checkpoints: ${run.checkpoints.slice(-8).join(', ')}`, 'dim')]])
      : []),
    ...(run.attempts.length > 1
      ? indentLines(2, [
          [span(`attempt ${run.attempts.length}, from iteration ${run.attempts.at(-1)!.fromIteration}`, 'dim')],
        ])
      : []),
  ]
}

function holeLines({ missingLines }: StoredRun, page: Page): Line[] {
  if (missingLines === 0) return []
  const said = `${missingLines.toLocaleString('en')} ${missingLines === 1 ? 'line' : 'lines'} of its log never came`
  return indentLines(2, wrapLine([span(said, 'warn')], page.width - 2, 2, page.glyphs))
}

function processLines(run: StoredRun, page: Page): Line[] {
  const { process, status } = run
  if (process === null) return []
  const { host, pid, command, git, versions } = process
  const gone = status === 'crashed' ? `; it is gone without an end of the run${lastHeardWords(run)}` : ''
  const said = [
    `process ${pid} of ${host}${gone}`,
    command,
    git === null ? '' : `commit ${git.commit.slice(0, 12)}${git.dirty ? ', with changes that are not in it' : ''}`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  ].filter((text) => text !== '')
  return said.flatMap((text) =>
    indentLines(2, wrapLine([span(displayText(text, 600), 'dim')], page.width - 2, 3, page.glyphs)),
  )
}

function alertLines(run: StoredRun, store: RunStore, page: Page): Line[] {
  const alerts = store.alerts(run.key)
  if (alerts.length === 0) return [[span('No alerts', 'good')]]
  const counts = alertCountWords(countAlerts(alerts))
  const failures = failuresOf(alerts)
  const shown = failures.slice(0, MAX_ALERTS)
  const left = failures.length - shown.length
  return [
    [span('Alerts', 'strong'), span(`  ${counts}`, 'dim')],
    ...shown.flatMap((failure) => {
      const alert = failure.gravest
      const what: Line = [
        span(
          `${page.glyphs.bullet} ${SEVERITY_WORDS[alert.severity]}${alert.muted ? ', muted' : ''}`,
          alert.muted ? 'dim' : SEVERITY_STYLE[alert.severity],
        ),
        span(
          ` ${KIND_TITLES[alert.kind]}, iteration ${alert.iteration.toLocaleString('en')}${courseWords(failure)}  `,
          'strong',
        ),
        span(displayText(alert.reason, 600)),
      ]
      const more = [
        onsetWords(alert.onset),
        certaintyWords(alert),
        ...alert.advice.map((advice) => adviceWords(advice)),
      ].join('; ')
      return [
        ...indentLines(2, wrapLine(what, page.width - 2, MAX_WRAPPED, page.glyphs)),
        ...indentLines(
          2,
          indentLines(2, wrapLine([span(displayText(more, 600), 'dim')], page.width - 4, MAX_WRAPPED, page.glyphs)),
        ),
      ]
    }),
    ...(left > 0 ? indentLines(2, [[span(`and ${left} more: --json shows all`, 'dim')]]) : []),
  ]
}

/** What it cost that the run went on. */
function afterLines(run: StoredRun, store: RunStore, gpus: number | undefined, page: Page): Line[] {
  const after = afterOnset(run, store, gpus)
  if (after === null || after.hours === 0) return []
  const about = after.how === 'interpolated' ? 'about ' : ''
  const went = run.status === 'running' && run.followed ? 'has gone on' : 'went on'
  const text = `After the onset at iteration ${formatNumber(after.iteration)} the run ${went} for ${about}${formatDuration(3_600_000 * after.hours)}${costWords(after, run, gpus)}`
  return indentLines(2, wrapLine([span(text)], page.width - 2, 3, page.glyphs))
}

function costWords({ gpuHours, gpus }: AfterOnset, run: StoredRun, said: number | undefined): string {
  if (gpuHours === null || gpus === null) return '; on how many GPUs is not known: --gpus N counts GPU-hours'
  const by = said === undefined ? gpusOfRun(run.config)?.by : undefined
  const hours = gpuHours < 0.01 ? 'less than 0.01' : formatNumber(Number(gpuHours.toPrecision(3)))
  return `, ${hours} GPU-hours on ${gpus === 1 ? '1 GPU' : `${formatNumber(gpus)} GPUs`}${by === undefined ? '' : `, by ${displayText(by, 120)}`}`
}

function seriesLines(run: StoredRun, store: RunStore, page: Page): Line[] {
  const all = store.series(run.key)
  const width = Math.min(40, Math.max(6, ...all.slice(0, MAX_SERIES).map(({ name }) => displayText(name, 40).length)))
  const left = all.length - MAX_SERIES
  return [
    [span(`${'Series'.padEnd(width + 2)}${'first'.padStart(10)}${'last'.padStart(11)}`, 'strong')],
    ...all.slice(0, MAX_SERIES).map((series) => seriesLine(run, store, series, width, page)),
    ...(left > 0 ? indentLines(2, [[span(`and ${left} more: --json shows all`, 'dim')]]) : []),
  ]
}

function seriesLine(run: StoredRun, store: RunStore, series: StoredSeries, width: number, { glyphs }: Page): Line {
  const buckets = store.zoom(run.key, series.name, { buckets: SPARK_COLUMNS })
  const ends = [series.firstIteration, series.lastIteration].map(
    (at) => store.points(run.key, series.name, { from: at, to: at }).values[0],
  )
  const said = ends.map((value) => (value === undefined ? '' : formatInUnit(value, series.unit, glyphs)))
  const curve = sparkline(
    buckets.map(({ mean }) => mean),
    SPARK_COLUMNS,
    glyphs,
  )
  return [
    span(displayText(series.name, 40).padEnd(width + 2)),
    span(`${said[0]!.padStart(10)} ${said[1]!.padStart(10)}  `),
    span(curve, 'dim'),
    span(series.unit === '' ? '' : `  ${displayText(series.unit, 20)}`, 'dim'),
  ]
}

function settingLines(run: StoredRun, page: Page): Line[] {
  const settings = Object.entries(run.config).filter(([, value]) => value !== null && typeof value !== 'object')
  if (settings.length === 0) return []
  const text = settings
    .slice(0, MAX_SETTINGS)
    .map(([name, value]) => `${displayText(name, 60)}=${displayText(String(value), 60)}`)
    .join(', ')
  const left = settings.length - MAX_SETTINGS
  return [
    [span('Settings', 'strong')],
    ...indentLines(2, wrapLine([span(left > 0 ? `${text}, and ${left} more` : text)], page.width - 2, 20, page.glyphs)),
  ]
}
