// What it takes to log with Telltale and with the trackers that others use, turn about in one run on one machine, and what is still there
// after kill -9. Needs a Python with all of them: pip install -r bench/rivals-requirements.txt, and TELLTALE_PYTHON names it.
//   npm run bench -- rivals [--quick]      --quick: fewer steps, one round; is not kept
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const NUMBERS = 10
const STEPS_A_SECOND = 1000
const KILLED_AFTER_MS = 2000
const QUICK = { steps: 2000, rounds: 1, kills: 1 }
const WHOLE = { steps: 100_000, rounds: 3, kills: 3 }
/** How long processes that outlive the training may go on to write. */
const SURVIVORS_MS = 15_000

/** `most`: steps of a tool that takes too long for all of them. */
const TOOLS = [
  { id: 'telltale', name: 'Telltale, TypeScript' },
  { id: 'telltale-detectors', name: 'Telltale, TypeScript, with its detectors' },
  { id: 'telltale-python', name: 'Telltale, Python' },
  { id: 'trackio', name: 'trackio' },
  { id: 'wandb', name: 'W&B offline' },
  { id: 'tensorboard', name: "TensorBoard's SummaryWriter" },
  { id: 'mlflow', name: 'MLflow, SQLite', most: 2000 },
  { id: 'rlwatch', name: 'rlwatch' },
]

export async function rivals() {
  const { steps, rounds, kills } = process.argv.includes('--quick') ? QUICK : WHOLE
  const versions = Object.fromEntries(TOOLS.map((tool) => [tool.id, asked(tool, 'version')]))
  const logged = new Map(TOOLS.map(({ id }) => [id, []]))
  const killed = new Map(TOOLS.map(({ id }) => [id, { alone: [], withAll: [] }]))
  for (let round = 0; round < rounds; round++)
    for (const tool of turned(round)) {
      process.stderr.write(`  round ${round + 1}: ${tool.name}\n`)
      logged.get(tool.id).push(logs(tool, Math.min(steps, tool.most ?? steps)))
    }
  for (let round = 0; round < kills; round++)
    for (const tool of turned(round)) {
      process.stderr.write(`  kill ${round + 1}: ${tool.name}\n`)
      // Not always at the same place between two flushes.
      const afterMs = KILLED_AFTER_MS + 137 * round
      const alone = await kill(tool, afterMs, false)
      killed.get(tool.id).alone.push(alone)
      killed.get(tool.id).withAll.push(alone.children > 0 ? await kill(tool, afterMs, true) : alone)
    }
  const tools = Object.fromEntries(
    TOOLS.map((tool) => [tool.name, figures(versions[tool.id].version, logged.get(tool.id), killed.get(tool.id))]),
  )
  const ours = TOOLS.filter(({ id }) => id === 'telltale' || id === 'telltale-python').map(({ name }) => tools[name])
  return {
    question: `What does it take to log ${steps.toLocaleString('en')} steps of ${NUMBERS} numbers, and what is left after kill -9, with Telltale and with others?`,
    goal: 'Telltale: p99 of a call at most 100 microseconds; at most 32 bytes a number; no step lost after kill -9, whatever dies with the training',
    reached: ours.every(
      (one) =>
        one['call of a step, us'].p99 <= 100 &&
        one['bytes a number'] <= 32 &&
        one['lost, all processes killed'].most === 0,
    ),
    limits:
      'the log is lines of JSON, one system call a step: a step survives the process, any tool can read it, and every number takes its digits and its name',
    'rounds of each': rounds,
    'kills of each': kills,
    python: versions.trackio.python,
    tools,
  }
}

/** Another one first each round, so that none has always the same neighbour in time. */
function turned(round) {
  const first = (round * 3) % TOOLS.length
  return [...TOOLS.slice(first), ...TOOLS.slice(0, first)]
}

function figures(version, rounds, { alone, withAll }) {
  const of = (pick, digits) => Number(median(rounds.map(pick)).toFixed(digits))
  return {
    ...(version ? { version } : {}),
    steps: rounds[0].steps,
    'start, s': of((one) => one.startSeconds, 2),
    'all steps, s': of((one) => one.seconds, 2),
    'steps a second': of((one) => one.steps / one.seconds, 0),
    'call of a step, us': { p50: of((one) => one.p50, 1), p99: of((one) => one.p99, 1) },
    'disk, MB': of((one) => one.bytes / 1e6, 2),
    'bytes a number': of((one) => one.bytes / (one.steps * NUMBERS), 1),
    'calls that returned before kill -9': median(alone.map((one) => one.returned)),
    'lost, training killed': lossOf(alone),
    'lost, all processes killed': lossOf(withAll),
  }
}

function lossOf(kills) {
  const lost = kills.map(({ returned, kept }) => Math.max(0, returned - kept))
  return { median: median(lost), most: Math.max(...lost) }
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[(sorted.length - 1) >> 1]
}

/** Logs all steps and closes, in a process of its own; the tool's own reader has to find every step. */
function logs(tool, steps) {
  return inFolder((folder) => {
    const took = asked(tool, 'log', folder, steps)
    const bytes = bytesIn(folder)
    const read = stepsIn(tool, folder)
    if (read !== steps) throw new Error(`${tool.name}: ${read} of ${steps} steps are there after the end`)
    return { ...took, steps, bytes }
  })
}

/** Kills a training while it logs, alone or with every process that it has started, and asks what is there. */
function kill(tool, afterMs, withAll) {
  return inFolder(async (folder) => {
    const child = spawn(...commandOf(tool, 'crash', folder, STEPS_A_SECOND), { stdio: ['ignore', 'pipe', 'ignore'] })
    const closed = new Promise((resolve) => child.on('close', resolve))
    let returned = 0
    const begun = new Promise((resolve) => {
      child.stdout.on('data', (dots) => {
        returned += dots.length
        resolve(true)
      })
    })
    if (!(await Promise.race([begun, closed.then(() => false)])))
      throw new Error(`${tool.name} ended before its first step`)
    await sleep(afterMs)
    const children = startedBy(child.pid)
    process.kill(child.pid, 'SIGKILL')
    if (withAll) endAll(children)
    await Promise.race([closed, sleep(SURVIVORS_MS)])
    const until = Date.now() + SURVIVORS_MS
    while (children.some(lives) && Date.now() < until) await sleep(100)
    const kept = stepsIn(tool, folder)
    endAll(children)
    return { returned, kept, children: children.length }
  })
}

function endAll(pids) {
  for (const pid of pids)
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
}

/** Processes below this one, from Linux's /proc; elsewhere none are found. */
function startedBy(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' '))
      .filter((child) => child !== '')
      .flatMap((child) => [Number(child), ...startedBy(Number(child))])
  } catch {
    return []
  }
}

function lives(pid) {
  try {
    // The state comes after the name; a zombie writes nothing any more.
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

function inFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), 'telltale-bench-'))
  const cleared = () => rmSync(folder, { recursive: true, force: true })
  const result = (() => {
    try {
      return work(folder)
    } catch (error) {
      cleared()
      throw error
    }
  })()
  if (result instanceof Promise) return result.finally(cleared)
  cleared()
  return result
}

function bytesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((bytes, entry) => bytes + statSync(join(entry.parentPath, entry.name)).size, 0)
}

function stepsIn(tool, folder) {
  // The Python client has no reader: Telltale reads what it writes.
  const reader = tool.id === 'telltale-python' ? TOOLS[0] : tool
  return asked(reader, 'read', folder).steps
}

function asked(tool, what, ...rest) {
  const [program, args] = commandOf(tool, what, ...rest)
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1e8 })
  if (status === 0) return JSON.parse(stdout.trim().split('\n').at(-1))
  throw new Error(
    `${tool.name}: ${what} failed: ${stderr?.trim().split('\n').at(-1) ?? 'no such Python'}. Needed: pip install -r bench/rivals-requirements.txt, and TELLTALE_PYTHON set to that Python`,
  )
}

function commandOf({ id }, what, ...rest) {
  const ours = id === 'telltale' || id === 'telltale-detectors'
  const script = fileURLToPath(new URL(ours ? 'rivals_telltale.mjs' : 'rivals_peers.py', import.meta.url))
  return [ours ? process.execPath : (process.env.TELLTALE_PYTHON ?? 'python3'), [script, what, id, ...rest.map(String)]]
}
