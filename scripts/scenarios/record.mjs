// Trains the scenarios and keeps their logs below build/scenarios/. What is there already is not trained again.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { startingPoint } from '../../bench/starting-point.mjs'
import { SCENARIO_DEFINITIONS } from '../../dist/demo/scenarios.js'
import { trainScenario } from '../../dist/demo/train-scenario.js'
import { SampleComparator, TrainingMonitor } from '../../dist/index.js'

/** One seed for all, and the size of the demo. */
export const RUN = { seed: 1, iterations: 120, batchSize: 32 }

/**
 * Records those of `scenarios` that are not there yet.
 *
 * @returns what was recorded where and when, by scenario.
 */
export async function record(scenarios, folder, say) {
  const missing = scenarios.filter((scenario) => !recorded(folder, scenario))
  let start = null
  for (const [at, scenario] of missing.entries()) {
    start ??= await startingPoint(RUN.seed, { start: (stage) => say(stage), update() {}, done() {} })
    const dir = join(folder, scenario)
    rmSync(dir, { recursive: true, force: true })
    mkdirSync(dir, { recursive: true })
    const began = performance.now()
    await train(scenario, start, dir, (iteration) => {
      const seconds = (performance.now() - began) / 1000
      const left = (seconds / iteration) * (RUN.iterations - iteration)
      say(
        `${scenario} (${at + 1} of ${missing.length}): iteration ${iteration} of ${RUN.iterations}, ${left.toFixed(0)} s left`,
      )
    })
    writeFileSync(join(dir, 'recorded.json'), `${JSON.stringify(recipe(scenario), null, 2)}\n`)
  }
  return Object.fromEntries(scenarios.map((scenario) => [scenario, recorded(folder, scenario)]))
}

/** What was recorded, or null where nothing was or the scenario has changed since. */
function recorded(folder, scenario) {
  const file = join(folder, scenario, 'recorded.json')
  if (!existsSync(file)) return null
  const found = JSON.parse(readFileSync(file, 'utf8'))
  const wanted = recipe(scenario)
  const same = ['scenario', 'definition', 'run'].every(
    (key) => JSON.stringify(found[key]) === JSON.stringify(wanted[key]),
  )
  return same ? found : null
}

function recipe(scenario) {
  return {
    scenario,
    definition: SCENARIO_DEFINITIONS[scenario],
    run: RUN,
    machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    node: process.version.slice(1),
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
  }
}

/** Short hash of the checkout; a package without git has none. */
function commit() {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    return 'unknown'
  }
}

async function train(scenario, start, dir, onIteration) {
  // To the end, whatever the detectors will say of it: they read the log afterwards.
  const monitor = new TrainingMonitor({ outputDir: dir, project: 'scenarios', name: scenario, earlyStop: 'off' })
  monitor.registerCallback(new SampleComparator({ sampleSize: 5, comparisonFrequency: 20 }))
  monitor.registerCallback({
    name: 'progress',
    onEvent({ phase, iteration }) {
      if (phase === 'iteration_end' && (iteration + 1) % 10 === 0) onIteration(iteration + 1)
    },
  })
  await monitor.run(() => trainScenario(start, { scenario, ...RUN, monitor }))
  if (monitor.summary().status !== 'completed') throw new Error(`${scenario}: ${monitor.summary().status}`)
}
