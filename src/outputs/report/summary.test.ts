import { describe, expect, it } from 'vitest'
import { collectReport } from './collect.ts'
import { comparator, type RecordedRunOptions, recordedRun } from './recorded-run.fixture.ts'
import type { ReportInput } from './report-input.ts'
import { summaryWords } from './summary.ts'

function words(options: RecordedRunOptions, input: Partial<ReportInput> = {}): string {
  return wordsOf({ ...recordedRun(options), ...input })
}

function wordsOf(input: ReportInput): string {
  const report = collectReport(input, '/nonexistent')
  // The words are a pure function of the data.
  expect(summaryWords(report)).toEqual(report.summary.text)
  return report.summary.text.join('\n')
}

it('a run that completed clean', () => {
  const text = words({})
  expect(text).toMatch(/^The run completed all 100 iterations in 1 min \d\d s\. No alert was raised\./)
  expect(text).toMatch(
    /From its first to its last tenth the reward went from 0\.3\d+ to 1\.2\d*, the KL to the reference/,
  )
  expect(text).toMatch(/nothing has to be undone\..*the absence of alerts speaks only for what was watched/)
  expect(text).not.toMatch(/How sure|Not watched|Set aside|resumed/)
})

it('a run that ended before its time', () => {
  expect(words({ iterations: 30 })).toMatch(/^The run ended by itself with 30 of 100 iterations done/)
  expect(words({ iterations: 1, totalIterations: null })).toMatch(/^The run completed its one iteration/)
})

it('completed with a warning', () => {
  const text = words({ explainedVariance: -0.2 })
  expect(text).toMatch(
    /completed all 100 iterations.*1 warning was raised\. It came at iteration \d+: the explained variance of the value head is -0\.2/,
  )
  expect(text).toMatch(/What to do: look at the value model/)
  expect(text).toMatch(/How sure: .*a fixed threshold does not know the noise of this run/)
})

describe('stopped on a critical alert', () => {
  it('says when, why, since when, where to go back to and what to change', () => {
    const text = words({ klGrowth: 0.02 })
    expect(text).toMatch(
      /^The run was stopped after iteration 53 \(54 of 100 iterations done\) because the KL to the reference per token reached 0\.3086 nats\/token, above the limit of 0\.3\. This has been so since iteration 53\./,
    )
    expect(text).toMatch(
      /What to do: roll back to the checkpoint of iteration 40, .*raise the KL coefficient from 0\.05 to about 0\.1; lower the learning rate/,
    )
    expect(text).toMatch(
      /How sure: the statistic is 0\.309 against a threshold of 0\.3 \(1\.03 times\).*No other detector has raised a warning/,
    )
  })

  it('has nowhere to go back to without a checkpoint', () => {
    expect(words({ klGrowth: 0.02, checkpointEvery: 0 })).toMatch(
      /What to do: start again from the beginning: no checkpoint from before the onset exists/,
    )
  })

  it('names what supports it', () => {
    expect(words({ klGrowth: 0.02, explainedVariance: -0.2 })).toMatch(
      /It does not stand alone: value-reward mismatch since about iteration \d+ \(between \d+ and \d+\)/,
    )
  })

  it('tells reward hacking by the signal that it was seen in', () => {
    const text = words({ extraMetrics: (i) => ({ 'quality/judge': 1 - 0.02 * i + Math.sin(i) * 0.05 }) })
    expect(text).toMatch(
      /because the reward kept rising while the judge fell from .* to .*, the mark of reward hacking/,
    )
    expect(text).toMatch(/This has been so since about iteration \d+ \(between \d+ and \d+\)/)
  })
})

it('interrupted by the user', () => {
  const text = words({
    before: (i, monitor) => {
      if (i === 12) monitor.requestEarlyStop('interrupted by SIGINT')
    },
  })
  expect(text).toMatch(
    /^The run was interrupted by hand \(SIGINT\) after iteration 12 \(13 of 100 iterations done\) in .* No alert was raised/,
  )
  expect(text).toMatch(/if you want to go on, start from the beginning, since no checkpoint was saved/)
})

it('stopped by the trainer’s own reason', () => {
  const text = words({
    iterations: 60,
    before: (i, monitor) => {
      if (i === 45) monitor.requestEarlyStop('the budget is used up', { rollbackTo: 40 })
    },
  })
  expect(text).toMatch(/stopped after iteration 44 .*: the budget is used up\./)
  expect(text).toMatch(/go on from the checkpoint of iteration 40/)
})

it('failed with an exception', () => {
  const text = words({ iterations: 25, end: { status: 'failed', error: 'out of memory\nat step 3' } })
  expect(text).toMatch(
    /^The run failed after iteration 24 \(25 of 100 iterations done\) in .*The error was: out of memory at step 3\. No alert was raised/,
  )
  expect(text).toMatch(/What to do: mend the cause, then go on from the checkpoint of iteration 20\./)
})

it('an empty run', () => {
  expect(words({ iterations: 0 })).toMatch(
    /ended before its first iteration was complete, so there is nothing to judge/,
  )
  expect(words({ iterations: 0, end: { status: 'failed', error: 'no GPU' } })).toMatch(
    /failed before its first.*no GPU\./,
  )
  expect(words({ iterations: 0, end: null })).toMatch(/has begun and has not completed an iteration yet/)
})

it('a run that is running', () => {
  expect(words({ iterations: 10, end: null })).toMatch(
    /^The run is running; iteration 9 is its newest \(10 of 100 iterations done\)/,
  )
})

it('a run that has been asked to stop and has not ended yet', () => {
  expect(words({ klGrowth: 0.02, end: null })).toMatch(/^The run is about to stop after iteration 53 .* because the KL/)
})

it('a resumed run', () => {
  const input = recordedRun({ iterations: 30, end: null })
  input.monitor.onEvent({ phase: 'iteration_end', iteration: 20, metrics: { reward: 1 } })
  input.monitor.onEvent({ phase: 'iteration_end', iteration: 21, metrics: { reward: 1 } })
  expect(wordsOf(input)).toMatch(/The run was resumed: this is attempt 2, which began again at iteration 20/)
})

it('things set aside, and monitoring that broke', () => {
  const input = recordedRun({ iterations: 30, end: null })
  input.monitor.onEvent({ phase: 'nonsense' as never, iteration: 0 })
  input.monitor.onEvent({ phase: 'iteration_end', iteration: 30, metrics: { reward: 'much' as never } })
  input.monitor.registerCallback({
    name: 'broken',
    onEvent() {
      throw new Error('oh')
    },
  })
  input.monitor.onEvent({ phase: 'iteration_end', iteration: 31 })
  const text = wordsOf(input)
  expect(text).toMatch(/Set aside and counted: 1 events that were no events .* and 1 values that were no numbers/)
  expect(text).toMatch(/Part of the monitoring itself did not work \(broken\)/)
})

it('says what was not watched, and that a reward alone reveals no hacking', () => {
  const input = recordedRun({ iterations: 0, end: null })
  for (let i = 0; i < 5; i++) input.monitor.onEvent({ phase: 'iteration_end', iteration: i, metrics: { reward: i } })
  const text = wordsOf(input)
  expect(text).toMatch(/Not watched, .*: reward hacking, KL explosion, loss of coherence and value-reward mismatch/i)
  expect(text).toMatch(/a reward curve alone cannot reveal reward hacking/)
})

it('without an analyzer claims nothing', () => {
  expect(words({}, { analyzer: undefined })).toMatch(/Nothing judged its quality: no analyzer was attached/)
})

it('speaks of the gold score only as something that no detector read', () => {
  expect(words({ extraMetrics: (i) => ({ 'gold/judge': -i }) })).toMatch(
    /Meanwhile the gold judge went from -4\.5 to -94\.5; no detector reads that/,
  )
})

it('never writes undefined, [object Object] or NaN iterations', () => {
  for (const options of [
    {},
    { iterations: 0 },
    { iterations: 1 },
    { klGrowth: 0.02 },
    { explainedVariance: Number.NaN },
  ]) {
    expect(words(options, { comparator: comparator([]) })).not.toMatch(/undefined|\[object|iteration NaN/)
  }
})
