// docs/detection-benchmark.md and its plots, from results alone.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { renderPng, renderSvg } from '../../dist/outputs/plots/render.js'
import { withFigures } from './detector-pages.mjs'

const DOCS = new URL('../../docs/', import.meta.url)
const COLOURS = ['#0072B2', '#D55E00', '#009E73', '#AA4A83', '#857227', '#56B4E9', '#1F2328', '#E69F00']
const DRAWN = [
  'reward-hacking',
  'quality-collapse',
  'coherence-loss',
  'kl-explosion',
  'entropy-collapse',
  'value-reward-mismatch',
  'length-explosion',
  'catastrophic-forgetting',
]

/** Writes the document and its pictures. */
export async function writeReport(results) {
  mkdirSync(new URL('images/', DOCS), { recursive: true })
  const pictures = {
    'detection-delay': delayPlot(results),
    'detection-found': foundPlot(results),
    'detection-trade-off': tradeOffPlot(results),
  }
  for (const [name, chart] of Object.entries(pictures)) {
    writeFileSync(new URL(`images/${name}.png`, DOCS), await renderPng(renderSvg({ name, ...chart })))
  }
  writeFileSync(new URL('detection-benchmark.md', DOCS), document(results))
  for (const name of readdirSync(new URL('detectors/', DOCS))) {
    const page = new URL(`detectors/${name}`, DOCS)
    writeFileSync(page, withFigures(readFileSync(page, 'utf8'), results))
  }
}

function delayPlot({ faults }) {
  const strengths = strengthsOf(faults)
  return lines(
    'Median delay until a critical alert, in iterations, by strength of the fault',
    'strength',
    strengths,
    (kind) => strengths.map((strength) => faults[kind][strength].calibrated.medianDelay),
  )
}

function foundPlot({ faults }) {
  const strengths = strengthsOf(faults)
  const found = (kind) => strengths.map((strength) => faults[kind][strength].calibrated.found)
  return lines('Share of faults found within 500 iterations, by strength of the fault', 'strength', strengths, found, 1)
}

/** Delay against the false alarms that were measured. */
function tradeOffPlot({ tradeOff }) {
  const rates = tradeOff.map(({ rate, falseAlarms }) => `${percent(falseAlarms.rate)} (set to ${percent(rate)})`)
  return lines(
    'Median delay at strength 1, in iterations, against false alarms in a run of 10,000 iterations',
    'healthy runs of 10,000 iterations with a critical alert, measured (and configured)',
    rates,
    (kind) => tradeOff.map(({ medianDelays }) => medianDelays[kind]),
  )
}

function percent(share) {
  return `${Number((100 * share).toPrecision(2))} %`
}

/** JavaScript puts whole numbers first among an object's keys. */
function strengthsOf(faults) {
  return Object.keys(faults[DRAWN[0]]).sort((a, b) => a - b)
}

/** One line a kind. */
function lines(title, axis, categories, valuesOf, max) {
  const text = { color: '#1F2328', fontFamily: 'DejaVu Sans', fontSize: 12 }
  const legend = DRAWN.map((kind, i) => ({
    type: 'text',
    left: 640,
    top: 60 + 22 * i,
    style: { text: `— ${kind}`, fill: COLOURS[i], font: "12px 'DejaVu Sans'" },
  }))
  return {
    title,
    width: 840,
    height: 400,
    option: {
      animation: false,
      backgroundColor: '#FFFFFF',
      textStyle: text,
      grid: [{ left: 60, top: 50, width: 560, height: 290 }],
      xAxis: [{ type: 'category', data: categories, name: axis, nameLocation: 'middle', nameGap: 28, axisLabel: text }],
      yAxis: [{ type: 'value', min: 0, axisLabel: text, ...(max === undefined ? {} : { max }) }],
      series: DRAWN.map((kind, i) => ({
        type: 'line',
        data: valuesOf(kind).map((value) => value ?? '-'),
        lineStyle: { color: COLOURS[i], width: 2 },
        itemStyle: { color: COLOURS[i] },
        symbolSize: 6,
      })),
      graphic: [
        { type: 'text', left: 14, top: 14, style: { text: title, fill: '#1F2328', font: "bold 14px 'DejaVu Sans'" } },
        ...legend,
      ],
    },
  }
}

function document(results) {
  const { provenance, summary, healthy, faults, asLogged, confusion, onsetError, gold, goldByKind, controls } = results
  const methods = Object.keys(healthy[1000])
  const strengths = strengthsOf(faults)
  return `# Detection: how good it is, and how that was measured

Made by \`${provenance.command}\` from \`bench/detection/results.json\`; not to be edited. ${provenance.date}, Node ${provenance.node.slice(1)}, ${provenance.machine}.

${provenance.runs.toLocaleString('en')} simulated runs (${provenance.generator}) of configurations that nothing was calibrated or tuned on: every range that
the generator draws from is cut into cells, of which calibration uses every other one and this report the rest. Thresholds come from
${provenance.calibration.runs.toLocaleString('en')} healthy runs of ${provenance.calibration.iterations.toLocaleString('en')} iterations, at a false-alarm rate of 0.01 a run. Margins, windows and references were tuned by hand on
other runs of the calibration cells. \`bench/detection/README.md\` says what is simulated.

## Against the targets

${table(
  ['', 'target', 'reached'],
  summary.map(({ figure, target, reached }) => [figure, target, shown(reached)]),
)}

Delays count iterations from the first bad one; strength 1 where nothing else is said; quality logged every iteration. What limits
them is at the end.

## False alarms

Share of healthy runs with an alert, with the upper end of a one-sided 95 % interval (Clopper and Pearson). Healthy runs have
autocorrelated noise with heavy tails and bursts, missing evaluations, schedules, and the benign events of the generator.

${table(
  ['', 'iterations', 'runs', 'critical', 'upper bound', 'warning or more', 'progress lost'],
  methods.flatMap((method) =>
    Object.entries(healthy).map(([iterations, byMethod]) => {
      const { critical, warning, progressLost } = byMethod[method]
      return [
        method,
        Number(iterations).toLocaleString('en'),
        critical.runs,
        critical.rate,
        critical.upperBound,
        warning.rate,
        progressLost,
      ].map(shown)
    }),
  ),
)}

What the calibrated detectors' false alarms said: ${said(healthy[1000].calibrated.kinds)} at 1,000 iterations; ${said(healthy[10000].calibrated.kinds)} at 10,000.

Textbook CUSUM is k = 0.5, h = 5; Page-Hinkley is delta = 0.005, lambda = 50; both on nine series, standardised by their first 100 values. The fixed
thresholds are the original plan's (\`mode: 'threshold'\`). A method that alarms in every healthy run has also "found" every fault: look
at both tables.

### rlwatch and rldoctor

${pythonSection(results.python)}

### Negative controls

Share of runs with a critical alert.

${table(
  ['', ...methods],
  Object.entries(controls).map(([name, byMethod]) => [name, ...methods.map((method) => shown(byMethod[method].rate))]),
)}

## Faults

Share found within 500 iterations of the onset; median and 90th percentile of the delay of those found. An alarm before the onset is a miss.

![Median delay by strength](images/detection-delay.png)

![Share found by strength](images/detection-found.png)

${table(
  ['kind', 'strength', 'found', 'before the onset', 'median delay', 'p90 delay', 'right kind'],
  Object.entries(faults).flatMap(([kind, byStrength]) =>
    strengths.map((strength) => {
      const f = byStrength[strength].calibrated
      return [kind, strength, f.found, f.early, f.medianDelay, f.p90Delay, f.rightKind].map(shown)
    }),
  ),
)}

With quality logged only as often as each run happens to (every 1 to 50 iterations, up to a fifth missing), strength 1:

${table(
  ['kind', 'found', 'median delay', 'p90 delay', 'right kind'],
  Object.entries(asLogged).map(([kind, f]) => [kind, f.found, f.medianDelay, f.p90Delay, f.rightKind].map(shown)),
)}

The others at strength 1, found within 500 iterations and not before the onset (median delay):

${table(
  ['kind', ...methods.filter((method) => method !== 'calibrated')],
  Object.entries(faults).map(([kind, byStrength]) => [
    kind,
    ...methods
      .filter((method) => method !== 'calibrated')
      .map((method) => {
        const { found, early, medianDelay } = byStrength[1][method]
        return `${shown(found)} (${shown(medianDelay)}); too early ${shown(early)}`
      }),
  ]),
)}

### What the rate of false alarms costs

The same detectors set to other rates, on the same runs. Delays at strength 1.

![Median delay against the rate of false alarms](images/detection-trade-off.png)

${table(
  ['false alarms: configured', 'measured at 10,000 iterations', 'upper bound', ...DRAWN],
  results.tradeOff.map(({ rate, falseAlarms, medianDelays }) =>
    [rate, falseAlarms.rate, falseAlarms.upperBound, ...DRAWN.map((kind) => medianDelays[kind])].map(shown),
  ),
)}

And by the autocorrelation of the noise, at the default rate. No threshold makes up for noise that remembers: a mean over forty such iterations is a mean over
few independent ones.

${table(
  ['autocorrelation', ...DRAWN],
  results.byMemory.map(({ from, to, medianDelays }) => [
    `${from} to ${to}`,
    ...DRAWN.map((kind) => shown(medianDelays[kind])),
  ]),
)}

### Which kind was named

Strength 1 and more, runs found.

${table(
  ['fault', 'named'],
  Object.entries(confusion).map(([kind, named]) => [kind, said(named)]),
)}

### When it began

The onset that an alert names is wrong by ${shown(onsetError.median)} iterations at the median, ${shown(onsetError.p90)} at the 90th percentile (${onsetError.runs} alerts, strength 1 and more). Most of these
faults begin at once and are exact; of those that creep, the median error at strength 1 is ${DRAWN.map((kind) => `${shown(faults[kind][1].calibrated.medianOnsetError)} for ${kind}`).join(', ')}.

### What going back saves

Share of the lost gold reward that is kept, (G(returned) - G(end)) / (max G - G(end)): 0 is never stopping, 1 is the oracle that stops at the best
moment. Runs of strength 1 and more that lose gold; runs without an alarm count 0.

${table(
  ['', 'runs', 'stop only', 'checkpoints every 10', 'checkpoints every 50'],
  Object.entries(gold).map(([method, g]) =>
    [method, g.withoutRollBack.runs, g.withoutRollBack.mean, g['checkpoints 10'].mean, g['checkpoints 50'].mean].map(
      shown,
    ),
  ),
)}

By kind, checkpoints every 10: ${Object.entries(goldByKind)
    .filter(([, value]) => value !== null)
    .map(([kind, value]) => `${kind} ${value}`)
    .join(', ')}.

## Cost

${results.cost.microsecondsPerIteration} microseconds of processor time an iteration for the whole preset, reading the values included; its state is ${(results.cost.snapshotBytes / 1000).toFixed(0)} kB of JSON after 10,000 iterations.

## Real runs

${realSection(results.real)}

## What limits these figures

- The simulator is ours. Its rates hold for runs that it can draw; real runs are few, and the bound beside their rate says how little they prove.
- Autocorrelation, see the table above: the median delays are those of a memory near 0.5.
- Margins. Small changes (of prompts, of style) happen in healthy runs and are not reported: a fault of strength 0.5 needs about 40
  iterations to leave the margin of the quality channels before any statistics begin.
- The configured rate is that of calibration's own cells, not of every run. The report's cells hold an autocorrelation up to 0.95 where calibration's end at
  0.9, and noisier gradient norms.
- Entropy and length are excused while the reward rises, and a collapse in that time is found late or not within 500 iterations. At strength 0.5 entropy falls
  hardly faster than it does in healthy runs whose reward rises.
- The explained variance of some configurations is so noisy that twice the unexplained share is within its noise; that of others is still being learned when the fault
  begins, and a jump of it becomes part of the scale.
- The budget is divided evenly over all calibrated statistics (Bonferroni), although most false alarms come from few of them.
- Quality faults can only be told apart where the run logs a score (a judge, a held-out reward) beside text statistics.
`
}

function pythonSection(python) {
  if (!python) return 'Not measured here: `bench/detection/python_rivals.py` needs both packages.'
  const { versions, methods } = python
  const faults = Object.keys(methods.calibrated).filter((kind) => kind !== 'healthy')
  return `As installed (${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(
      ', ',
    )}), at their defaults, on exported runs of 1,000 iterations of the same split: \`python_rivals.py\`. They are given what they have an argument for; rewards of
single answers are not simulated, so some of their detectors say nothing. rldoctor looks every 25 iterations, as its live monitor does.

${table(
  ['', 'healthy runs', 'critical', 'warning or more', ...faults.map((kind) => `${kind}: found / too early`)],
  Object.entries(methods).map(([method, of]) =>
    [
      method,
      of.healthy.critical.runs,
      of.healthy.critical.rate,
      of.healthy.warning.rate,
      ...faults.map((kind) => `${of[kind].found} / ${of[kind].early}`),
    ].map(shown),
  ),
)}`
}

function realSection({ runs, healthy, faults, goldSaved }) {
  if (runs.length === 0) {
    return 'None are recorded yet: `npm run bench -- record` makes them, and this section is filled from them.'
  }
  return `Runs of \`RLAIFTrainer\` in the demo's world, recorded by \`npm run bench -- record\` and replayed; the judge's reward is read by the scorer alone.
They were looked at while the detectors were built (how far text may go on, what a length explosion is called, limits of KL and entropy):
these are no held-out runs, the simulated ones are.

Healthy: ${healthy.critical} of ${healthy.runs} with a critical alert (upper bound ${healthy.upperBound}), ${healthy.warning} with a warning or more. Faults: ${faults.found} of ${faults.runs} found, ${faults.rightKind} with a
right kind. Gold saved with roll-back: mean ${shown(goldSaved.mean)}, median ${shown(goldSaved.median)} of ${goldSaved.runs} runs that lose gold.

${table(
  ['scenario', 'seed', 'first warning', 'first critical', 'kind', 'onset'],
  runs.map(({ scenario, seed, warning, critical }) =>
    [
      scenario,
      seed,
      warning?.iteration ?? null,
      critical?.iteration ?? null,
      critical?.kind ?? warning?.kind ?? null,
      critical?.onset ?? null,
    ].map(shown),
  ),
)}`
}

function said(kinds) {
  const entries = Object.entries(kinds).sort((a, b) => b[1] - a[1])
  return entries.length === 0 ? 'none' : entries.map(([kind, count]) => `${kind} ${count}`).join(', ')
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function shown(value) {
  return value === null || value === undefined ? '-' : `${value}`
}
