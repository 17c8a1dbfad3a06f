import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { Alert } from '../../detectors/detector.ts'
import { bodyOf, formOf } from './forms.ts'
import { closeServers, fine, listen } from './listen.fixture.ts'
import type { Notification } from './notification.ts'
import { notifier, type WebhookTarget } from './notifier.ts'
import { send } from './send.ts'

const alert: Alert = {
  id: 'kl-explosion-1',
  detector: 'kl-explosion',
  kind: 'kl-explosion',
  direction: 'up',
  severity: 'critical',
  iteration: 120,
  series: ['kl_ref/token'],
  observed: 0.9,
  expected: 0.1,
  statistic: 6,
  threshold: 5,
  onset: { estimate: 100, interval: [90, 110] },
  reason: 'KL divergence too high',
  rollbackTo: 90,
  advice: [{ do: 'roll-back', to: 90 }],
  basis: 'calibrated',
  falseAlarmRate: 0.01,
  samples: [],
  ...{ state: 'open', replaces: null },
}
const told = (more: Partial<Notification> = {}): Notification => ({
  change: 'opened',
  run: 'r',
  name: 'my run',
  path: '/data/r',
  host: 'gpu-7',
  time: 1,
  ...{ alert, before: null },
  ...more,
})

afterEach(closeServers)

const target = (url: string, more: Partial<WebhookTarget> = {}): WebhookTarget => ({
  name: 'webhook A',
  url,
  form: 'json',
  severity: 'warning',
  ...more,
})

describe('bodies', () => {
  it('are Slack’s and Discord’s for their hosts, and JSON for any other', () => {
    expect(formOf('https://hooks.slack.com/services/T/B/x')).toBe('slack')
    expect(formOf('https://discord.com/api/webhooks/1/x')).toBe('discord')
    expect(formOf('https://slack.com.evil.example/x')).toBe('json')
    expect(formOf('https://example.org/hook')).toBe('json')
  })

  it('say what, since when, how sure, and what to do', () => {
    const { text, blocks } = JSON.parse(bodyOf('slack', [told()], 0)) as {
      text: string
      blocks: { text: { text: string } }[]
    }
    expect(text).toBe('Critical: KL explosion in my run')
    expect(blocks[0]!.text.text).toMatch(
      /^\*Critical: KL explosion in my run\*\nKL divergence too high\n\*Iteration\*: 120, since/,
    )
    expect(blocks[0]!.text.text).toMatch(/\*What to do\*: .*90/)
    expect(JSON.parse(bodyOf('json', [told()], 0))).toMatchObject({
      notifications: [{ name: 'my run', alert: { id: 'kl-explosion-1' } }],
    })
    expect(bodyOf('slack', [told({ change: 'resolved' })], 0)).toContain('Passed: KL explosion')
  })

  it('are one digest where several came at once', () => {
    const many = Array.from({ length: 30 }, (_, i) => told({ name: `run ${i % 3}` }))
    const { content } = JSON.parse(bodyOf('discord', many, 5)) as { content: string }
    expect(content).toContain('30 changes of alerts in 3 runs')
    expect(content).toMatch(/and 15 more$/)
  })

  it('count what a digest has no room for', () => {
    const reason =
      'KL to the reference is 0.9 nats per token, 6 standard errors above what it was from iteration 20 to 70'
    const many = Array.from({ length: 30 }, (_, i) =>
      told({ name: `run ${i}`, alert: { ...alert, reason: reason.repeat(2) } }),
    )
    for (const form of ['slack', 'discord'] as const) {
      const body = JSON.parse(bodyOf(form, many, 5)) as { content: string; blocks?: { text: { text: string } }[] }
      const lines = (body.blocks?.[0]?.text.text ?? body.content).split('\n')
      expect(lines.at(-1)).toBe(`and ${35 - (lines.length - 2)} more`)
    }
    const text = 'x'.repeat(1000)
    const one = { prompt: text, original: text, updated: text, baselineIteration: 1, iteration: 2, rewards: null }
    const long = Array.from({ length: 200 }, () => told({ alert: { ...alert, samples: [one, one, one] } }))
    const body = JSON.parse(bodyOf('json', long, 5)) as {
      notifications: Notification[]
      droppedNotifications: number
    }
    expect(body.notifications.length + body.droppedNotifications).toBe(205)
    expect(body.notifications.every((one) => one.alert.state === 'open')).toBe(true)
  })

  it('let Slack make no links by itself', () => {
    expect(JSON.parse(bodyOf('slack', [told()], 0))).toMatchObject({ blocks: [{ text: { verbatim: true } }] })
  })

  it('let nothing from outside call people, become a link or break out, and stay within the limits', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '<!channel>',
        '<@U123>',
        '@everyone',
        '<https://evil.example|click>',
        '*bold*',
        '```',
        '\u001b[31m',
        'x'.repeat(1e5),
        '&'.repeat(600),
        '😀'.repeat(600),
        `x${'😀'.repeat(600)}`,
      ),
    )
    fc.assert(
      fc.property(hostile, hostile, hostile, (name, reason, path) => {
        const one = told({ name, path, alert: { ...alert, reason } })
        for (const list of [[one], [one, one, one]]) {
          const slack = JSON.parse(bodyOf('slack', list, 0)) as { text: string; blocks: { text: { text: string } }[] }
          for (const text of [slack.text, slack.blocks[0]!.text.text]) {
            expect(text).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/)
            expect(text.length).toBeLessThanOrEqual(3000)
          }
          const discord = JSON.parse(bodyOf('discord', list, 0)) as { content: string; allowed_mentions: unknown }
          for (const text of [slack.text, slack.blocks[0]!.text.text, discord.content])
            expect(text).not.toMatch(/\p{Surrogate}/u)
          expect(discord.allowed_mentions).toEqual({ parse: [] })
          expect(discord.content.length).toBeLessThanOrEqual(2000)
          expect(() => JSON.parse(bodyOf('json', list, 0))).not.toThrow()
        }
      }),
    )
  })
})

describe('sending', () => {
  it('tries again after a server error, a busy answer and a closed connection, and delivers once', async () => {
    const { url, got } = await listen((response, tries) => {
      if (tries === 1) response.writeHead(500).end('oh')
      else if (tries === 2) response.writeHead(429, { 'retry-after': '0.05' }).end()
      else if (tries === 3) response.destroy()
      else response.writeHead(204).end()
    })
    expect(await send(url, '{}', { waitsMs: [1, 1, 1, 1] })).toEqual({ ok: true })
    expect(got).toHaveLength(4)
  })

  it('sends once what has arrived, whatever becomes of the rest of the answer', async () => {
    const { url, got } = await listen((response) => {
      response.writeHead(200, { 'content-length': 100 })
      response.write('ok', () => response.destroy())
    })
    expect(await send(url, '{}', { waitsMs: [1, 1] })).toEqual({ ok: true })
    expect(got).toHaveLength(1)
  })

  it('reads no more of an answer than it shows', async () => {
    let ended = false
    const { url } = await listen((response) => {
      response.on('close', () => {
        ended = true
      })
      response.writeHead(400)
      const piece = 'x'.repeat(65_536)
      const go = () => {
        while (!response.destroyed && response.write(piece));
        if (!response.destroyed) response.once('drain', go)
      }
      go()
    })
    expect(await send(url, '{}')).toMatchObject({ ok: false, problem: expect.stringMatching(/^it answered 400: x+…$/) })
    while (!ended) await new Promise((resolve) => setTimeout(resolve, 5))
  })

  it('heeds Retry-After as a date: gone by, and too far away', async () => {
    const busy = (date: string) =>
      listen((response, tries) => void response.writeHead(tries === 1 ? 429 : 200, { 'retry-after': date }).end())
    const past = await busy('Thu, 01 Jan 2015 00:00:00 GMT')
    expect(await send(past.url, '{}', { waitsMs: [1] })).toEqual({ ok: true })
    const future = await busy('Thu, 01 Jan 2099 00:00:00 GMT')
    expect(await send(future.url, '{}', { waitsMs: [1] })).toEqual({ ok: false, problem: 'it answered 429' })
    expect(future.got).toHaveLength(1)
  })

  it('does not repeat the address where the server does', async () => {
    const { url } = await listen(
      (response, _, request) => void response.writeHead(404).end(`Cannot POST ${request.url}`),
    )
    for (const address of [url, `${url}?key=sesame-value`, `${url}#x`])
      expect(await send(address, '{}')).toEqual({ ok: false, problem: 'it answered 404: Cannot POST …' })
  })

  it('gives up where trying again is of no use, says why, and never says the address', async () => {
    const refused = await listen((response) => void response.writeHead(404).end('no_such_\u001b[31mhook'))
    expect(await send(refused.url, '{}', { waitsMs: [1] })).toEqual({
      ok: false,
      problem: 'it answered 404: no_such_hook',
    })
    expect(refused.got).toHaveLength(1)
    const moved = await listen((response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end())
    expect(await send(moved.url, '{}', { waitsMs: [1] })).toMatchObject({
      problem: expect.stringContaining('has moved'),
    })
    const gone = await listen(fine)
    closeServers()
    const sent = await send(gone.url, '{}', { waitsMs: [1, 1] })
    expect(sent).toMatchObject({ ok: false, problem: expect.stringMatching(/tried 3 times/) })
    expect(JSON.stringify(sent)).not.toContain('secret-token')
  })
})

describe('a notifier', () => {
  it('returns at once, sends what came in a moment as one, and heeds the least severity', async () => {
    const { url, got } = await listen(fine)
    const said: string[] = []
    const people = notifier({ targets: [target(url)], say: (text) => said.push(text), gatherMs: 30 })
    people.notify(told())
    people.notify(told({ change: 'resolved' }))
    people.notify(told({ alert: { ...alert, severity: 'info' } }))
    expect(got).toEqual([])
    await people.close(5000)
    expect(got.map((body) => (JSON.parse(body) as { notifications: unknown[] }).notifications.length)).toEqual([2])
    expect(said).toEqual([])
    people.notify(told())
    expect(got).toHaveLength(1)
  })

  it('holds up nobody for one that hangs, and ends in time', async () => {
    const hangs = await listen(() => {})
    const works = await listen(fine)
    const said: string[] = []
    const targets = [target(hangs.url, { name: 'webhook HANGS' }), target(works.url)]
    const people = notifier({ targets, say: (text) => said.push(text), gatherMs: 1 })
    people.notify(told())
    while (works.got.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await people.close(50)
    expect(said).toEqual([expect.stringMatching(/^webhook HANGS: an alert was not delivered: no time was left/)])
  })

  it('says how many were still waiting at the end', async () => {
    const { url, got } = await listen(() => {})
    const said: string[] = []
    const people = notifier({ targets: [target(url)], say: (text) => said.push(text), gatherMs: 1 })
    people.notify(told())
    while (got.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    for (let i = 0; i < 300; i++) people.notify(told())
    await people.close(50)
    expect(said).toEqual([
      expect.stringMatching(/an alert was not delivered/),
      expect.stringMatching(/300 alerts were not delivered: no time was left/),
    ])
  })

  it('is bounded: what is too much is counted', async () => {
    const { url, got } = await listen(fine)
    const people = notifier({ targets: [target(url)], say: () => {}, gatherMs: 10_000 })
    for (let i = 0; i < 1000; i++) people.notify(told())
    await people.close(5000)
    const [body] = got.map((text) => JSON.parse(text) as { notifications: unknown[]; droppedNotifications: number })
    expect([body!.notifications.length, body!.droppedNotifications]).toEqual([200, 800])
  })
})
