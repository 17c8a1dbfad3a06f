import { unwatchedKinds, unwatchedWords } from './coverage-words.ts'
import { formatNumber, formatQuantity, plural } from './format.ts'
import { markdownTable } from './markdown-table.ts'
import { code, inlineText, quoted } from './markdown-text.ts'
import type { ReportAlert, TrainingReport } from './report.ts'
import { adviceWords, certaintyWords, KIND_TITLES, onsetWords } from './words.ts'

const RANK = { critical: 0, warning: 1, info: 2 } as const
const MAX_ALERTS = 30

/** "Quality Alerts": each alert with its evidence, the most serious first, then what was watched and what was not. */
export function alertsSection(report: TrainingReport): string {
  const { alerts } = report
  const sorted = alerts.toSorted((a, b) => RANK[a.severity] - RANK[b.severity] || a.iteration - b.iteration)
  const parts = ['## Quality Alerts']
  if (report.coverage === null) {
    parts.push('Nothing was watched: no analyzer was attached to the run. That there are no alerts says nothing.')
    return parts.join('\n\n')
  }
  if (alerts.length === 0) parts.push('No alerts.')
  parts.push(...sorted.slice(0, MAX_ALERTS).map((alert) => oneAlert(alert, report)))
  if (sorted.length > MAX_ALERTS) {
    parts.push(`${plural(sorted.length - MAX_ALERTS, 'further alert')} in \`training_report.json\`.`)
  }
  parts.push(coveragePart(report.coverage))
  return parts.join('\n\n')
}

function oneAlert(alert: ReportAlert, report: TrainingReport): string {
  const [first] = alert.series
  const unit = (first === undefined ? undefined : report.metrics[first]?.unit) ?? ''
  const state = alert.state === 'resolved' ? ', passed since' : ''
  const lines = [
    `- What: ${inlineText(alert.reason, 500)}`,
    `- Since when: ${onsetWords(alert.onset)}; raised after iteration ${formatNumber(alert.iteration)}${state}`,
    `- How sure: ${inlineText(certaintyWords(alert), 500)}`,
    `- Evidence: ${alert.series.map(code).join(', ') || 'no series'}; seen ${formatQuantity(short(alert.observed), unit)}, where ${formatQuantity(short(alert.expected), unit)} would have been in order`,
    `- Samples: ${alert.samples.length > 0 ? 'the most changed answers of that time, below' : 'none to show'}`,
    alert.advice.length === 0
      ? '- What to do: look at the evidence'
      : `- What to do:\n${alert.advice.map((advice, i) => `  ${i + 1}. ${adviceWords(advice)}`).join('\n')}`,
  ]
  const samples = alert.samples.map(
    ({ prompt, original, updated, baselineIteration, iteration, rewards }) =>
      `Prompt: ${inlineText(prompt, 200)}\n\nIteration ${formatNumber(baselineIteration)}${scored(rewards?.[0])}:\n\n${quoted(original, 300)}\n\nIteration ${formatNumber(iteration)}${scored(rewards?.[1])}:\n\n${quoted(updated, 300)}`,
  )
  return [
    `### ${alert.severity.toUpperCase()}: ${KIND_TITLES[alert.kind]} (${code(alert.id)})`,
    lines.join('\n'),
    ...samples,
  ].join('\n\n')
}

function scored(reward: number | undefined): string {
  return reward === undefined ? '' : ` (reward ${formatNumber(short(reward))})`
}

function coveragePart(coverage: NonNullable<TrainingReport['coverage']>): string {
  const rows = coverage
    .slice(0, 50)
    .map(({ detector, kind, kinds = [kind], needs, missing, unfit = [] }) => [
      kinds.map((one) => KIND_TITLES[one]).join(', '),
      code(detector),
      missing.length === 0 ? 'yes' : '**no**',
      needs.map((need) => alternatives(need)).join(' and '),
      [
        missing.map((need) => alternatives(need)).join(' and ') || '–',
        ...unfit.map(({ series, why }) => `${code(series)} is logged, but ${inlineText(why, 200)}`),
      ].join('; '),
    ])
  const heading = '### What was watched'
  if (rows.length === 0) return `${heading}\n\nNothing: the analyzer has no detectors.`
  const columns = ['Failure', 'Detector', 'Watched', 'Needs', 'Never logged'].map((name) => ({ heading: name }))
  const blind = unwatchedKinds(coverage).map((entry) => `- ${inlineText(unwatchedWords(entry), 500)}`)
  const list = blind.length === 0 ? [] : [`Not watched, and why:\n\n${blind.join('\n')}`]
  return [heading, ...list, markdownTable(columns, rows)].join('\n\n')
}

/** `a | b | c` as alternatives in words. */
function alternatives(need: string): string {
  const names = need.split(' | ').map((name) => code(name))
  if (names.length === 1) return names[0]!
  const more = names.length > 3 ? ` (or ${formatNumber(names.length - 3)} more)` : ''
  return `one of ${names.slice(0, 3).join(', ')}${more}`
}

function short(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(3)) : value
}
