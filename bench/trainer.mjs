// How long an iteration of the trainer takes, stage by stage, beside the same iteration in PyTorch on the CPU
// (bench/trainer_pytorch.py): same model, batch, lengths and epochs, turn about in one run, so that a busy machine slows both.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { loadPretrained, promptRow } from '../dist/demo/pretrain.js'
import { PROMPT_LENGTH, RESPONSE_LENGTH, TRAINING_PROMPTS } from '../dist/demo/prompts.js'
import { pretrainedDir } from '../dist/demo/run-demo.js'
import { DEMO_PPO } from '../dist/demo/scenarios.js'
import { cloneModel, RLAIFTrainer, withScalarHead } from '../dist/trainer/index.js'
import { weightsOf } from '../dist/trainer/model.js'
import { writeSafetensors } from '../dist/trainer/safetensors.js'

const BATCH_SIZE = 32
const ROUNDS = 9
const ITERATIONS_A_ROUND = 3
const STAGES = ['generation', 'scoring', 'rewardModel', 'advantages', 'policyUpdate', 'valueUpdate', 'other']
const prompts = TRAINING_PROMPTS.map(({ text }) => text)

export async function trainer() {
  const { model, tokenizer } = await loadPretrained(pretrainedDir())
  const pytorch = await startPyTorch(model, tokenizer)
  const rounds = { ours: [], threads: [], oneThread: [] }
  const watch = stageWatch()
  const trainer = new RLAIFTrainer({
    policyModel: model,
    refPolicyModel: cloneModel(model),
    valueModel: withScalarHead(model),
    rewardModel: {
      model: watch.startsAtWeights('scoring', withScalarHead(model)),
      padId: tokenizer.padId,
      mean: 0,
      std: 1,
    },
    tokenizer,
    ...DEMO_PPO,
    promptLength: PROMPT_LENGTH,
    responseLength: RESPONSE_LENGTH,
    monitor: watch.monitor(async (iteration) => {
      // The first round warms up: everything is compiled in it.
      if ((iteration + 1) % ITERATIONS_A_ROUND !== 0) return
      rounds.ours.push(watch.take())
      if (!pytorch) return
      rounds.threads.push(await pytorch.run(pytorch.threads, ITERATIONS_A_ROUND))
      rounds.oneThread.push(await pytorch.run(1, ITERATIONS_A_ROUND))
      process.stderr.write(`  round ${rounds.ours.length} of ${ROUNDS + 1}\n`)
    }),
  })
  await trainer.train({ prompts, numIterations: (ROUNDS + 1) * ITERATIONS_A_ROUND, batchSize: BATCH_SIZE })
  pytorch?.stop()
  for (const all of Object.values(rounds)) all.shift()
  const compared = pytorch
    ? compare(rounds, pytorch)
    : { pytorch: 'not measured: no Python with torch and safetensors (TELLTALE_PYTHON names one)' }
  return {
    question: 'How long does an iteration of the trainer take, and how long the same one in PyTorch on the CPU?',
    goal: "at most 3 times PyTorch's time, at the number of threads that PyTorch is faster with",
    reached: (compared.ratio ?? Number.POSITIVE_INFINITY) <= 3,
    limits:
      'jax-js runs one thread with 128-bit vectors where PyTorch has 256 or 512 bits and all cores; its exponentials are scalar, and every kernel is instantiated anew at each call',
    setting: `batch ${BATCH_SIZE}, ${DEMO_PPO.ppoEpochs} epochs, ${PROMPT_LENGTH} + ${RESPONSE_LENGTH} tokens, 126,000 weights, ${ROUNDS} rounds of ${ITERATIONS_A_ROUND} iterations each, medians`,
    // Above the number of cores, PyTorch's threads wait for each other, and its default is slower than one thread.
    loadAverage: round(loadavg()[0]),
    ...compared,
    oursMs: stagesOf(rounds.ours),
  }
}

function compare({ ours, threads, oneThread }, pytorch) {
  const faster = median(threads.map(total)) < median(oneThread.map(total)) ? threads : oneThread
  return {
    ratio: ratios(ours, faster, total),
    ratioToDefaultThreads: ratios(ours, threads, total),
    ratioToOneThread: ratios(ours, oneThread, total),
    // On a machine that is shared, the time that was really computed says more than the time that passed.
    cpuRatioToOneThread: ratios(ours, oneThread, ({ cpu }) => cpu),
    torch: pytorch.torch,
    defaultThreads: pytorch.threads,
    pytorchDefaultThreadsMs: stagesOf(threads),
    pytorchOneThreadMs: stagesOf(oneThread),
  }
}

/** Median over the rounds of what an iteration takes, by stage. */
function stagesOf(rounds) {
  const stages = STAGES.filter((stage) => stage in rounds[0])
  return {
    ...Object.fromEntries(stages.map((stage) => [stage, round(median(rounds.map((taken) => taken[stage])))])),
    all: round(median(rounds.map(total))),
    cpu: round(median(rounds.map(({ cpu }) => cpu))),
  }
}

/** Times the stages of iterations by the events between them. */
function stageWatch() {
  let last = performance.now()
  let cpu = process.cpuUsage()
  let iterations = 0
  let seen = 0
  let taken = {}
  const end = (stage) => {
    const now = performance.now()
    taken[stage] = (taken[stage] ?? 0) + now - last
    last = now
  }
  const ends = {
    iteration_start: 'other',
    response_generated: 'generation',
    reward_computed: 'rewardModel',
    advantage_computed: 'advantages',
    policy_update: 'policyUpdate',
    value_update: 'valueUpdate',
    iteration_end: 'other',
  }
  return {
    take() {
      const { user, system } = process.cpuUsage(cpu)
      const mean = Object.fromEntries(Object.entries(taken).map(([stage, ms]) => [stage, ms / iterations]))
      taken = {}
      const result = { ...mean, cpu: (user + system) / 1000 / iterations }
      iterations = 0
      return result
    },
    /** A model whose weights are asked for where the stage before it ends. */
    startsAtWeights(stage, { config, parameters }) {
      return {
        config,
        get parameters() {
          end(stage)
          return parameters
        },
      }
    },
    monitor(settled) {
      return {
        clock: { now: () => Date.now(), monotonicMs: () => performance.now() },
        onEvent({ phase }) {
          if (ends[phase]) end(ends[phase])
        },
        async settle() {
          iterations++
          end('other')
          await settled(seen++)
          last = performance.now()
          if (iterations === 0) cpu = process.cpuUsage()
        },
        shouldStopEarly: () => ({ shouldStop: false }),
        getStop: () => null,
        registerGenerator() {
          last = performance.now()
        },
      }
    },
  }
}

async function startPyTorch(model, tokenizer) {
  const dir = mkdtempSync(join(tmpdir(), 'telltale-trainer-'))
  const weights = join(dir, 'policy.safetensors')
  const path = join(dir, 'case.json')
  writeSafetensors(weights, weightsOf(model), {})
  const rows = prompts.map((text) => [...promptRow(tokenizer, text)])
  const sizes = { promptLength: PROMPT_LENGTH, responseLength: RESPONSE_LENGTH, batchSize: BATCH_SIZE }
  const options = { ...DEMO_PPO, gamma: 1, lambda: 0.95 }
  writeFileSync(
    path,
    JSON.stringify({ config: model.config, weights, prompts: rows, eosId: tokenizer.eosId, options, ...sizes }),
  )
  const script = fileURLToPath(new URL('trainer_pytorch.py', import.meta.url))
  const python = spawn(process.env.TELLTALE_PYTHON ?? 'python3', [script, path], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const failed = new Promise((resolve) => {
    python.on('error', () => resolve({ done: true }))
    python.on('exit', () => resolve({ done: true }))
  })
  const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]()
  const answer = async () => {
    const { done, value } = await Promise.race([lines.next(), failed])
    return done ? null : JSON.parse(value)
  }
  const ready = await answer()
  rmSync(dir, { recursive: true })
  if (!ready) return null
  return {
    ...ready,
    /** Mean milliseconds of each stage of an iteration. */
    async run(threads, iterations) {
      python.stdin.write(`${JSON.stringify({ threads, iterations })}\n`)
      const taken = await answer()
      if (!taken) throw new Error('PyTorch ended in the middle of the comparison')
      return Object.fromEntries(
        Object.keys(taken[0]).map((stage) => [stage, taken.reduce((sum, one) => sum + one[stage], 0) / taken.length]),
      )
    },
    stop: () => python.stdin.end(),
  }
}

function total(taken) {
  return STAGES.reduce((sum, stage) => sum + (taken[stage] ?? 0), 0)
}

function ratios(ours, theirs, of) {
  return round(median(ours.map((taken, i) => of(taken) / of(theirs[i]))))
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}

function round(value) {
  return Number(value.toFixed(2))
}
