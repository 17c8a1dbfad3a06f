import { SEVERITY_WORDS } from '../severity-words.ts'
import { alertFacts, coverageTable, mutedFact, rewardWords, sortedAlerts, unwatchedList } from './content/alerts.ts'
import { formatNumber, plural } from './format.ts'
import { markdownTable } from './markdown-table.ts'
import { code, inlineText, markdownWords, quoted } from './markdown-text.ts'
import type { ReportAlert, TrainingReport } from './report.ts'
import { adviceWords, KIND_TITLES } from './words.ts'

const MAX_ALERTS = 30

/** "Quality Alerts": each alert with its evidence, the most serious first, then what was watched and what was not. */
export function alertsSection(report: TrainingReport): string {
  const sorted = sortedAlerts(report)
  const parts = ['## Quality Alerts']
  if (report.coverage === null) {
    parts.push('Nothing was watched: no analyzer was attached to the run. That there are no alerts says nothing.')
    return parts.join('\n\n')
  }
  const muted = mutedFact(report)
  if (sorted.length === 0) parts.push(muted ? 'No alerts but muted ones.' : 'No alerts.')
  parts.push(...sorted.slice(0, MAX_ALERTS).map((alert) => oneAlert(alert, report)))
  if (sorted.length > MAX_ALERTS) {
    parts.push(`${plural(sorted.length - MAX_ALERTS, 'further alert')} in \`training_report.json\`.`)
  }
  if (muted) parts.push(`**${muted.label}:** ${markdownWords(muted.words)}`)
  const coverage = coverageTable(report.coverage)
  const unwatched = unwatchedList(report.coverage).map((words) => `- ${markdownWords(words)}`)
  parts.push('### What was watched')
  if (unwatched.length > 0) parts.push(`Not watched, and why:\n\n${unwatched.join('\n')}`)
  parts.push(coverage ? markdownTable(coverage) : 'Nothing: the analyzer has no detectors.')
  return parts.join('\n\n')
}

function oneAlert(alert: ReportAlert, report: TrainingReport): string {
  const lines = [
    ...alertFacts(alert, report).map(({ label, words }) => `- ${label}: ${markdownWords(words)}`),
    `- Samples: ${alert.samples.length > 0 ? 'the most changed answers of that time, below' : 'none to show'}`,
    alert.advice.length === 0
      ? '- What to do: look at the evidence'
      : `- What to do:\n${alert.advice.map((advice, i) => `  ${i + 1}. ${adviceWords(advice, report.run.checkpoints)}`).join('\n')}`,
  ]
  const samples = alert.samples.map(
    ({ prompt, original, updated, baselineIteration, iteration, charactersLeftOut, rewards }) =>
      `Prompt: ${inlineText(prompt, 200)}\n\nIteration ${formatNumber(baselineIteration)}${rewardWords(rewards?.[0])}:\n\n${quoted(original, 300, charactersLeftOut.original)}\n\nIteration ${formatNumber(iteration)}${rewardWords(rewards?.[1])}:\n\n${quoted(updated, 300, charactersLeftOut.updated)}`,
  )
  return [
    `### ${SEVERITY_WORDS[alert.severity].toUpperCase()}: ${KIND_TITLES[alert.kind]} (${code(alert.id)})`,
    lines.join('\n'),
    ...samples,
  ].join('\n\n')
}
