// How fast foreign lines are read, how soon a new line is on the screen, and what watching two hundred idle runs costs.
import { spawn } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { jsonlFormat } from '../dist/sources/jsonl.js'
import { quantiles } from './measure.mjs'

const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const LINES = 400_000
const IDLE_RUNS = 200
const IDLE_SECONDS = 20
const APPENDED = 20

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

export async function watch() {
  const folder = mkdtempSync(join(tmpdir(), 'telltale-bench-'))
  try {
    const lines = await linesPerSecond(join(folder, 'many.jsonl'))
    const toScreen = await lineToScreen(join(folder, 'one'))
    const idle = await idleCpu(join(folder, 'idle'))
    return {
      question:
        'What does it take to watch other trainers: JSON lines of 5 metrics a second, a new line to the screen, 200 idle runs?',
      goal: '200,000 lines a second; a line within 1,000 ms; 200 idle runs under 2 % of a core',
      reached: lines.median >= 200_000 && toScreen.max <= 1000 && idle < 2,
      limits: 'lines: JSON.parse and one record a line in one thread; screen: two looks and two paints a second',
      'lines per second': lines,
      'new line to screen, ms': toScreen,
      'idle CPU of 200 runs, % of a core': idle,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Five readings of one file, as records of a source. */
async function linesPerSecond(path) {
  const line = (step) =>
    `${JSON.stringify({ step, loss: Math.sin(step), reward: Math.cos(step), kl: 0.02 + 1 / (step + 1), entropy: 1.5, grad_norm: 0.75 })}\n`
  let text = ''
  for (let step = 0; step < LINES; step++) text += line(step)
  writeFileSync(path, text)
  const rates = []
  for (let i = 0; i < 5; i++) {
    const source = await jsonlFormat.open(path, '')
    const start = performance.now()
    let records = 0
    for (;;) {
      const batch = await source.read({ finished: true })
      records += batch.records.length
      if (!batch.more) break
    }
    rates.push((1000 * records) / (performance.now() - start))
    if (records !== LINES) throw new Error(`read ${records} of ${LINES} lines`)
  }
  rates.sort((a, b) => a - b)
  return { median: Math.round(rates[2]), slowest: Math.round(rates[0]), fastest: Math.round(rates[4]) }
}

/** From the write of a line to the first paint that shows its value, through a pseudo-terminal. */
async function lineToScreen(folder) {
  mkdirSync(folder)
  const path = join(folder, 'run.jsonl')
  const write = (step, reward) => appendFileSync(path, `${JSON.stringify({ step, reward, loss: 0.5 })}\n`)
  for (let step = 0; step < 10; step++) write(step, 1)
  // util-linux' script gives the command a terminal of its own.
  const command = `stty cols 120 rows 40; exec ${process.execPath} ${MAIN} watch ${folder}`
  const child = spawn('script', ['-qfec', command, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm', LANG: 'C.UTF-8' },
  })
  let screen = ''
  child.stdout.on('data', (data) => {
    screen += data
  })
  while (!screen.includes('Reward')) await wait(20)
  const delays = []
  for (let i = 0; i < APPENDED; i++) {
    // After some seconds without a line a run is looked at less often.
    await wait(i % 4 === 3 ? 7500 : 700 + 137 * (i % 7))
    screen = ''
    const value = 2000 + i
    const start = performance.now()
    write(10 + i, value)
    const shown = value.toLocaleString('en')
    while (!screen.includes(shown)) {
      await wait(2)
      if (performance.now() - start > 10_000) throw new Error('the line never came to the screen')
    }
    delays.push(performance.now() - start)
  }
  child.kill()
  return quantiles(delays)
}

/** CPU time of a process that watches runs in which nothing happens, after it has caught up. */
async function idleCpu(folder) {
  for (let i = 0; i < IDLE_RUNS; i++) {
    mkdirSync(join(folder, `run-${i}`), { recursive: true })
    const lines = Array.from({ length: 50 }, (_, step) => JSON.stringify({ step, loss: 1 / (step + 1), reward: step }))
    writeFileSync(join(folder, `run-${i}`, 'run.jsonl'), `${lines.join('\n')}\n`)
  }
  const child = spawn(process.execPath, [MAIN, 'watch', folder], { stdio: 'ignore' })
  await wait(8000)
  const before = cpuMs(child.pid)
  await wait(1000 * IDLE_SECONDS)
  const used = cpuMs(child.pid) - before
  child.kill()
  return Number((used / (10 * IDLE_SECONDS)).toFixed(2))
}

/** Milliseconds of CPU, user and system, of all threads (Linux: a hundredth of a second each). */
function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return 10 * (Number(fields[11]) + Number(fields[12]))
}
