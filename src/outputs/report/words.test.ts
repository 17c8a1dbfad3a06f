import { describe, expect, it } from 'vitest'
import { alertReason } from '../../decision/alert-reason.ts'
import type { ReportAlert } from './report.ts'
import { MAX_CHECKPOINTS } from './report.ts'
import { ALERT_BASES, ALERT_KINDS, SIMPLE_ADVICE } from './report-names.ts'
import { adviceWords, alertClause, certaintyWords, seenWords } from './words.ts'

function alert(more: Partial<ReportAlert>): ReportAlert {
  return {
    id: 'x-1',
    detector: 'x',
    kind: 'quality-collapse',
    direction: 'down',
    severity: 'critical',
    state: 'open',
    replaces: null,
    iteration: 9,
    reason: '',
    onset: { estimate: 5, interval: [4, 6] },
    series: ['quality/judge', 'reward/score'],
    observed: 0.2,
    expected: 0.5,
    statistic: 7,
    threshold: 5,
    rollbackTo: null,
    advice: [],
    basis: 'calibrated',
    falseAlarmRate: 0.01,
    samples: [],
    ...more,
  }
}

describe('every alert', () => {
  it.each(ALERT_KINDS.flatMap((kind) => ALERT_BASES.map((basis) => [kind, basis] as const)))(
    'of %s, basis %s, has words with its numbers in order',
    (kind, basis) => {
      const one = alert({ kind, basis })
      const { direction: _, ...evidence } = one
      for (const words of [alertClause(one, {}), alertReason(evidence, basis)]) {
        expect(words.replace('NaN or infinite', '')).not.toMatch(/undefined|NaN|null|\[object/)
        expect(words.length).toBeGreaterThan(20)
      }
    },
  )

  it('is as sure as what its threshold rests on', () => {
    expect(certaintyWords(alert({}))).toBe(
      'the statistic is 7 against a threshold of 5; the detectors are calibrated so that at most 1 of 100 healthy runs raise any critical alert',
    )
    expect(certaintyWords(alert({ severity: 'warning', falseAlarmRate: null }))).toMatch(/a warning comes more readily/)
    expect(certaintyWords(alert({ severity: 'info', falseAlarmRate: null }))).toMatch(/a note comes more readily/)
    expect(certaintyWords(alert({ basis: 'rule', statistic: 3, falseAlarmRate: null }))).toMatch(
      /3 iterations in a row/,
    )
    expect(certaintyWords(alert({ basis: 'threshold', falseAlarmRate: null }))).toMatch(/healthy runs can cross it too/)
  })

  it('of a stall says how long nothing came, and that it is no matter of other runs', () => {
    const one = alert({
      kind: 'stall',
      severity: 'warning',
      series: ['time/silence'],
      observed: 912.345,
      expected: 40,
      statistic: 912.345,
      threshold: 200,
      basis: 'rule',
      falseAlarmRate: null,
    })
    const { direction: _, ...stall } = one
    expect(alertReason(stall, 'rule')).toBe(
      'The run stands still: no event for 912 s, where 40 s at the most were usual (threshold 200 s)',
    )
    expect(alertClause(one, {})).toMatch(/^no event came for 912\.\d* s, where 40 s at the most were usual/)
    expect(certaintyWords(stall)).toMatch(/^the statistic is 912 against a threshold of 200 seconds, five times/)
  })

  it('of rewards that do not add up names all three series', () => {
    const one = alert({ kind: 'broken-invariant', series: ['reward/total'], basis: 'rule' })
    const { direction: _, ...sum } = one
    expect(alertReason(sum, 'rule')).toContain('0.2 where reward/score and kl_ref/penalty_reward make 0.5')
    expect(alertClause(one, {})).toContain('is 0.2 where score and KL penalty make 0.5')
  })

  it('says of a value that is not finite that it is so', () => {
    expect(seenWords(Number.MAX_VALUE, String)).toBe('not finite')
    const broken = alert({
      kind: 'broken-invariant',
      series: ['ppo/ratio_first'],
      observed: Number.MAX_VALUE,
      basis: 'rule',
    })
    const { direction: _, ...evidence } = broken
    expect(alertClause(broken, {})).toContain('is not finite where it is 0.5 exactly')
    expect(alertReason(evidence, 'rule')).toContain('ppo/ratio_first is not finite')
  })
})

describe('every piece of advice', () => {
  it.each(SIMPLE_ADVICE)('%s is a sentence without its full stop', (what) => {
    expect(adviceWords({ do: what })).toMatch(/^[A-Z].*[^.]$/)
  })

  it('tells from what to what, where that is known', () => {
    expect(adviceWords({ do: 'raise-entropy-bonus', from: 0.01, to: 0.02 })).toBe(
      'Raise the entropy bonus from 0.01 to about 0.02',
    )
    expect(adviceWords({ do: 'raise-entropy-bonus', from: null, to: null })).toBe(
      'Give the entropy a bonus in the loss',
    )
  })
})

describe('the advice to roll back', () => {
  const advice = { do: 'roll-back', to: 19 } as const
  const removed = /^Roll back to a copy of the checkpoint of iteration 19, .*: the run has since removed it$/

  it('names a checkpoint that is there', () => {
    const words = 'Roll back to the checkpoint of iteration 19, the newest from before the onset'
    expect(adviceWords(advice)).toBe(words)
    expect(adviceWords(advice, [14, 19, 24])).toBe(words)
  })

  it('says so where the run has removed it since', () => {
    expect(adviceWords(advice, [94, 99])).toMatch(removed)
    expect(adviceWords(advice, [])).toMatch(removed)
  })

  it('takes nothing for removed that a bounded list leaves out', () => {
    const newest = Array.from({ length: MAX_CHECKPOINTS }, (_, i) => 100 + i)
    expect(adviceWords(advice, newest)).not.toMatch(removed)
    expect(adviceWords({ ...advice, to: 5000 }, newest)).toContain('removed')
  })
})

it('says of longer answers that they are, where quality signals showed it, and what those did', () => {
  const evidence = {
    kind: 'length-explosion',
    direction: 'up',
    severity: 'critical',
    series: ['quality/repetition', 'reward/score'],
    observed: 0.4,
    expected: 0.1,
    statistic: 9,
    threshold: 5,
    onset: { estimate: 40, interval: [40, 45] },
  } as const
  expect(alertReason(evidence, 'calibrated')).toBe(
    'The answers grow without bound: they became longer by a fifth or more, while quality/repetition rose from 0.1 to 0.4 (9 standard errors beyond what healthy runs do; threshold 5)',
  )
  expect(alertReason({ ...evidence, series: ['length/mean'] }, 'calibrated')).toContain(': length/mean rose from')
})
