import { describe, expect, it } from 'vitest'
import type { WireLine } from '../log/wire.ts'
import { type AssembleOptions, assemble } from './assemble.ts'
import type { SourceRecord } from './source.ts'

const points = (step: number, metrics: Record<string, number>, time: number | null = null): SourceRecord => ({
  type: 'points',
  step,
  time,
  metrics,
})
const samples = (step: number, responses: readonly string[]): SourceRecord => ({
  type: 'samples',
  step,
  time: null,
  responses,
})

function assembled(options: Partial<AssembleOptions> = {}) {
  const lines: WireLine[] = []
  return { lines, assembler: assemble({ run: 'r', emit: (line) => lines.push(line), ...options }) }
}

/** Lines as short texts. */
const said = (lines: readonly WireLine[]) =>
  lines.map((line) =>
    line.type === 'event'
      ? `${line.phase} ${line.iteration} ${JSON.stringify(line.metrics ?? line.metadata ?? {})}`
      : `${line.type} ${line.type === 'run' ? `${line.attempt} ${line.trainer ?? ''}` : ''}`.trim(),
  )

describe('iterations', () => {
  it('close when a later step begins, and at the end; the points of a step are one', () => {
    const { lines, assembler } = assembled()
    for (const record of [points(1, { loss: 1 }, 10), points(1, { reward: 2 }), points(2, { loss: 3 }, 20)])
      assembler.take(record)
    expect(lines).toEqual([])
    assembler.end()
    expect(said(lines)).toEqual([
      'run 1 own-loop',
      'iteration_end 1 {"loss":1,"reward":2}',
      'iteration_end 2 {"loss":3}',
    ])
    expect(lines.map(({ seq, time }) => [seq, time])).toEqual([
      [1, 10],
      [2, 10],
      [3, 20],
    ])
  })

  it('are shown while they are open, and close with what came since', () => {
    const { lines, assembler } = assembled()
    assembler.take(points(1, { loss: 1 }))
    assembler.flush()
    assembler.flush()
    assembler.take(points(1, { reward: 2 }))
    assembler.take(points(2, { loss: 3 }))
    assembler.flush()
    expect(said(lines)).toEqual([
      'run 1 own-loop',
      'policy_update 1 {"loss":1}',
      'iteration_end 1 {"reward":2}',
      'policy_update 2 {"loss":3}',
    ])
  })

  it('that were followed live and read at once give the same numbers', () => {
    const records = Array.from({ length: 60 }, (_, i) => points(Math.floor(i / 2), { [i % 2 ? 'loss' : 'reward']: i }))
    const observed = (lines: readonly WireLine[]) => {
      const open: Record<string, unknown> = {}
      return lines.flatMap((line) => {
        if (line.type !== 'event') return []
        Object.assign(open, line.metrics)
        return line.phase === 'iteration_end' ? [JSON.stringify([line.iteration, open])] : []
      })
    }
    const whole = assembled()
    const live = assembled()
    for (const record of records) {
      whole.assembler.take(record)
      live.assembler.take(record)
      live.assembler.flush()
    }
    whole.assembler.end()
    live.assembler.end()
    expect(observed(live.lines)).toEqual(observed(whole.lines))
    expect(live.lines.length).toBeGreaterThan(whole.lines.length)
  })
})

describe('a step that is behind', () => {
  it('is late where its series did not pass it, and another attempt where they begin again', () => {
    const { lines, assembler } = assembled()
    for (let step = 1; step <= 10; step++) assembler.take(points(step, { loss: step }))
    assembler.take(points(4, { 'eval/loss': 1 }))
    assembler.take(points(11, { loss: 11 }))
    assembler.take(points(5, { loss: 50 }))
    assembler.take(points(6, { loss: 60 }))
    assembler.end()
    const texts = said(lines)
    expect(texts).toContain('policy_update 4 {"eval/loss":1}')
    expect(texts.slice(-4)).toEqual([
      'iteration_end 11 {"loss":11}',
      'run 2',
      'iteration_end 5 {"loss":50}',
      'iteration_end 6 {"loss":60}',
    ])
  })

  it('end with the summary that transformers log, once all of it was read, live or not', () => {
    for (const live of [true, false]) {
      const { lines, assembler } = assembled({ trainer: 'trl-grpo' })
      for (const record of [
        points(1, { loss: 1 }),
        points(2, { 'train/train_runtime': 9 }),
        points(2, { 'train/total_flos': 1 }),
      ]) {
        assembler.take(record)
        if (live) assembler.flush()
      }
      // Nothing has come since the look before.
      if (live) assembler.flush()
      else assembler.end()
      expect(said(lines).at(-1)).toBe('training_end 2 {"status":"completed"}')
      assembler.take({ type: 'end', status: 'completed' })
      assembler.end()
      expect(said(lines).filter((text) => text.startsWith('training_end'))).toHaveLength(1)
    }
  })

  it('by one is no resumed run: two lines have changed places', () => {
    const { lines, assembler } = assembled()
    for (const step of [1, 2, 4, 3, 5]) assembler.take(points(step, { loss: step }))
    assembler.end()
    expect(lines.filter(({ type }) => type === 'run')).toHaveLength(1)
  })

  it('after an end, or a record that says so, is another attempt', () => {
    const { lines, assembler } = assembled()
    assembler.take(points(1, { loss: 1 }))
    assembler.take({ type: 'end', status: 'completed' })
    assembler.take(points(2, { loss: 1 }))
    assembler.take({ type: 'attempt' })
    assembler.take(points(3, { loss: 1 }))
    assembler.end()
    expect(said(lines).map((text) => text.split(' ').slice(0, 2).join(' '))).toEqual([
      'run 1',
      'iteration_end 1',
      'training_end 1',
      'run 2',
      'iteration_end 2',
      'run 3',
      'iteration_end 3',
    ])
  })
})

describe('the trainer', () => {
  const grpo = { reward: 1, frac_reward_zero_std: 0, 'completions/mean_length': 4, kl: 0.1 }

  it('is recognised over the first steps, and named where somebody knows better', () => {
    for (const [trainer, expected] of [
      [undefined, 'trl-grpo'],
      ['trl-rloo', 'trl-rloo'],
    ] as const) {
      const { lines, assembler } = assembled(trainer ? { trainer } : {})
      assembler.take(points(1, { loss: 1 }))
      assembler.take(points(2, grpo))
      assembler.end()
      expect(said(lines)[0]).toBe(`run 1 ${expected}`)
      expect(assembler.trainer).toBe(expected)
    }
  })

  it('that is told only from later names was misjudged live', () => {
    const { assembler } = assembled()
    assembler.take(points(1, { loss: 1 }))
    assembler.flush()
    expect([assembler.trainer, assembler.misjudged]).toEqual(['own-loop', false])
    assembler.take(points(2, grpo))
    expect(assembler.misjudged).toBe(true)
  })

  it('is told from the names that they are mapped to', () => {
    const { lines, assembler } = assembled({ rename: new Map([['my_kl', 'kl_ref/token']]) })
    assembler.take(points(1, { my_kl: 0.5, loss: 1 }))
    assembler.end()
    expect(said(lines)[1]).toBe('iteration_end 1 {"kl_ref/token":0.5,"loss":1}')
  })
})

describe('answers', () => {
  it('of another file are joined to their step, also where they come first; late ones are left out', () => {
    const { lines, assembler } = assembled()
    assembler.takeBeside(samples(2, ['early']))
    assembler.take(points(1, { loss: 1 }))
    assembler.take(points(2, { loss: 2 }))
    assembler.takeBeside(samples(1, ['late']))
    assembler.takeBeside(samples(2, ['more']))
    assembler.end()
    expect(said(lines).slice(1)).toEqual([
      'iteration_end 1 {"loss":1}',
      'response_generated 2 {"responses":["early","more"]}',
      'iteration_end 2 {"loss":2}',
    ])
  })

  it('are at most 64 of a step, each with its prompt and reward', () => {
    const { lines, assembler } = assembled()
    assembler.take(points(1, {}))
    for (let i = 0; i < 10; i++)
      assembler.take({ ...samples(1, Array(10).fill(`answer ${i}`)), rewards: Array(10).fill(i) } as SourceRecord)
    assembler.end()
    const event = lines.find((line) => line.type === 'event' && line.phase === 'response_generated')
    const { responses, rewards } = (event as unknown as { metadata: { responses: string[]; rewards: number[] } })
      .metadata
    expect([responses.length, rewards.length, responses[63], rewards[63]]).toEqual([64, 64, 'answer 6', 6])
  })
})

describe('facts', () => {
  it('of the run begin it, and checkpoints stand where they came', () => {
    const { lines, assembler } = assembled()
    assembler.take({ type: 'config', config: { max_steps: 5, lr: 1 }, name: 'a name', project: 'p' })
    assembler.take(points(1, { loss: 1 }))
    assembler.take({ type: 'checkpoint', step: 1, time: 7, path: '/c', removed: [0] })
    assembler.end()
    expect(lines[0]).toMatchObject({ type: 'run', name: 'a name', project: 'p' })
    expect(said(lines).slice(1)).toEqual([
      'training_start 0 {"config":{"max_steps":5,"lr":1},"totalIterations":5}',
      'checkpoint_saved 1 {"path":"/c","removed":[0]}',
      'iteration_end 1 {"loss":1}',
    ])
  })
})
