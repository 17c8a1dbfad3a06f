import { metricTables } from '../content/metrics.ts'
import { ppoTables } from '../content/ppo.ts'
import { madeBy } from '../content/run.ts'
import { formatNumber, plural } from '../format.ts'
import type { TrainingReport } from '../report.ts'
import { type Html, html, htmlTable, htmlWords, shortened } from './html.ts'

const MAX_SETTINGS = 300
const MAX_SETTING = 300
/** Levels of the configuration that are shown as dotted names; what is deeper is shown as JSON. */
const MAX_LEVELS = 4

/** Every series in numbers. */
export function metricsPart(report: TrainingReport): Html {
  const { introduction, headline, further, more, remarks } = metricTables(report)
  return html`<section id="metrics" aria-labelledby="metrics-title">
<h2 id="metrics-title">Metrics</h2>
${headline || further ? html`<p>${introduction}</p>` : html`<p>No metric was logged.</p>`}
${headline && htmlTable(headline, 'Headline metrics')}
${further && html`<details class="further"${!headline && html` open`}><summary>${plural(further.rows.length, 'further metric')}</summary>${htmlTable(further, 'Further metrics')}</details>`}
${more > 0 && html`<p>${plural(more, 'further series', 'further series')} in <code>training_report.json</code>.</p>`}
${remarks.length > 0 && html`<ul class="aside">${remarks.map((words) => html`<li>${htmlWords(words)}</li>`)}</ul>`}
</section>`
}

/** The mechanics of PPO, where they were recorded. */
export function ppoPart(mechanics: NonNullable<TrainingReport['ppoMechanics']>): Html {
  const { summary, history } = ppoTables(mechanics)
  return html`<section id="ppo" aria-labelledby="ppo-title">
<h2 id="ppo-title">PPO mechanics</h2>
${htmlTable(summary, 'Summary of the mechanics of PPO')}
${history && html`<h3>Over the run</h3>${htmlTable(history, 'Mechanics of PPO over the run')}`}
</section>`
}

/** How the run was configured, and how it was watched. */
export function configurationPart({ configuration, leftOut }: TrainingReport): Html {
  const { verbosity, detection, training } = configuration
  const thresholds = detection ? Object.entries(detection.thresholds) : []
  const settings = [...leaves(training)].slice(0, MAX_SETTINGS + 1)
  const table = (entries: readonly (readonly [string, string])[], label: string): Html =>
    htmlTable(
      {
        columns: [{ heading: ['Setting'] }, { heading: ['Value'] }],
        rows: entries.map(([name, value]) => [[{ code: name }], [{ text: value, limit: MAX_SETTING }]]),
      },
      label,
    )
  return html`<section id="configuration" aria-labelledby="configuration-title">
<h2 id="configuration-title">Configuration</h2>
<h3>Training</h3>
${settings.length > 0 ? table(settings.slice(0, MAX_SETTINGS), 'Configuration of the training') : html`<p>The trainer gave none.</p>`}
${settings.length > MAX_SETTINGS && html`<p>More in <code>training_report.json</code>.</p>`}
${leftOut.configuration && html`<p class="aside">Some of the configuration was no plain data and was left out.</p>`}
<h3>Monitoring</h3>
${table(
  [
    ['verbosity', verbosity],
    ['detection', detection ? detection.mode : 'none'],
    ...thresholds.map(([name, value]) => [`thresholds.${name}`, formatNumber(value)] as const),
  ],
  'Configuration of the monitoring',
)}
</section>`
}

/** What the page was made by, and what it leaves out. */
export function footerPart(report: TrainingReport): Html {
  const { metrics, characters } = report.leftOut
  const left = [
    ...(metrics > 0 ? [plural(metrics, 'series', 'series')] : []),
    ...(characters > 0 ? [plural(characters, 'character')] : []),
  ]
  return html`<footer>
${left.length > 0 && html`<p>Left out, because there was more than a report holds: ${left.join(' and ')}.</p>`}
<p>Made by ${htmlWords(madeBy(report))}. The same as data: <code>training_report.json</code>, schema ${report.schemaVersion}.</p>
</footer>`
}

/** The settings under dotted names. */
function* leaves(value: unknown, path: readonly string[] = []): Generator<readonly [string, string]> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && path.length < MAX_LEVELS) {
    for (const [name, inner] of Object.entries(value)) yield* leaves(inner, [...path, shortened(name, 100)])
  } else if (path.length > 0) {
    yield [path.join('.'), typeof value === 'string' ? value : (JSON.stringify(value) ?? '')]
  }
}
