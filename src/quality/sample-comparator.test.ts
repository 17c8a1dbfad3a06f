import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { SampleGenerator } from '../callbacks.ts'
import { replayRun } from '../log/replay-run.ts'
import { TrainingMonitor } from '../monitor.ts'
import { sequenceRatio } from '../text/sequence-matcher.ts'
import { SampleComparator, type SampleComparatorOptions } from './sample-comparator.ts'

const dir = mkdtempSync(join(tmpdir(), 'telltale-comparator-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const PROMPTS = ['one ?', 'two ?', 'three ?', 'four ?']

/** A model that answers well up to an iteration, and then in nothing but the word "room". */
function world(
  options: SampleComparatorOptions & {
    readonly breaksAt?: number
    readonly generator?: Partial<SampleGenerator> | null
    readonly outputDir?: string
  } = {},
) {
  const { breaksAt = 1e9, generator = {}, outputDir, ...rest } = options
  const monitor = new TrainingMonitor({
    handleSignals: false,
    onWarning: () => {},
    ...(outputDir ? { outputDir } : {}),
  })
  const comparator = new SampleComparator({ sampleSize: 4, comparisonFrequency: 10, baselineIterations: 2, ...rest })
  monitor.registerCallback(comparator)
  let now = 0
  const answer = (prompt: string) =>
    now < breaksAt ? `a good answer to ${prompt} at ${now % 3}` : 'room room room room room'
  if (generator) {
    monitor.registerGenerator({
      generate: (prompts) => prompts.map(answer),
      refPerplexity: (_, responses) =>
        responses.map((response) => (response.startsWith('room') ? 40 : 2) + response.length / 100),
      ...generator,
    })
  }
  const iterate = async (count: number) => {
    for (let i = 0; i < count; i++, now++) {
      const prompts = [PROMPTS[now % 4]!, PROMPTS[(now + 1) % 4]!]
      monitor.onEvent({ phase: 'iteration_start', iteration: now })
      monitor.onEvent({
        phase: 'response_generated',
        iteration: now,
        metadata: { prompts, responses: prompts.map(answer) },
      })
      monitor.onEvent({ phase: 'iteration_end', iteration: now })
      await monitor.settle()
    }
  }
  return { monitor, comparator, iterate }
}

describe('the baseline', () => {
  it('is the first answers to the first prompts, each prompt once, and never changes', async () => {
    const { comparator, iterate } = world({ sampleSize: 3 })
    await iterate(15)
    expect(comparator.baselineSamples.map(({ iteration, prompt }) => [iteration, prompt])).toEqual([
      [0, 'one ?'],
      [0, 'two ?'],
      [1, 'three ?'],
    ])
    expect(comparator.baselineSamples[0]!.response).toBe('a good answer to one ? at 0')
  })

  it('is of the first iterations only, however few prompts they had', async () => {
    const { comparator, iterate } = world({ sampleSize: 10, baselineIterations: 1 })
    await iterate(8)
    expect(comparator.baselineSamples).toHaveLength(2)
  })
})

describe('comparisons', () => {
  it('re-generate the same prompts at their times, in settle, and publish what they find', async () => {
    const { monitor, comparator, iterate } = world({
      breaksAt: 15,
      generator: {
        embed: (texts) => texts.map((text) => Float32Array.of(1, text.startsWith('room') ? 1 : 0)),
        isClear: (_, responses) => responses.map((response) => !response.startsWith('room')),
      },
    })
    await iterate(25)
    expect(
      comparator.comparisonHistory.map(({ iteration, source, driftKind }) => [iteration, source, driftKind]),
    ).toEqual([
      [10, 'regenerated', 'semantic'],
      [20, 'regenerated', 'semantic'],
    ])
    const [before, after] = comparator.comparisonHistory
    expect(before!.pairs).toHaveLength(3)
    expect(after!.metrics).toMatchObject({
      'quality/clear_share': 0,
      'quality/fixed_repetition': 0.75,
      'quality/fixed_ref_perplexity': expect.closeTo(40.24, 2),
    })
    expect(before!.metrics['quality/clear_share']).toBe(1)
    expect(after!.metrics['quality/drift']).toBeCloseTo(1 - Math.SQRT1_2, 5)
    expect(after!.metrics['quality/similarity']).toBeCloseTo(
      after!.pairs.reduce((sum, { original, updated }) => sum + sequenceRatio(original, updated), 0) / 3,
      10,
    )
    expect(monitor.getMetricsStore().latest('quality/similarity')).toBe(after!.metrics['quality/similarity'])
    expect(after!.pairs[0]!.diff.words.map(({ kind }) => kind)).toEqual(['removed', 'added'])
  })

  it('come once more at the last iteration and at a stop', async () => {
    const { monitor, comparator, iterate } = world()
    monitor.onEvent({ phase: 'training_start', iteration: 0, metadata: { totalIterations: 14 } })
    await iterate(13)
    expect(comparator.comparisonHistory.map(({ iteration }) => iteration)).toEqual([10])
    await iterate(1)
    expect(comparator.comparisonHistory.map(({ iteration }) => iteration)).toEqual([10, 13])
    monitor.requestEarlyStop('enough')
    await iterate(1)
    expect(comparator.comparisonHistory.map(({ iteration }) => iteration)).toEqual([10, 13, 14])
  })

  it('pair answers to the same prompt as they come by where there is no generator, and call drift lexical', async () => {
    const { comparator, iterate } = world({ generator: null, breaksAt: 5 })
    await iterate(21)
    expect(
      comparator.comparisonHistory.map(({ iteration, source, driftKind }) => [iteration, source, driftKind]),
    ).toEqual([
      [10, 'paired', 'lexical'],
      [20, 'paired', 'lexical'],
    ])
    expect(comparator.comparisonHistory[1]!.metrics['quality/fixed_ref_perplexity']).toBeUndefined()
    expect(comparator.comparisonHistory[1]!.metrics['quality/drift']).toBeGreaterThan(0.5)
  })

  it('stay bounded over a long run and keep the first and the newest', async () => {
    const { comparator, iterate } = world({ comparisonFrequency: 1 })
    await iterate(460)
    const iterations = comparator.comparisonHistory.map(({ iteration }) => iteration)
    expect(iterations.length).toBeLessThanOrEqual(200)
    expect([iterations[0], iterations.at(-1)]).toEqual([1, 459])
    expect(iterations).toEqual(iterations.toSorted((a, b) => a - b))
  })

  it('are the same in a replay, without a model', async () => {
    const { monitor, comparator, iterate } = world({ breaksAt: 15, outputDir: dir })
    await monitor.run(() => iterate(25))
    const again = new SampleComparator({ sampleSize: 4, comparisonFrequency: 10, baselineIterations: 2 })
    const replayed = await replayRun(dir, (m) => m.registerCallback(again))
    expect(JSON.stringify(again.comparisonHistory)).toBe(JSON.stringify(comparator.comparisonHistory))
    expect(again.baselineSamples).toEqual(comparator.baselineSamples)
    expect(again.forgettingEvidence()).toEqual(comparator.forgettingEvidence())
    for (const name of monitor.getMetricsStore().names()) {
      expect(replayed.monitor.getMetricsStore().history(name)!.buckets(), name).toEqual(
        monitor.getMetricsStore().history(name)!.buckets(),
      )
    }
  })

  it('survive a generator that fails, and say so once', async () => {
    const { monitor, comparator, iterate } = world({
      generator: {
        generate: () => {
          throw new Error('out of memory')
        },
      },
    })
    await iterate(31)
    expect(comparator.comparisonHistory).toEqual([])
    expect(monitor.summary().callbackFailures).toMatchObject([
      { callback: 'SampleComparator', problem: 'settle failed: out of memory', count: 3 },
    ])
  })
})

describe('measures of every iteration', () => {
  it('are published once an iteration, before it ends', async () => {
    const { monitor, iterate } = world({ breaksAt: 3 })
    const closed: (number | undefined)[] = []
    monitor.registerCallback({
      onEvent: (_, context) => void (context.closed && closed.push(context.closed.get('quality/repetition'))),
    })
    await iterate(5)
    expect(closed).toEqual([0, 0, 0, 0.75, 0.75])
    expect(monitor.getMetricsStore().get('quality/distinct_2')!.length).toBe(5)
  })
})

describe('a run that falls back', () => {
  it('is measured and compared again', async () => {
    const { monitor, comparator, iterate } = world()
    await iterate(12)
    for (let iteration = 8; iteration < 11; iteration++) {
      monitor.onEvent({ phase: 'iteration_start', iteration })
      monitor.onEvent({
        phase: 'response_generated',
        iteration,
        metadata: { prompts: ['one ?'], responses: ['again'] },
      })
      monitor.onEvent({ phase: 'iteration_end', iteration })
      await monitor.settle()
    }
    expect([...monitor.getMetricsStore().get('quality/repetition')!.iterations()].slice(-3)).toEqual([8, 9, 10])
    expect(comparator.comparisonHistory.map(({ iteration }) => iteration)).toEqual([10])
    expect(monitor.getMetricsStore().get('quality/similarity')!.length).toBe(1)
  })
})

describe('forgetting', () => {
  it('is seen where every answer has become worse, with its interval', async () => {
    const { comparator, iterate } = world({ breaksAt: 15 })
    await iterate(11)
    expect(comparator.detectCatastrophicForgetting()).toBe(false)
    await iterate(10)
    expect(comparator.detectCatastrophicForgetting()).toBe(true)
    const evidence = comparator.forgettingEvidence()!
    expect(evidence).toMatchObject({ detected: true, measure: 'quality/fixed_ref_perplexity', pairs: 3 })
    expect(evidence.interval[1]).toBeLessThan(-0.2)
  })

  it('is not seen where one answer of many is worse, nor from too few pairs', async () => {
    const { comparator, iterate } = world({
      generator: { refPerplexity: (_, responses) => responses.map((_, i) => (i === 0 ? 90 : 2)) },
    })
    await iterate(11)
    expect(comparator.forgettingEvidence()!.detected).toBe(false)
    const few = world({ sampleSize: 2, breaksAt: 5 })
    await few.iterate(11)
    expect(few.comparator.forgettingEvidence()).toBeNull()
    expect(few.comparator.detectCatastrophicForgetting()).toBe(false)
  })

  it('falls back to repetition where there is no reference', async () => {
    const { comparator, iterate } = world({ generator: null, breaksAt: 5 })
    await iterate(11)
    expect(comparator.forgettingEvidence()).toMatchObject({ measure: 'quality/fixed_repetition', detected: true })
  })
})

describe('bad input', () => {
  it.each([
    [{ sampleSize: 0 }],
    [{ sampleSize: 65 }],
    [{ comparisonFrequency: 1.5 }],
    [{ baselineIterations: Number.NaN }],
  ])('%o is refused', (options) => {
    expect(() => new SampleComparator(options)).toThrowError(expect.objectContaining({ code: 'bad-option' }))
  })

  it('in samples is passed over', () => {
    const { monitor, comparator } = world()
    const hostile = [
      { prompts: 'text', responses: 'text' },
      { prompts: [1, null, '', 'ok ?'], responses: ['a', 'b', 'c', 5] },
      { prompts: ['long ?'], responses: ['x'.repeat(5_000_000)] },
      { responses: [] },
      { prompts: ['more', 'prompts', 'than'], responses: ['answers'] },
    ]
    for (const [iteration, metadata] of hostile.entries())
      monitor.onEvent({ phase: 'response_generated', iteration, metadata })
    monitor.onEvent({
      phase: 'evaluation',
      iteration: 9,
      metadata: { kind: 'sample-comparison', pairs: [null, 7, { prompt: 'x' }] },
    })
    expect(comparator.baselineSamples.map(({ prompt }) => prompt)).toEqual(['ok ?', 'long ?'])
    expect(comparator.baselineSamples[1]!.response).toHaveLength(4096)
    expect(comparator.comparisonHistory.at(-1)?.pairs).toEqual([])
    expect(monitor.summary().callbackFailures).toEqual([])
  })

  it('computeDiff is bounded', () => {
    const diff = new SampleComparator().computeDiff('a b\n'.repeat(300_000), 'a c\n'.repeat(300_000))
    expect(diff.similarity).toBeGreaterThan(0.5)
    expect(new SampleComparator().computeDiff('one\ntwo\nthree', 'one\n2\nthree\nfour')).toMatchObject({
      linesAdded: 2,
      linesRemoved: 1,
    })
  })
})
