// What is lost when a training is killed at any moment: fifty processes of one run, each killed with `kill -9` while it logs and its indexer stores.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { sqliteStore } from '../dist/stores/sqlite.js'

const CLI = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const KL_BUDGET = 0.2
/** Iterations after which KL is over its budget, so that there is an alert to be the same. */
const BROKEN_FROM = 5000
/** Iterations between two questions whether all of it is stored. */
const PER_FLUSH = 250
const NAMES = ['reward', 'kl_div', 'loss', 'policy_loss', 'value_loss', 'entropy', 'clip_fraction', 'a', 'b', 'c']

/** The number that a run logs at an iteration, so that whoever reads it knows what has to be there. */
function valueAt(name, iteration) {
  if (name === 'kl_div') return iteration < BROKEN_FROM ? 0.02 + 0.004 * Math.sin(iteration * iteration) : 0.5
  return 0.5 + 0.1 * Math.sin(iteration * (NAMES.indexOf(name) + 1))
}

/** The training of one process, in a process of its own: says `N` when all iterations before N are acknowledged. */
async function train(folder, path, from) {
  const { RunIndexer, TrainingMonitor } = await import('../dist/index.js')
  const monitor = new TrainingMonitor({ outputDir: folder, runId: 'killed', handleSignals: false, earlyStop: 'off' })
  const indexer = new RunIndexer({ path, analyzer: { klThreshold: KL_BUDGET } })
  monitor.registerCallback(indexer)
  for (let iteration = from; ; iteration++) {
    const metrics = Object.fromEntries(NAMES.map((name) => [name, valueAt(name, iteration)]))
    monitor.onEvent({ phase: 'iteration_end', iteration, metrics })
    if (iteration % PER_FLUSH === PER_FLUSH - 1) {
      await indexer.flush()
      process.stdout.write(`${iteration + 1}\n`)
    } else if (iteration % 25 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

export async function kills(rounds = 50) {
  const folder = mkdtempSync(join(tmpdir(), 'telltale-kills-'))
  try {
    const run = join(folder, 'run')
    const path = join(folder, 'telltale.db')
    let acknowledged = 0
    let lost = 0
    let twice = 0
    let wrong = 0
    let unsound = 0
    let beforeAnything = 0
    for (let round = 0; round < rounds; round++) {
      // Any moment, from a fixed sequence: every fourth while it starts and reads back, the others while it logs and stores.
      const newly = await killedAfter((round * 7919) % 1500, round % 4 !== 3, run, path, acknowledged)
      if (newly === null) beforeAnything++
      acknowledged = Math.max(acknowledged, newly ?? 0)
      const opened = sqliteStore({ path, now: () => 0 })
      if (opened.verify().length > 0) unsound++
      const { key } = opened.runs()[0] ?? { key: 'none yet' }
      for (const { name, original } of opened.series(key)) {
        if (!NAMES.includes(original)) continue
        const { iterations, values } = opened.points(key, name)
        const there = new Set(iterations)
        twice += iterations.length - there.size
        for (let i = 0; i < acknowledged; i++) if (!there.has(i)) lost++
        wrong += iterations.filter((iteration, i) => values[i] !== valueAt(original, iteration)).length
      }
      if (acknowledged > 0 && opened.series(key).length < NAMES.length) lost += acknowledged
      opened.close()
      process.stderr.write(`\r  ${round + 1} of ${rounds} kills, ${acknowledged} iterations acknowledged`)
    }
    process.stderr.write('\n')
    const [chain, whole] = ['chain', 'whole'].map((which) => {
      const store = which === 'chain' ? path : join(folder, 'whole', 'telltale.db')
      // The killed store reads what was logged and not stored; the other reads the whole log at once.
      if (which === 'chain') finish(run, store)
      else telltale(join(folder, 'whole'), 'import', run, '--kl-threshold', String(KL_BUDGET))
      return contents(store)
    })
    const same = (what) => JSON.stringify(chain[what]) === JSON.stringify(whole[what])
    return {
      question: 'What is lost when a training that is kept in the store is killed at any moment, fifty times?',
      goal: 'every acknowledged value there once, the database sound, and alerts as if nothing had happened',
      reached: lost + twice + wrong + unsound === 0 && same('alerts') && same('points') && whole.alerts.length > 0,
      kills: rounds,
      'of these before the process had acknowledged anything': beforeAnything,
      'iterations acknowledged': acknowledged,
      'acknowledged values that were not there after a kill': lost,
      'values that were there twice': twice,
      'values that were not what was logged': wrong,
      'times that the database was not sound': unsound,
      'alerts of the run that was killed, and of its log read at once': `${chain.alerts.length} and ${whole.alerts.length}, ${same('alerts') ? 'equal' : 'not equal'}`,
      'values of the run that was killed, and of its log read at once': same('points') ? 'equal' : 'not equal',
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Starts a training where the last one was acknowledged, kills it so long after its start or its first acknowledgement, and gives what it had acknowledged; null where that was nothing. */
async function killedAfter(ms, atWork, run, path, from) {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), run, path, String(from)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let newest = null
  const lines = createInterface(child.stdout).on('line', (line) => {
    newest = Number(line)
  })
  if (atWork) await once(lines, 'line')
  await new Promise((resolve) => setTimeout(resolve, ms))
  if (child.exitCode !== null) throw new Error(`the training ended by itself, with exit code ${child.exitCode}`)
  child.kill('SIGKILL')
  await once(child, 'close')
  return newest
}

/** Reads what the last process had logged and not stored, as the next look of whoever keeps the run does. */
function finish(run, path) {
  const code = `
    import { keepRuns } from ${JSON.stringify(new URL('../dist/watch/keep-runs.js', import.meta.url).href)}
    import { sqliteStore } from ${JSON.stringify(new URL('../dist/stores/sqlite.js', import.meta.url).href)}
    import { runFinder } from ${JSON.stringify(new URL('../dist/sources/find-runs.js', import.meta.url).href)}
    import { watchRun } from ${JSON.stringify(new URL('../dist/watch/watched-run.js', import.meta.url).href)}
    import { systemClock } from ${JSON.stringify(new URL('../dist/time.js', import.meta.url).href)}
    const keeper = keepRuns(sqliteStore({ path: ${JSON.stringify(path)}, now: () => 0 }), systemClock, () => {})
    const [found] = (await runFinder([${JSON.stringify(run)}]).find()).runs
    const { onBegin, resume } = keeper
    const run = watchRun(found, { analyzer: { klThreshold: ${KL_BUDGET} }, now: () => 0, onBegin, resume })
    while ((await run.read()).more);
    keeper.close([run])
    run.close()`
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}

function contents(path) {
  const opened = sqliteStore({ path, now: () => 0 })
  const [{ key }] = opened.runs()
  const points = opened.series(key).map(({ name }) => [name, opened.points(key, name)])
  const alerts = opened.alerts(key)
  opened.close()
  return { alerts, points }
}

function telltale(home, ...args) {
  const { status, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    encoding: 'utf8',
    env: { ...process.env, TELLTALE_DIR: home },
  })
  if (status !== 0) throw new Error(stderr)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, path, from] = process.argv.slice(2)
  await train(folder, path, Number(from))
}
