// docs/scenarios.md and its pictures, from the recorded runs.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import UPNG from 'upng-js'
import { SCENARIO_DEFINITIONS, SCENARIOS } from '../../dist/demo/scenarios.js'
import { ends, partsAt } from './compare.mjs'
import { draw } from './figure.mjs'
import { RUN, record } from './record.mjs'
import { replay } from './replay.mjs'
import { TEXTS } from './texts.mjs'

/** Charts have few colours; a palette makes a file a third as large. */
const PALETTE = 48

/** Series in which runs are looked at for where they part: what a trainer logs. The judge's own score is not among them. */
const WATCHED = [
  'reward/score',
  'kl_ref/token',
  'entropy/token',
  'length/mean',
  'length/clip_ratio',
  'value/explained_variance',
  'value/head_update_norm',
  'loss/value',
  'adv/reward_corr',
  'ppo/approx_kl',
  'ppo/approx_kl_first',
  'ppo/ratio_first',
  'ppo/clip_fraction',
  'grad/norm',
  'quality/ref_perplexity',
  'quality/distinct_2',
  'quality/repetition',
]

/**
 * Records what is missing, draws and writes.
 *
 * @returns the files, relative to the root.
 */
export async function writeScenarios(root, say) {
  const folder = join(root, 'build', 'scenarios')
  const images = join(root, 'docs', 'images', 'scenarios')
  mkdirSync(images, { recursive: true })
  const recorded = await record(SCENARIOS, folder, say)
  const runs = {}
  for (const scenario of SCENARIOS) runs[scenario] = await replay(folder, scenario)
  const files = []
  for (const scenario of SCENARIOS) {
    const { series } = TEXTS[scenario]
    const png = await draw({ scenario, series, healthy: runs.healthy.store, ...runs[scenario] })
    writeFileSync(join(images, `${scenario}.png`), withPalette(png))
    files.push(`docs/images/scenarios/${scenario}.png`)
  }
  writeFileSync(join(root, 'docs', 'scenarios.md'), markdown(runs, recorded))
  return [...files, 'docs/scenarios.md']
}

function withPalette(png) {
  const image = UPNG.decode(png)
  return Buffer.from(UPNG.encode(UPNG.toRGBA8(image), image.width, image.height, PALETTE))
}

function markdown(runs, recorded) {
  const once = (key) => [...new Set(Object.values(recorded).map((one) => one[key]))].join(', ')
  const rows = SCENARIOS.map((scenario) => {
    const { analyzer, defaultAnalyzer } = runs[scenario]
    const first = scenario === 'healthy' ? '' : parting(runs, scenario).slice(0, 2).map(inWords).join(', ')
    return `| [${scenario}](#${scenario}) | ${cause(scenario)} | ${first} | ${firstAlert(analyzer)} | ${firstAlert(defaultAnalyzer)} |`
  })
  return `# Every failure on demand

The demo can go wrong in eight ways, each by one change to the healthy run (\`src/demo/scenarios.ts\`), and each for real: nothing is
simulated. \`npm run demo -- --scenario NAME\` brings one about on your machine in a minute or two; add \`--no-early-stop\` to see it to
its end.

Made by \`npm run docs -- scenarios\` on ${once('machine')}, Node ${once('node')}, ${once('date')}, at commit ${once('commit')}: ${RUN.iterations} iterations of ${RUN.batchSize} prompts each, seed
${RUN.seed}, never stopped; the detectors read the logs afterwards. The command trains what \`build/scenarios\` does not hold yet, and goes on where it was
interrupted.

| Scenario | Cause | First to part from the healthy run | First alert, \`klThreshold: 0.5\` | First alert, default of 0.1 |
| --- | --- | --- | --- | --- |
${rows.join('\n')}

**How to read it.** In the pictures the brown line is the healthy run, the dashed vertical line the first alert. "First" and "last" are means of ten
iterations. A series *parts* from the healthy run where the mean of ten iterations begins to differ, five times in a row, by more than
five standard errors of the healthy run's noise. That is hindsight with a healthy twin of the same seed at hand, which no monitor has: it
says where to look, not when an alarm is due. Slow series (length, KL) wander a little by chance, too. The judge's own score,
\`gold/total\`, is shown to people and to no detector.

"Telltale today" is what the fixed rules of \`mode: 'threshold'\` say (reward hacking, KL, coherence, value head), with the demo's threshold of the KL,
0.5 nats a token, and with the library's default of 0.1. With the default every run crosses its KL threshold sooner or later, the
healthy one included: that alert says nothing of the cause.

${SCENARIOS.map((scenario) => section(runs, scenario)).join('\n')}`
}

function section(runs, scenario) {
  const { series, curves, first, rules } = TEXTS[scenario]
  const { store, analyzer, defaultAnalyzer } = runs[scenario]
  const healthy = runs.healthy.store
  const numbers = { own: (name) => ends(store, name), well: (name) => ends(healthy, name), n: number }
  const isHealthy = scenario === 'healthy'
  const others = parting(runs, scenario).filter(({ name }) => !series.includes(name))
  const shown = [...series, ...others.slice(0, 4).map(({ name }) => name)]
  const rows = shown.map((name) => {
    const [own, well] = [ends(store, name), ends(healthy, name)]
    const parted = partsAt(store, healthy, name)
    return `| \`${name}\` | ${number(own.first)} | ${number(own.last)} |${isHealthy ? '' : ` ${number(well.last)} | ${parted ?? 'not surely'} |`}`
  })
  const head = isHealthy
    ? '| Series | first | last |\n| --- | ---: | ---: |'
    : '| Series | first | last | healthy, last | parts at |\n| --- | ---: | ---: | ---: | ---: |'
  return `## ${scenario}

**Cause:** ${cause(scenario)}.

![${scenario}: ${series.join(', ')}](images/scenarios/${scenario}.png)

**The curves.** ${oneLine(curves(numbers))}

${head}
${rows.join('\n')}

**Seen first.** ${oneLine(first(numbers))}

**Telltale today.** ${alerts("With the demo's threshold", analyzer)} ${alerts('With the default', defaultAnalyzer)} ${oneLine(rules)}
`
}

/** The texts are broken for people who edit them. */
function oneLine(text) {
  return text.replaceAll('\n', ' ')
}

function cause(scenario) {
  return SCENARIO_DEFINITIONS[scenario].cause
}

/** Watched series that part, the earliest first; of equals those that are drawn. */
function parting(runs, scenario) {
  const { series } = TEXTS[scenario]
  const drawn = series.filter((name) => WATCHED.includes(name))
  return [...new Set([...drawn, ...WATCHED])]
    .map((name) => ({ name, at: partsAt(runs[scenario].store, runs.healthy.store, name) }))
    .filter(({ at }) => at !== null)
    .sort((a, b) => a.at - b.at)
}

function inWords({ name, at }) {
  return `\`${name}\` (${at})`
}

function firstAlert({ alertHistory }) {
  const [alert] = alertHistory
  return alert ? `${alert.kind}, ${alert.severity}, at ${alert.iteration}` : 'none'
}

function alerts(how, { alertHistory }) {
  const seen = new Set()
  const firsts = alertHistory.filter(({ kind, severity }) => !seen.has(kind + severity) && seen.add(kind + severity))
  if (firsts.length === 0) return `${how}: nothing.`
  const words = firsts.map(({ kind, severity, iteration }) => `${kind} (${severity}) at ${iteration}`)
  return `${how}: ${words.join(', ')}.`
}

/** Two or three digits, as people write them; more where a ratio is near 1 but not 1. */
function number(value) {
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size < 1e-3 || size >= 1e5) return value.toExponential(1)
  const nearOne = Number(value.toPrecision(2)) === 1 && Math.abs(value - 1) > 1e-6
  return String(Number(value.toPrecision(nearOne ? 4 : size >= 100 ? 3 : 2)))
}
