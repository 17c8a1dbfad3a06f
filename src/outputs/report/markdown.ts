/**
 * The Markdown report: a pure function of the report's data, for the person who comes in the morning and must decide.
 *
 * @module
 */
import { metricTables } from './content/metrics.ts'
import { madeBy, runFacts, troubleLines } from './content/run.ts'
import { plural } from './format.ts'
import { alertsSection } from './markdown-alerts.ts'
import { ppoSection } from './markdown-ppo.ts'
import { sampleChangesSection } from './markdown-samples.ts'
import { markdownTable } from './markdown-table.ts'
import { inlineText, markdownWords } from './markdown-text.ts'
import type { TrainingReport } from './report.ts'

/** The report as Markdown, with a newline at its end. */
export function renderMarkdown(report: TrainingReport): string {
  const sections = [
    '# Training Report',
    summarySection(report),
    metricsSection(report),
    plotsSection(report),
    alertsSection(report),
    sampleChangesSection(report),
    ...(report.ppoMechanics ? [ppoSection(report.ppoMechanics)] : []),
    footer(report),
  ]
  return `${sections.join('\n\n')}\n`
}

function summarySection(report: TrainingReport): string {
  const trouble = troubleLines(report).map((words) => `- ${markdownWords(words)}`)
  return [
    '## Summary',
    ...report.summary.text.map((paragraph) =>
      inlineText(paragraph, 4000).replace(/^(?:What to do|How sure):/, (lead) => `**${lead}**`),
    ),
    runFacts(report)
      .map(({ label, words }) => `- ${label}: ${markdownWords(words)}`)
      .join('\n'),
    ...(trouble.length > 0 ? ['### What was not in order', trouble.join('\n')] : []),
  ].join('\n\n')
}

function metricsSection(report: TrainingReport): string {
  const { introduction, headline, further, more, remarks } = metricTables(report)
  if (!headline && !further) return '## Metrics\n\nNo metric was logged.'
  return [
    '## Metrics',
    introduction,
    ...(headline ? [markdownTable(headline)] : []),
    ...(headline && further ? ['### Further metrics'] : []),
    ...(further ? [markdownTable(further)] : []),
    ...(more > 0 ? [`${plural(more, 'further series', 'further series')} in \`training_report.json\`.`] : []),
    ...(remarks.length > 0 ? [remarks.map((words) => `- ${markdownWords(words)}`).join('\n')] : []),
  ].join('\n\n')
}

function plotsSection({ plots }: TrainingReport): string {
  if (plots.length === 0) return '## Plots\n\nNo plots were drawn beside this report.'
  return [
    '## Plots',
    ...plots.map(({ file, title, caption }) => `![${title}](${file})\n\n*${title}: ${caption}*`),
  ].join('\n\n')
}

function footer(report: TrainingReport): string {
  return `---\n\nThe same as data: [training_report.json](training_report.json) (schema ${report.schemaVersion}). Made by ${markdownWords(madeBy(report))}.`
}
