// How fast the logs of other trackers are read, beside their own readers on the same file, turn about in one run; and how much memory a file of
// 2 GB takes. Needs a Python with torch, tensorboard and wandb: TELLTALE_PYTHON names one.
import { spawn, spawnSync } from 'node:child_process'
import { createReadStream, createWriteStream, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { tfeventsFormat } from '../dist/sources/tfevents.js'
import { wandbFormat } from '../dist/sources/wandb.js'

const STEPS = 20_000
const NAMES = 20
const ROUNDS = 7
const BIG_BYTES = 2e9

export async function sources() {
  const folder = mkdtempSync(join(tmpdir(), 'telltale-bench-'))
  const peers = startPeers()
  try {
    process.stderr.write('  the trackers write their logs\n')
    const tensorboard = await peers.ask('make_tfevents', join(folder, 'tensorboard'), STEPS, NAMES)
    const wandb = await peers.ask('make_wandb', folder, STEPS, NAMES)
    const tfevents = await compare(tfeventsFormat, tensorboard.path, () => peers.ask('read_tfevents', tensorboard.path))
    const wandbLog = await compare(wandbFormat, wandb.path, () => peers.ask('read_wandb', wandb.path))
    process.stderr.write('  files of 2 GB\n')
    const memory = {
      tfevents: await memoryOf('tfevents', await bigTfevents(tensorboard.path, join(folder, 'big'))),
      'JSON lines': await memoryOf('jsonl', await bigJsonl(join(folder, 'big.jsonl'))),
    }
    return {
      question: "How fast are other trackers' logs read, in one thread, beside their own readers on the same file?",
      goal: "tfevents 250,000 scalars a second with its checksums checked, and 5 times TensorBoard's EventAccumulator; wandb 300,000 values a second; 2 GB in under 300 MB of memory",
      reached:
        tfevents['values per second'].median >= 250_000 &&
        tfevents["times its own reader's speed"].median >= 5 &&
        wandbLog['values per second'].median >= 300_000 &&
        Object.values(memory).every((megabytes) => megabytes < 300),
      limits: 'protobuf and JSON are decoded in JavaScript, one record at a time',
      tfevents: { ...tfevents, 'its own reader': `EventAccumulator, tensorboard ${tensorboard.versions.tensorboard}` },
      wandb: { ...wandbLog, 'its own reader': `DataStore, wandb ${wandb.versions.wandb}` },
      'memory while reading 2 GB, MB': memory,
    }
  } finally {
    peers.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Both read the whole file in turn; the first round warms up. */
async function compare(format, path, theirs) {
  const rates = []
  const ratios = []
  for (let round = 0; round <= ROUNDS; round++) {
    const ours = await readAll(format, path)
    const peer = await theirs()
    if (ours.values !== STEPS * NAMES || peer.values !== STEPS * NAMES)
      throw new Error(`${format.name}: read ${ours.values} and ${peer.values} of ${STEPS * NAMES} values`)
    if (round === 0) continue
    rates.push(ours.values / ours.seconds)
    ratios.push(peer.seconds / ours.seconds)
  }
  return { 'values per second': spread(rates, 0), "times its own reader's speed": spread(ratios, 1) }
}

async function readAll(format, path) {
  const source = await format.open(path, '')
  const start = performance.now()
  let values = 0
  for (;;) {
    const { records, more, damage } = await source.read({ finished: true })
    if (damage.length > 0) throw new Error(damage[0].problem)
    for (const record of records) if (record.type === 'points') for (const _ in record.metrics) values++
    if (!more) break
  }
  const seconds = (performance.now() - start) / 1000
  source.close()
  return { seconds, values }
}

function spread(values, digits) {
  const sorted = values.toSorted((a, b) => a - b)
  const round = (value) => Number(value.toFixed(digits))
  return { median: round(sorted[ROUNDS >> 1]), slowest: round(sorted[0]), fastest: round(sorted.at(-1)) }
}

/** The real file's records over and over: whole records, each with its checksums. */
async function bigTfevents(folder, into) {
  const name = readdirSync(folder).find((file) => file.includes('tfevents'))
  const path = join(folder, name)
  mkdirSync(into)
  for (let bytes = 0; bytes < BIG_BYTES; bytes += statSync(path).size)
    await pipeline(createReadStream(path), createWriteStream(join(into, name), { flags: 'a' }))
  return into
}

async function bigJsonl(path) {
  const numbers = { loss: 0.123456789, reward: 0.987654321, kl: 0.0234567, entropy: 1.5, grad_norm: 0.75 }
  await pipeline(function* () {
    let step = 0
    for (let bytes = 0; bytes < BIG_BYTES; ) {
      let chunk = ''
      for (let i = 0; i < 10_000; i++) chunk += `${JSON.stringify({ step: step++, ...numbers })}\n`
      bytes += chunk.length
      yield chunk
    }
  }, createWriteStream(path))
  return path
}

function memoryOf(format, path) {
  const script = fileURLToPath(new URL('sources_memory.mjs', import.meta.url))
  const { stdout, status } = spawnSync(process.execPath, [script, format, path], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  rmSync(path, { recursive: true })
  if (status !== 0) throw new Error(`reading ${path} failed`)
  const { bytes, maxRssBytes } = JSON.parse(stdout)
  if (bytes < BIG_BYTES) throw new Error(`read ${bytes} of ${BIG_BYTES} bytes of ${path}`)
  return Math.round(maxRssBytes / 1e6)
}

function startPeers() {
  const script = fileURLToPath(new URL('sources_peers.py', import.meta.url))
  const python = spawn(process.env.TELLTALE_PYTHON ?? 'python3', [script], { stdio: ['pipe', 'pipe', 'ignore'] })
  const failed = new Promise((resolve) => {
    python.on('error', () => resolve({ done: true }))
    python.on('exit', () => resolve({ done: true }))
  })
  const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]()
  return {
    async ask(name, ...args) {
      python.stdin.write(`${JSON.stringify([name, args])}\n`)
      const { done, value } = await Promise.race([lines.next(), failed])
      const answer = done ? { problem: 'no such Python' } : JSON.parse(value)
      if (!answer.problem) return answer
      throw new Error(
        `${name}: ${answer.problem}. Needed: pip install -r test/real/requirements.txt, and TELLTALE_PYTHON set to that Python`,
      )
    },
    stop: () => python.stdin.end(),
  }
}
