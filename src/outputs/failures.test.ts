import { expect, it } from 'vitest'
import type { Alert, AlertKind, Severity } from '../detectors/detector.ts'
import { courseWords, failuresOf, formerOf, worseningAlerts } from './failures.ts'

const alert = (
  id: string,
  severity: Severity,
  replaces: string | null,
  iteration: number,
  more: { readonly kind?: AlertKind; readonly state?: Alert['state'] } = {},
) => ({
  id,
  severity,
  replaces,
  iteration,
  kind: 'kl-explosion' as AlertKind,
  state: 'resolved' as Alert['state'],
  ...more,
})

it('is one failure as it grows worse and eases, and another one of another kind or when it comes back', () => {
  const history = [
    alert('a-1', 'warning', null, 3),
    alert('b-1', 'info', null, 4, { kind: 'entropy-collapse', state: 'open' }),
    alert('a-2', 'critical', 'a-1', 5),
    alert('a-3', 'warning', 'a-2', 1020),
    alert('a-4', 'warning', 'a-3', 1030, { kind: 'length-explosion' }),
    alert('a-5', 'info', null, 1100),
    alert('a-6', 'warning', 'a-5', 1200),
    alert('a-7', 'info', 'a-6', 1300, { state: 'open' }),
  ]
  const said = failuresOf(history).map((failure) => [failure.gravest.id, failure.alerts.length, courseWords(failure)])
  expect(said).toEqual([
    ['a-2', 3, ', a warning from 3 on, passed since'],
    ['b-1', 1, ''],
    ['a-4', 1, ', passed since'],
    ['a-6', 3, ', a note from 1,100 on, eased to a note at 1,300'],
  ])
  expect(worseningAlerts(history).map(({ id }) => id)).toEqual(['a-1', 'b-1', 'a-2', 'a-4', 'a-5', 'a-6'])
  expect(formerOf(history[4]!, history)).toBeNull()
  expect(formerOf({ ...history[2]!, replaces: undefined as unknown as null }, history)).toBeNull()
})

it('asks each alert for its id a few times only, however long the history is', () => {
  let asked = 0
  const history = Array.from({ length: 1000 }, (_, i) => ({
    ...alert('', 'warning', i % 3 === 0 ? null : `a-${i - 1}`, i),
    get id() {
      asked++
      return `a-${i}`
    },
  }))
  expect(failuresOf(history).map(({ alerts }) => alerts.length)).toEqual([...Array(333).fill(3), 1])
  expect(asked).toBeLessThan(5 * history.length)
})
