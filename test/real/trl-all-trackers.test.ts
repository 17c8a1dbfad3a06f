import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { WireLine } from '../../src/log/wire.ts'
import { type FoundRun, runFinder } from '../../src/sources/find-runs.ts'
import { openRun } from '../../src/sources/run-reader.ts'
import { TRAINERS } from '../../src/vocabulary/vocabulary.ts'

// One training of TRL that reports to every tracker: each is found, is known as GRPO, and says what the trainer's own history says.

const python = process.env.TELLTALE_PYTHON ?? 'python3'
const script = fileURLToPath(new URL('trl_all_trackers.py', import.meta.url))
const place = mkdtempSync(join(tmpdir(), 'telltale-trl-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))

type Entry = Readonly<Record<string, number>>
let history: readonly Entry[] = []
let runs: readonly FoundRun[] = []

beforeAll(async () => {
  try {
    execFileSync(python, [script, place], { cwd: place, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' })
  } catch (error) {
    throw new Error(
      `${(error as { stderr?: string }).stderr?.slice(-2000)}\n${python} could not train. It needs: python3 -m pip install torch==2.13.0 -r test/real/requirements.txt -r python/tests/requirements.txt  (TELLTALE_PYTHON names another Python)`,
    )
  }
  history = JSON.parse(readFileSync(join(place, 'log_history.json'), 'utf8')) as Entry[]
  const found = await runFinder([place]).find()
  expect(found.unreadable).toEqual([])
  runs = found.runs
})

async function linesOf(run: FoundRun): Promise<readonly WireLine[]> {
  const lines: WireLine[] = []
  const reader = await openRun(run, { emit: (line) => lines.push(line) })
  while ((await reader.read({ finished: true })).more);
  reader.close()
  return lines
}

it('finds one run of each tracker, and the answers and checkpoints of the output folder as one with its event file', () => {
  expect(runs.map(({ parts }) => parts.map(({ format }) => format.name).sort()).sort()).toEqual([
    ['completions', 'tfevents', 'trainer-state'],
    ['mlflow'],
    ['trackio'],
    ['wandb'],
  ])
})

it.each([
  { source: 'tfevents', prefix: 'train/', round: Math.fround },
  { source: 'wandb', prefix: 'train/', round: Number },
  { source: 'trackio', prefix: 'train/', round: Number },
  { source: 'mlflow', prefix: '', round: Number },
] as const)('$source says what the trainer says, at its steps', async ({ source, prefix, round }) => {
  const run = runs.find(({ parts }) => parts.some(({ format }) => format.name === source))!
  const lines = await linesOf(run)
  const [first] = lines
  expect(first).toMatchObject({ type: 'run', trainer: 'trl-grpo' })
  expect(TRAINERS).toContain('trl-grpo')
  let compared = 0
  for (const { step, ...logged } of history) {
    const metrics: Record<string, unknown> = {}
    for (const line of lines) if (line.type === 'event' && line.iteration === step) Object.assign(metrics, line.metrics)
    for (const [name, value] of Object.entries(logged)) {
      // transformers gives its trackers the last entry, which sums up, without the group's name.
      const given = metrics[`${prefix}${name}`] ?? metrics[name]
      if (
        name in
        { train_runtime: 1, train_samples_per_second: 1, train_steps_per_second: 1, total_flos: 1, train_loss: 1 }
      )
        continue
      expect([step, name, given]).toEqual([step, name, round(value)])
      compared++
    }
  }
  expect(compared).toBeGreaterThan(100)
})

it('the output folder has the answers of each step, and the checkpoints', async () => {
  const lines = await linesOf(runs.find(({ parts }) => parts.length === 3)!)
  const phase = (name: string) => lines.filter((line) => line.type === 'event' && line.phase === name)
  const answers = phase('response_generated') as unknown as readonly {
    iteration: number
    metadata: { responses: string[]; rewards: number[] }
  }[]
  expect(answers.map(({ iteration }) => iteration)).toEqual([2, 4, 6, 8, 10])
  for (const { metadata } of answers)
    expect(metadata.rewards).toEqual(metadata.responses.map((text) => expect.closeTo(1 / (1 + text.length), 6)))
  expect(phase('checkpoint_saved').map((line) => line.type === 'event' && line.iteration)).toEqual([4, 8, 10])
})
