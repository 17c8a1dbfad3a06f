import { describe, expect, it } from 'vitest'
import {
  ALERT_KINDS,
  type Alert,
  type AlertKind,
  type Detector,
  type Evidence,
  type Severity,
} from '../detectors/detector.ts'
import { alertLadder, type Finding } from './alert-ladder.ts'

function finding(severity: Severity, kind: AlertKind = 'reward-hacking', name = 'one', main = kind): Finding {
  const detector = { name, kind: main } as Detector
  const evidence: Evidence = {
    kind,
    severity,
    series: ['x'],
    observed: Number.POSITIVE_INFINITY,
    expected: 0,
    statistic: 2,
    threshold: 1,
    onset: { estimate: 0, interval: [0, 0] },
  }
  return { detector, evidence }
}

const make = ({ evidence, detector }: Finding, id: string, replaces: string | null) =>
  ({ ...evidence, id, detector: detector.name, state: 'open', replaces }) as Alert

/** Feeds one list of findings an iteration; gives `iteration:id severity` of what was raised. */
function raised(run: readonly (readonly Finding[])[], ladder = alertLadder()): string[] {
  return run.flatMap((findings, i) =>
    ladder.update(findings, make).map((alert) => `${i}:${alert.id} ${alert.severity}`),
  )
}

const times = (n: number, ...findings: Finding[]) => Array.from({ length: n }, () => findings)

describe('alertLadder', () => {
  it('climbs at once, and steps down after 15 iterations of weaker evidence', () => {
    const ladder = alertLadder()
    const run = [...times(2, finding('info')), ...times(1, finding('critical')), ...times(15, finding('warning'))]
    expect(raised(run, ladder)).toEqual(['0:one-1 info', '2:one-2 critical', '17:one-3 warning'])
    expect(ladder.history.map(({ state }) => state)).toEqual(['resolved', 'resolved', 'open'])
    expect(ladder.history.map(({ replaces }) => replaces)).toEqual([null, 'one-1', 'one-2'])
    raised([[], [], [], ...times(1, finding('info'))], ladder)
    // What comes back is a new failure.
    expect(ladder.history.at(-1)).toMatchObject({ id: 'one-4', replaces: null })
  })

  it('does not step down while the strong evidence comes back', () => {
    const run = times(10, finding('critical'), finding('warning')).flatMap((findings) => [
      findings.slice(0, 1),
      ...times(14, finding('warning')),
    ])
    expect(raised(run)).toEqual(['0:one-1 critical'])
  })

  it('raises again only after the alert was resolved by three quiet iterations', () => {
    expect(raised([[finding('critical')], [], [], [finding('critical')], [], [], [], [finding('critical')]])).toEqual([
      '0:one-1 critical',
      '7:one-2 critical',
    ])
  })

  it('ends what was said of a silence at once, and says nothing of the rest between two iterations', () => {
    const ladder = alertLadder()
    const momentary = finding('warning', 'stall', 'clock')
    Object.assign(momentary.detector, { tick: () => undefined })
    ladder.update([finding('critical')], make)
    const states = () => ladder.history.map(({ id, state }) => `${id} ${state}`)
    expect(ladder.tick([momentary], make).map(({ id }) => id)).toEqual(['clock-1'])
    for (let i = 0; i < 100; i++) expect(ladder.tick([momentary], make)).toEqual([])
    ladder.tick([], make)
    expect(states()).toEqual(['one-1 open', 'clock-1 resolved'])
    ladder.tick([momentary], make)
    ladder.endSilences()
    expect(states()).toEqual(['one-1 open', 'clock-1 resolved', 'clock-2 resolved'])
    ladder.tick([momentary], make)
    ladder.update([finding('critical')], make)
    expect(states().at(-1)).toBe('clock-3 resolved')
  })

  it('lets detectors of one kind speak with one voice, the strongest', () => {
    const run = [[finding('warning')], [finding('warning'), finding('critical', 'reward-hacking', 'two')]]
    expect(raised(run)).toEqual(['0:one-1 warning', '1:two-1 critical'])
    expect(raised(times(3, finding('critical'), finding('critical', 'reward-hacking', 'two')))).toEqual([
      '0:one-1 critical',
    ])
  })

  it('gives each broken relation an alert of its own', () => {
    expect(raised([[finding('critical', 'broken-invariant'), finding('critical', 'broken-invariant', 'two')]])).toEqual(
      ['0:one-1 critical', '0:two-1 critical'],
    )
  })

  it('names another kind only after it has held for 15 iterations', () => {
    const hacking = finding('critical', 'reward-hacking', 'one', 'reward-hacking')
    const collapse = finding('critical', 'quality-collapse', 'one', 'reward-hacking')
    const ladder = alertLadder()
    expect(raised([...times(3, hacking), ...times(5, collapse), ...times(2, hacking)], ladder)).toHaveLength(1)
    expect(raised(times(15, collapse), ladder)).toEqual(['14:one-2 critical'])
    expect(ladder.history.map(({ kind, state }) => [kind, state])).toEqual([
      ['reward-hacking', 'resolved'],
      ['quality-collapse', 'open'],
    ])
  })

  it('goes on exactly from JSON at every cut', () => {
    const run = [
      ...times(2, finding('info')),
      [],
      [],
      [],
      ...times(2, finding('critical')),
      ...times(20, finding('info')),
    ]
    const whole = alertLadder()
    const news = raised(run, whole)
    for (let cut = 0; cut <= run.length; cut++) {
      const first = alertLadder()
      raised(run.slice(0, cut), first)
      const second = alertLadder()
      second.restore(JSON.parse(JSON.stringify(first.snapshot())))
      raised(run.slice(cut), second)
      expect(second.history).toEqual(whole.history)
    }
    expect(news).toHaveLength(3)
  })

  it('calls an alert that comes back over only after twice the quiet, 48 iterations at most', () => {
    const ladder = alertLadder()
    const needed = Array.from({ length: 7 }, () => {
      ladder.update([finding('critical')], make)
      let quiet = 0
      for (; ladder.history.at(-1)!.state === 'open'; quiet++) ladder.update([], make)
      return quiet
    })
    expect(needed).toEqual([3, 6, 12, 24, 48, 48, 48])
  })

  it('keeps at most 1,000 alerts, the last hundred places for critical ones, and of these some for the first of a kind', () => {
    const ladder = alertLadder()
    const many = (severity: Severity) =>
      Array.from({ length: 1100 }, (_, i) => finding(severity, 'broken-invariant', `one-${i}`))
    expect(raised([many('info')], ladder)).toHaveLength(900)
    expect(raised([[finding('critical', 'kl-explosion', 'kl')]], ladder)).toEqual(['0:kl-1 critical'])
    expect(raised([many('critical')], ladder)).toHaveLength(99 - ALERT_KINDS.length)
    const others = ALERT_KINDS.map((kind) => finding('critical', kind))
    expect(raised([others], ladder)).toHaveLength(ALERT_KINDS.length - 2)
    for (let i = 0; i < 3; i++) raised([...times(48), others], ladder)
    expect(ladder.history.filter(({ kind }) => kind === 'stall')).toHaveLength(1)
    expect(ladder.history.length).toBeLessThanOrEqual(1000)
  })
})
