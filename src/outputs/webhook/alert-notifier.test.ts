import { afterEach, describe, expect, it } from 'vitest'
import { QualityAnalyzer, type QualityAnalyzerOptions } from '../../decision/quality-analyzer.ts'
import type { Detector, Severity } from '../../detectors/detector.ts'
import { TrainingMonitor } from '../../monitor.ts'
import { startBackend } from '../../trainer/backend.ts'
import { toyPrompts, toyTrainer } from '../../trainer/toy.fixture.ts'
import { AlertNotifier } from './alert-notifier.ts'
import { closeServers, fine, listen } from './listen.fixture.ts'
import type { Notification } from './notification.ts'
import type { Webhook } from './webhook-targets.ts'

afterEach(closeServers)

/** Says of each iteration what its series `x` says: 1 a note, 2 a warning, 3 critical. */
const scripted: Detector = {
  name: 'scripted',
  kind: 'entropy-collapse',
  reads: [['x']],
  update({ iteration, get }) {
    const severity = ([undefined, 'info', 'warning', 'critical'] as const)[get('x') ?? 0] as Severity | undefined
    return (
      severity && {
        kind: 'entropy-collapse',
        severity,
        series: ['x'],
        observed: 1,
        expected: 0,
        statistic: 2,
        threshold: 1,
        onset: { estimate: iteration, interval: [iteration, iteration] },
      }
    )
  },
  snapshot: () => null,
  restore() {},
}

const VARIABLE = 'TELLTALE_TEST_HOOK'

function setUp(
  url: string,
  options: Partial<QualityAnalyzerOptions> = {},
  webhook: Partial<Webhook> = {},
  first = false,
) {
  process.env[VARIABLE] = url
  const said: string[] = []
  const monitor = new TrainingMonitor({
    name: 'my <!channel> run',
    handleSignals: false,
    onWarning: (text) => said.push(text),
  })
  const analyzer = new QualityAnalyzer({ monitor, mode: 'threshold', detectors: [scripted], ...options })
  const people = new AlertNotifier({
    monitor,
    analyzer,
    webhooks: [{ urlFrom: VARIABLE, ...webhook }],
    onWarning: (text) => said.push(text),
  })
  for (const callback of first ? [people, analyzer] : [analyzer, people]) monitor.registerCallback(callback)
  let iteration = 0
  const log = (...xs: readonly number[]) => {
    for (const x of xs) monitor.onEvent({ phase: 'iteration_end', iteration: iteration++, metrics: { x } })
  }
  return { monitor, analyzer, people, said, log }
}

const told = (got: readonly string[]) =>
  got
    .flatMap((body) => (JSON.parse(body) as { notifications: Notification[] }).notifications)
    .map(({ change, alert }) => `${change} ${alert.severity}`)

describe('a notifier in the process of the training', () => {
  it('tells of an alert, of a graver one in its place as one change, and that it has passed', async () => {
    const { url, got } = await listen(fine)
    const { monitor, said, log } = setUp(url)
    log(0, 2, 2, 3, 0, 0, 0, 0)
    // Smaller evidence for long enough: the failure has eased.
    log(3, ...Array.from({ length: 15 }, () => 2))
    await monitor.close()
    expect(told(got)).toEqual([
      ...['opened warning', 'escalated critical', 'resolved critical'],
      ...['opened critical', 'eased warning'],
    ])
    const { notifications } = JSON.parse(got[0]!) as { notifications: Notification[] }
    expect(notifications[0]).toMatchObject({ run: monitor.runId, name: 'my <!channel> run', path: process.cwd() })
    expect(said).toEqual([])
  })

  it('tells whoever hears of critical ones only that one has eased', async () => {
    const { url, got } = await listen(fine)
    const { monitor, log } = setUp(url, {}, { severity: 'critical' })
    log(2, 3, ...Array.from({ length: 15 }, () => 2), 0, 0, 0)
    await monitor.close()
    expect(told(got)).toEqual(['escalated critical', 'eased warning'])
    const { text } = JSON.parse(got.join('')) as { text: string }
    expect(text).toContain('Eased to a warning: ')
  })

  it('tells nobody of what is muted, too small, or was there before', async () => {
    const { url, got } = await listen(fine)
    const muted = setUp(url, { mute: ['entropy-collapse'] })
    muted.log(3, 0, 0, 0)
    await muted.monitor.close()
    const small = setUp(url, {}, { severity: 'critical' })
    small.log(1, 2, 2)
    await small.monitor.close()
    const { monitor, analyzer, log } = setUp(url)
    log(3)
    await monitor.close()
    expect(told(got.splice(0))).toEqual(['opened critical'])
    const later = new TrainingMonitor({ handleSignals: false })
    later.registerCallback(new AlertNotifier({ monitor: later, analyzer, webhooks: [{ urlFrom: VARIABLE }] }))
    later.onEvent({ phase: 'iteration_end', iteration: 0 })
    await later.close()
    expect(got).toEqual([])
  })

  it('tells all the same where it was registered before the analyzer', async () => {
    const { url, got } = await listen(fine)
    const { monitor, log } = setUp(url, {}, {}, true)
    log(0, 3)
    await monitor.close()
    expect(told(got)).toEqual(['opened critical'])
  })

  it('tells three times of what comes and goes, and says once that it does no more', async () => {
    const { url, got } = await listen(fine)
    const { monitor, said, log } = setUp(url)
    const calm = Array.from({ length: 48 }, () => 0)
    for (let i = 0; i < 6; i++) log(2, ...calm)
    await monitor.close()
    expect(told(got)).toEqual(Array.from({ length: 3 }, () => ['opened warning', 'resolved warning']).flat())
    expect(said).toEqual(['entropy-collapse has come 3 times; nobody is told of more'])
  })

  it('holds up the training no longer than a moment, and its end for five seconds, where nobody answers', async () => {
    const { url, got } = await listen(() => {})
    const { monitor, people, said, log } = setUp(url)
    log(3)
    expect(people.onEvent()).toBeUndefined()
    expect(got).toEqual([])
    await monitor.close()
    expect(got).toHaveLength(1)
    expect(said).toEqual([
      expect.stringMatching(/^webhook TELLTALE_TEST_HOOK: an alert was not delivered: no time was left/),
    ])
    expect(monitor.summary()).toMatchObject({ status: 'stopped', callbackFailures: [] })
  })

  it('throws nothing into the training where a warning cannot be said either', async () => {
    process.env[VARIABLE] = (await listen((response) => void response.writeHead(404).end())).url
    const monitor = new TrainingMonitor({ handleSignals: false })
    const analyzer = new QualityAnalyzer({ monitor, mode: 'threshold', detectors: [scripted] })
    const onWarning = () => {
      throw new Error('nowhere to say it')
    }
    const people = new AlertNotifier({ monitor, analyzer, webhooks: [{ urlFrom: VARIABLE }], onWarning })
    monitor.registerCallback(analyzer)
    monitor.registerCallback(people)
    monitor.onEvent({ phase: 'iteration_end', iteration: 0, metrics: { x: 3 } })
    await monitor.close()
    expect(monitor.summary().callbackFailures).toEqual([])
  })

  it.each([
    [{ urlFrom: 'TELLTALE_TEST_UNSET' }, /TELLTALE_TEST_UNSET: the environment variable is not set/],
    [{ urlFrom: VARIABLE }, /TELLTALE_TEST_HOOK: the environment variable holds no address/],
    [{ urlFrom: 'https://hooks.slack.com/services/sesame' }, /urlFrom is no name of an environment variable/],
    [{ urlFrom: VARIABLE, form: 'sesame' as never }, /its form is unknown; expected slack, discord, json/],
    [{ urlFrom: VARIABLE, severity: 'sesame' as never }, /its severity is unknown; expected info, warning, critical/],
  ])('refuses %j when it is made, without what may be an address', (webhook, message) => {
    process.env[VARIABLE] = 'sesame'
    const monitor = new TrainingMonitor({ handleSignals: false })
    const make = () => new AlertNotifier({ monitor, analyzer: { alertHistory: [] }, webhooks: [webhook] })
    expect(make).toThrow(expect.objectContaining({ code: 'bad-option', message: expect.stringMatching(message) }))
    expect(make).toThrow(expect.objectContaining({ message: expect.not.stringMatching(/sesame|hooks\.slack/) }))
  })
})

it('a training of the trainer itself is told of while it is stopped', async () => {
  await startBackend()
  const { url, got } = await listen(fine)
  const { monitor } = setUp(url, { klThreshold: 1e-9, detectors: [] })
  const { trainer } = toyTrainer({ monitor, learningRate: 0.03 })
  await trainer.train({ prompts: toyPrompts, numIterations: 20, batchSize: 8 })
  await monitor.close()
  expect(monitor.summary().status).toBe('stopped')
  const notifications = got.flatMap((body) => (JSON.parse(body) as { notifications: Notification[] }).notifications)
  expect(notifications).toMatchObject([
    { change: 'opened', name: 'my <!channel> run', alert: { kind: 'kl-explosion', severity: 'critical' } },
  ])
})
