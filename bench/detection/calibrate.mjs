// Makes src/detectors/calibrated/calibration-table.ts: what the statistics of the detectors reach in healthy runs.
//   npm run bench -- calibrate [--runs 3000] [--iterations 10000]       afterwards: npm run build
import { writeFileSync } from 'node:fs'
import { inParallel } from './parallel.mjs'
import { GENERATOR } from './simulate.mjs'
import { STATISTICS } from './statistics.mjs'

/** Rates of the table. Those from FITTED on are read off an exponential tail, since few runs lie beyond them. */
const RATES = [0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003]
const FITTED = 0.003
/** Share of the runs that the tail is fitted to. */
const TAIL = 0.02

const TABLE = new URL('../../src/detectors/calibrated/calibration-table.ts', import.meta.url)

export async function calibrate(args) {
  const option = (name, fallback) => {
    const at = args.indexOf(name)
    return at < 0 ? fallback : Number(args[at + 1])
  }
  const runs = option('--runs', 3000)
  const iterations = option('--iterations', 10000)
  if (!(Number.isSafeInteger(runs) && runs >= 100 && Number.isSafeInteger(iterations) && iterations >= 200))
    throw new Error('expected at least 100 runs of at least 200 iterations')
  const jobs = Array.from({ length: runs }, (_, index) => ({ split: 'calibration', index, iterations }))
  const largest = await inParallel('statistics', jobs, 'calibrate')
  const statistics = Object.fromEntries(STATISTICS.map((name, i) => [name, tableRow(largest.map((row) => row[i]))]))
  writeFileSync(TABLE, source({ runs, iterations, statistics }))
  return { runs, iterations, statistics }
}

/** The values that a statistic exceeds with each of {@link RATES}, among the runs that log what it needs. */
export function tableRow(values) {
  const falling = values.filter((value) => value > Number.NEGATIVE_INFINITY).sort((a, b) => b - a)
  const n = falling.length
  const beyond = Math.max(5, Math.round(TAIL * n))
  const base = falling[beyond]
  const scale = falling.slice(0, beyond).reduce((sum, value) => sum + value - base, 0) / beyond
  let last = Number.NEGATIVE_INFINITY
  return RATES.map((rate) => {
    const value =
      rate > FITTED ? falling[Math.min(n - 1, Math.floor(rate * n))] : base + scale * Math.log(beyond / n / rate)
    // Rising whatever the sample: where nothing was ever seen the values are equal.
    last = Math.max(last + 0.01, Number(Math.max(value, 0.5).toFixed(3)))
    return Number(last.toFixed(3))
  })
}

function source({ runs, iterations, statistics }) {
  const rows = Object.entries(statistics).map(([name, values]) => {
    const key = /^[a-z]+$/.test(name) ? name : `'${name}'`
    return `    ${key}: [${values.join(', ')}],`
  })
  return `/**
 * Made by \`npm run bench -- calibrate --runs ${runs} --iterations ${iterations}\`; not to be edited.
 *
 * @module
 */

/** Values that the largest statistic of a healthy run exceeds with each rate, and where they come from. */
// biome-ignore-all lint/suspicious/noApproximativeNumericConstant: what was measured may lie near one
export const CALIBRATION = {
  generator: '${GENERATOR}',
  date: '${new Date().toISOString().slice(0, 10)}',
  runs: ${runs},
  iterations: ${iterations},
  rates: [${RATES.join(', ')}],
  statistics: {
${rows.join('\n')}
  },
} as const
`
}
