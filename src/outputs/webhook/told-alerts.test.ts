import { describe, expect, it } from 'vitest'
import type { Alert } from '../../detectors/detector.ts'
import { alertChanges } from './alert-changes.ts'
import { MAX_TELLS, toldAlerts } from './told-alerts.ts'

const alert = (id: string, more: Partial<Alert> = {}) =>
  ({ id, detector: 'kl', kind: 'kl-explosion', severity: 'critical', state: 'open', replaces: null, ...more }) as Alert

/** What people are told of a run's alerts, look by look. */
function told(...looks: readonly (readonly Alert[])[]): string[] {
  const changes = alertChanges()
  const people = toldAlerts()
  changes([])
  return looks.flatMap((history) =>
    changes(history).flatMap((changed) => {
      const { told } = people.take('run', changed)
      return told === null ? [] : [`${told.change} ${told.alert.id}`]
    }),
  )
}

describe('people are told', () => {
  it('that what they were called for has eased, and passed, where all of that began between two looks', () => {
    const history = [
      alert('kl-1', { severity: 'warning', state: 'resolved' }),
      alert('kl-2', { replaces: 'kl-1', state: 'resolved' }),
      alert('kl-3', { severity: 'warning', replaces: 'kl-2' }),
    ]
    const passed = history.map((one): Alert => ({ ...one, state: 'resolved' }))
    expect(told(history, passed)).toEqual(['opened kl-1', 'escalated kl-2', 'eased kl-3', 'resolved kl-3'])
  })

  it('that what they know of has passed, though it grew worse once too often to be told', () => {
    const worn = Array.from({ length: MAX_TELLS }, (_, i) => alert(`kl-${i}`, { state: 'resolved' }))
    const [milder, graver] = [alert('a', { severity: 'warning' }), alert('b', { replaces: 'a' })]
    const over = (one: Alert): Alert => ({ ...one, state: 'resolved' })
    expect(
      told([...worn, milder], [...worn, over(milder), graver], [...worn, over(milder), over(graver)]).slice(MAX_TELLS),
    ).toEqual(['opened a', 'resolved b'])
    // Another kind is another failure, of which nobody knows.
    const kinds = { kind: 'reward-hacking' } as const
    const [others, another] = [worn.map((one) => ({ ...one, ...kinds })), { ...graver, ...kinds }]
    expect(told([...others, over(milder), another], [...others, over(milder), over(another)]).slice(MAX_TELLS)).toEqual(
      ['opened a'],
    )
  })

  it('of each broken relation, however often others have come', () => {
    const relation = (name: string, n: number) => alert(`${name}-${n}`, { detector: name, kind: 'broken-invariant' })
    const many = Array.from({ length: MAX_TELLS + 2 }, (_, i) => relation('negative-kl', i + 1))
    expect(told([...many, relation('flipped-sign', 1)])).toEqual([
      ...many.slice(0, MAX_TELLS).map(({ id }) => `opened ${id}`),
      'opened flipped-sign-1',
    ])
  })
})
