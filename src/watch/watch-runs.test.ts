import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { Alert, AlertKind } from '../detectors/detector.ts'
import { runFinder } from '../sources/find-runs.ts'
import { stdinSource } from '../sources/stdin-source.ts'
import { sleep, systemClock } from '../time.ts'
import { actOnAlerts, splitCommand } from './act-on-alerts.ts'
import { jsonLines } from './json-lines.ts'
import { polledSource } from './polled-source.ts'
import { rowsOf, showRuns } from './show-runs.ts'
import { watchRuns } from './watch-runs.ts'
import { type WatchedRun, watchRun } from './watched-run.ts'

const fixtures = new URL('../../test/fixtures/text-sources/', import.meta.url).pathname
const dir = mkdtempSync(join(tmpdir(), 'telltale-watch-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

let count = 0
let root = ''
beforeEach(() => {
  root = join(dir, `root-${count++}`)
  mkdirSync(root)
})

/** Lines of a run whose KL leaves the limit at step 10. */
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => {
    const step = from + i
    return `${JSON.stringify({ step, reward: 1, frac_reward_zero_std: 0, loss: 0.1, kl: step < 10 ? 0.02 : 0.9 })}\n`
  }).join('')

interface Session {
  readonly watched: Set<WatchedRun>
  readonly said: string[]
  readonly alerts: string[]
  readonly problems: string[]
}

/** Watches until `done`, which is asked after each round with all that has happened. */
async function watch(
  paths: readonly string[],
  done: (session: Session) => boolean,
  options: {
    readonly stop?: 'stop' | 'say'
    readonly command?: readonly string[]
    readonly stdin?: string
    readonly mute?: readonly AlertKind[]
  } = {},
): Promise<Session> {
  const session: Session = { watched: new Set(), said: [], alerts: [], problems: [] }
  const actor = actOnAlerts({
    stopOnCritical: options.stop ?? null,
    onCritical: options.command ?? null,
    now: () => 1,
    say: (text) => session.said.push(text),
  })
  const stream = Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)])
  await watchRuns({
    paths,
    analyzer: { mode: 'threshold', klThreshold: 0.3, mute: options.mute },
    clock: systemClock,
    now: () => 5,
    signal: new AbortController().signal,
    ...(options.stdin === undefined ? {} : { stdin: polledSource(stdinSource(stream), stream) }),
    onRun: (run) => session.watched.add(run),
    onGone: (run) => session.watched.delete(run),
    onAlert(alert: Alert, run, one, live) {
      session.alerts.push(`${run.name} ${alert.kind} ${live ? 'live' : 'before'}`)
      actor.alert(alert, run, one, live)
    },
    onNews: (run) => actor.news(run),
    onProblem: (problem) => session.problems.push(problem),
    done: () => done(session),
  })
  return session
}

const caughtUp = ({ watched }: Session) => watched.size > 0 && [...watched].every((run) => run.caughtUp)

describe('watching', () => {
  it('follows what is there, what grows, and what appears later; alerts are told once', async () => {
    const path = join(root, 'a.jsonl')
    writeFileSync(path, lines(0, 5))
    let stage = 0
    const session = await watch([root], (now) => {
      if (stage === 0 && caughtUp(now)) {
        stage = 1
        appendFileSync(path, lines(5, 20))
        writeFileSync(join(root, 'b.jsonl'), lines(0, 20))
      }
      return now.alerts.length >= 2 && now.watched.size === 2
    })
    expect(session.alerts.toSorted()).toEqual(['a kl-explosion live', 'b kl-explosion before'])
    const [a] = [...session.watched].find(({ found }) => found.name === 'a')!.runs
    expect([a!.iterations, a!.step, a!.monitor.getMetricsStore().trainer]).toEqual([19, 19, 'trl-grpo'])
  })

  it('reads a run again when later names show whose it is', async () => {
    const path = join(root, 'a.jsonl')
    writeFileSync(path, '{"step":0,"loss":1}\n{"step":1,"loss":1}\n')
    let grown = false
    const session = await watch([root], (now) => {
      if (!grown && caughtUp(now)) appendFileSync(path, lines(2, 5))
      const trainers = [...now.watched].flatMap(({ runs }) => runs.map((run) => run.monitor.getMetricsStore().trainer))
      grown ||= caughtUp(now)
      return trainers.includes('trl-grpo') && caughtUp(now)
    })
    expect([...session.watched][0]!.runs.map(({ iterations }) => iterations)).toEqual([4])
  })

  it('joins files of one run that appear one after the other', async () => {
    cpSync(join(fixtures, 'trl-grpo/console.log'), join(root, 'console.log'))
    let copied = false
    const session = await watch([root], (now) => {
      if (!copied && caughtUp(now)) {
        copied = true
        cpSync(join(fixtures, 'trl-grpo/checkpoint-8'), join(root, 'checkpoint-8'), { recursive: true })
      }
      return copied && caughtUp(now) && [...now.watched].some(({ found }) => found.parts.length === 2)
    })
    const [one, ...others] = [...session.watched]
    expect(others).toEqual([])
    expect(one!.runs.map(({ monitor }) => [...monitor.checkpoints])).toEqual([[8]])
  })

  it('is not stopped by a run that is damaged, gone or huge, and says what is wrong', async () => {
    writeFileSync(join(root, 'good.jsonl'), lines(0, 20))
    writeFileSync(join(root, 'gone.jsonl'), lines(0, 5))
    writeFileSync(join(root, 'torn.jsonl'), `${lines(0, 5)}\0\0\0 {"step":`)
    writeFileSync(join(root, 'long.jsonl'), `${lines(0, 5)}${'x'.repeat(20 * 1024 * 1024)}\n${lines(5, 8)}`)
    mkdirSync(join(root, 'broken', 'events-w.jsonl'), { recursive: true })
    let removed = false
    const session = await watch([root], (now) => {
      if (!removed && now.watched.size === 5 && caughtUp(now)) {
        removed = true
        rmSync(join(root, 'gone.jsonl'))
        return false
      }
      return removed && [...now.watched].filter(({ problem }) => problem !== null).length === 2
    })
    const by = new Map([...session.watched].map((run) => [run.found.name, run]))
    expect(by.get('good')!.problem).toBeNull()
    expect(by.get('gone')!.problem).toMatch(/gone\.jsonl cannot be read: ENOENT/)
    expect(by.get('broken')!.problem).toMatch(/holds no run/)
    expect(by.get('long')!.damage).toMatchObject({
      count: 1,
      newest: { problem: expect.stringContaining('longer than') },
    })
    expect(by.get('long')!.runs[0]!.step).toBe(7)
    expect(session.alerts).toEqual(['good kl-explosion before'])
  })

  it('sees a run stand still that was alive, by its own clock, and no run that was over before', async () => {
    for (const name of ['alive', 'over']) writeFileSync(join(root, `${name}.jsonl`), lines(0, 10))
    const { runs } = await runFinder([root]).find()
    let nowSeconds = 1_000_000
    const options = { analyzer: { mode: 'calibrated' } as const, now: () => nowSeconds }
    const [alive, over] = runs.map((found) => watchRun(found, options))
    const kinds = (run: WatchedRun | undefined) => run!.runs.flatMap(({ alerts }) => alerts.map(({ kind }) => kind))
    for (const run of [alive!, over!]) await run.read()
    for (let step = 10; step < 16; step++) {
      nowSeconds += 5
      appendFileSync(join(root, 'alive.jsonl'), lines(step, step + 1))
      await alive!.read()
    }
    const news: boolean[] = []
    for (let seconds = 0; seconds < 200; seconds += 5) {
      nowSeconds += 5
      news.push((await alive!.read()).news)
      await over!.read()
    }
    expect([kinds(alive), kinds(over)]).toEqual([['stall'], []])
    // Only the tick that raised it is news.
    expect(news.filter(Boolean)).toHaveLength(1)
    expect(news.indexOf(true)).toBeGreaterThanOrEqual(11)
    appendFileSync(join(root, 'alive.jsonl'), lines(16, 18))
    await alive!.read()
    expect(alive!.runs[0]!.alerts.map(({ state }) => state)).toContain('resolved')
  })

  it('takes standard input beside files, and its end', async () => {
    writeFileSync(join(root, 'a.jsonl'), lines(0, 20))
    const session = await watch([root], (now) => now.alerts.length === 2, { stdin: lines(0, 20) })
    expect(session.alerts.toSorted()).toEqual(['a kl-explosion before', 'stdin kl-explosion before'])
    const [stdin] = [...session.watched].find(({ found }) => found.name === 'stdin')!.runs
    // Nothing follows: the open iteration has closed.
    expect(stdin!.iterations).toBe(20)
  })
})

describe('a critical alert', () => {
  /** A run of one of our own clients. */
  const wire = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => {
      const seq = from + i + 1
      const head = { v: 1, run: 'mine', writer: 'w1', seq, time: seq }
      return `${JSON.stringify(seq === 1 ? { ...head, type: 'run', attempt: 1 } : { ...head, type: 'event', phase: 'iteration_end', iteration: seq - 2, metrics: { kl_div: seq < 12 ? 0.01 : 0.9 } })}\n`
    }).join('')

  it.each(['stop', 'say'] as const)('orders a run of our own clients to %s', async (stop) => {
    const path = join(root, 'events-w1.jsonl')
    writeFileSync(path, wire(0, 5))
    let grown = false
    const session = await watch(
      [root],
      (now) => {
        if (!grown && caughtUp(now)) appendFileSync(path, wire(5, 20))
        grown ||= caughtUp(now)
        return now.said.length > 0
      },
      { stop },
    )
    const control = join(root, 'control-w1.json')
    expect(existsSync(control)).toBe(stop === 'stop')
    if (stop === 'stop')
      expect(JSON.parse(readFileSync(control, 'utf8'))).toMatchObject({ run: 'mine', writer: 'w1', iteration: 10 })
    expect(session.said[0]).toMatch(stop === 'stop' ? /^mine: ordered to stop/ : /would be stopped now \(--dry-run\)/)
  })

  it('that was there before is acted on only once the run proves to be alive', async () => {
    const path = join(root, 'events-w1.jsonl')
    writeFileSync(path, wire(0, 20))
    let rounds = 0
    const session = await watch(
      [root],
      (now) => {
        if (!caughtUp(now)) return false
        rounds++
        if (rounds < 3) expect(now.said).toEqual([])
        if (rounds === 3) appendFileSync(path, wire(20, 22))
        return now.said.length > 0
      },
      { stop: 'say' },
    )
    expect(session.alerts).toHaveLength(1)
  })

  it('that was there before is not forgotten where its run gets another file before it proves to be alive', async () => {
    const path = join(root, 'a', 'train.jsonl')
    mkdirSync(join(root, 'a'))
    writeFileSync(path, lines(0, 20))
    let stage = 0
    const { said, alerts } = await watch(
      [root],
      (now) => {
        if (!caughtUp(now)) return false
        const isWhole = [...now.watched].some(({ found }) => found.parts.length === 2)
        if (stage === 0) cpSync(join(fixtures, 'trl-grpo/console.log'), join(root, 'a', 'console.log'))
        if (stage === 0 || isWhole) stage++
        if (stage > 2) appendFileSync(path, lines(17 + stage, 18 + stage))
        return now.said.length > 0 || stage > 20
      },
      { stop: 'say' },
    )
    expect(alerts).toEqual(['a kl-explosion before'])
    expect(said).toEqual([expect.stringMatching(/^a: would be stopped now/)])
  })

  it('is none that was raised while it was watched where its place could not be read at first', async () => {
    const path = join(root, 'events-w1.jsonl')
    mkdirSync(path)
    let mended = false
    const { alerts, said } = await watch(
      [root],
      (now) => {
        if (!mended && [...now.watched].some(({ problem }) => problem !== null)) {
          mended = true
          rmSync(path, { recursive: true })
          writeFileSync(path, wire(0, 20))
        }
        return now.alerts.length > 0
      },
      { stop: 'say' },
    )
    expect(alerts).toEqual(['mine kl-explosion before'])
    expect(said).toEqual([])
  })

  it('orders a stop again where the one before it could not be ordered, and not where it was', async () => {
    const control = join(root, 'control-w1.json')
    mkdirSync(control)
    writeFileSync(join(root, 'events-w1.jsonl'), wire(0, 20))
    const said: string[] = []
    const actor = actOnAlerts({
      stopOnCritical: 'stop',
      onCritical: null,
      now: () => 1,
      say: (text) => said.push(text),
    })
    const [found] = (await runFinder([root]).find()).runs
    const watched = watchRun(found!, { analyzer: { mode: 'threshold', klThreshold: 0.3 }, now: () => 1 })
    await watched.read()
    const [run] = watched.runs
    const again = (n: number) => actor.alert({ ...run!.alerts[0]!, id: `kl-${n}` }, run!, watched, true)
    again(1)
    rmSync(control, { recursive: true })
    for (const n of [2, 3]) again(n)
    expect(said).toEqual([expect.stringContaining('control-w1.json'), expect.stringMatching(/^mine: ordered to stop/)])
    expect(JSON.parse(readFileSync(control, 'utf8'))).toMatchObject({ run: 'mine', writer: 'w1' })
  })

  it('that is muted is told, and nothing is done about it', async () => {
    const path = join(root, 'events-w1.jsonl')
    writeFileSync(path, wire(0, 5))
    let grown = false
    let rounds = 0
    const { alerts, said, watched } = await watch(
      [root],
      (now) => {
        if (!grown && caughtUp(now)) appendFileSync(path, wire(5, 20))
        grown ||= caughtUp(now)
        return now.alerts.length > 0 && ++rounds > 2
      },
      { stop: 'stop', command: [process.execPath, '-e', 'process.exit(3)'], mute: ['kl-explosion'] },
    )
    expect(alerts).toEqual(['mine kl-explosion live'])
    expect(said).toEqual([])
    expect(existsSync(join(root, 'control-w1.json'))).toBe(false)
    const [run] = [...watched].flatMap(({ runs }) => runs)
    expect(run!.alerts).toMatchObject([{ kind: 'kl-explosion', severity: 'critical', muted: true }])
    const [row] = rowsOf([...watched][0]!, null, systemClock)
    expect(row).toMatchObject({ alerts: { critical: 0, muted: 1 }, alert: null })
  })

  it('of another trainer is said to be out of reach', async () => {
    const path = join(root, 'a.jsonl')
    writeFileSync(path, lines(0, 5))
    let grown = false
    const session = await watch(
      [root],
      (now) => {
        if (!grown && caughtUp(now)) appendFileSync(path, lines(5, 20))
        grown ||= caughtUp(now)
        return now.said.length > 0
      },
      { stop: 'stop' },
    )
    expect(session.said[0]).toMatch(/cannot be stopped from here.*--on-critical, or start it with telltale run/)
  })

  it('tells people of a failure that comes and goes three times, and when what they were told of has passed', async () => {
    const told: string[] = []
    const said: string[] = []
    const notify = ({ change, alert }: { change: string; alert: Alert }) => told.push(`${change} ${alert.id}`)
    const actor = actOnAlerts({
      stopOnCritical: null,
      onCritical: null,
      notify,
      now: () => 1,
      say: (text) => said.push(text),
    })
    writeFileSync(join(root, 'a.jsonl'), lines(0, 20))
    const [found] = (await runFinder([root]).find()).runs
    const watched = watchRun(found!, { analyzer: { mode: 'threshold' }, now: () => 1 })
    await watched.read()
    const [run] = watched.runs
    const [one] = run!.alerts
    for (let i = 1; i <= 5; i++) {
      actor.alert({ ...one!, id: `kl-${i}` }, run!, watched, true)
      actor.resolved({ ...one!, id: `kl-${i}`, state: 'resolved' }, run!, watched)
    }
    expect(told).toEqual([1, 2, 3].flatMap((i) => [`opened kl-${i}`, `resolved kl-${i}`]))
    expect(said).toEqual(['a: kl-explosion has come 3 times; nobody is told of more'])
  })

  it('in the place of a smaller one is told as one change, and only what has passed as passed', async () => {
    const told: string[] = []
    const actor = actOnAlerts({
      stopOnCritical: null,
      onCritical: null,
      notify: ({ change, alert }) => told.push(`${change} ${alert.severity}`),
      now: () => 1,
      say: () => {},
    })
    /** A KL that grows by 3 % an iteration from the 60th on, and stays as it was after the 200th. */
    const growing = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => {
        const step = from + i
        const kl = 0.02 * Math.exp(0.03 * Math.max(0, step < 200 ? step - 60 : 0)) + 0.001 * Math.sin(step * step)
        return `${JSON.stringify({ step, kl_div: kl, reward: 0.3 + 0.02 * Math.sin(step) })}\n`
      }).join('')
    const path = join(root, 'a.jsonl')
    writeFileSync(path, growing(0, 80))
    const pieces = [132, 145, 200, 420].map((to, i, all) => growing(all[i - 1] ?? 80, to))
    let watched: WatchedRun | null = null
    let rounds = 0
    await watchRuns({
      paths: [path],
      analyzer: { mode: 'calibrated', preset: 'ppo' },
      clock: systemClock,
      now: () => 5,
      signal: new AbortController().signal,
      onRun(run) {
        watched = run
      },
      onAlert: actor.alert,
      onResolved: actor.resolved,
      done() {
        if (!watched?.caughtUp || rounds++ % 2 === 1) return false
        const piece = pieces.shift()
        if (piece !== undefined) appendFileSync(path, piece)
        return piece === undefined
      },
    })
    // It grows smaller again in the end, and calls nobody for that.
    expect(told).toEqual(['opened info', 'escalated warning', 'escalated critical', 'eased info'])
  })

  it('that comes and goes starts the command three times a kind and run, and says once that it does no more', async () => {
    const said: string[] = []
    const out = join(root, 'started')
    const script = `require('fs').appendFileSync(process.argv[1], 'x')`
    const actor = actOnAlerts({
      stopOnCritical: null,
      onCritical: [process.execPath, '-e', script, out],
      now: () => 1,
      say: (text) => said.push(text),
    })
    for (const name of ['a', 'b']) writeFileSync(join(root, `${name}.jsonl`), lines(0, 20))
    for (const found of (await runFinder([root]).find()).runs) {
      const watched = watchRun(found, { analyzer: { mode: 'threshold' }, now: () => 1 })
      await watched.read()
      const [run] = watched.runs
      const [one] = run!.alerts
      actor.alert({ ...one!, id: 'w', severity: 'warning' }, run!, watched, true)
      for (let i = 1; i <= 6; i++) actor.alert({ ...one!, id: `kl-${i}` }, run!, watched, true)
    }
    expect(said).toEqual(['a', 'b'].map((name) => `${name}: kl-explosion has come 3 times; nobody is told of more`))
    // Programs that were started come to their end in any order; one too many would have been started before these.
    const started = () => (existsSync(out) ? readFileSync(out, 'utf8').length : 0)
    while (started() < 6) await sleep(20)
    await sleep(500)
    expect(started()).toBe(6)
  })

  it('reaches the command as JSON, and a command that fails is told of', async () => {
    const path = join(root, 'a.jsonl')
    const out = join(root, 'alert.txt')
    writeFileSync(path, lines(0, 5))
    let grown = false
    const script = `let t='';process.stdin.on('data',(d)=>t+=d).on('end',()=>{require('fs').writeFileSync(process.argv[1],t);console.error('no pager');process.exit(3)})`
    const session = await watch(
      [root],
      (now) => {
        if (!grown && caughtUp(now)) appendFileSync(path, lines(5, 20))
        grown ||= caughtUp(now)
        return now.said.length > 0
      },
      { command: [process.execPath, '-e', script, out] },
    )
    expect(session.said[0]).toMatch(/ended with exit code 3: no pager/)
    expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({
      run: 'a',
      path,
      source: 'jsonl',
      alert: { kind: 'kl-explosion', severity: 'critical', iteration: 10 },
    })
  })

  it.each([
    ['./page-me.sh ml  team', ['./page-me.sh', 'ml', 'team']],
    [`a "b c" 'd "e' f\\ g "" '$(x)'`, ['a', 'b c', 'd "e', 'f g', '', '$(x)']],
  ])('has a command line without a shell: %s', (text, words) => expect(splitCommand(text)).toEqual(words))

  it.each(['', '  ', 'a "b'])('has no command in %j', (text) => {
    expect(() => splitCommand(text)).toThrowError(expect.objectContaining({ code: 'bad-option' }))
  })
})

describe('what is written to a pipe', () => {
  it.each(['plain', 'json'] as const)('is %s lines without escapes, hostile names included', async (form) => {
    const written: string[] = []
    const watched = new Set<WatchedRun>()
    const view = (form === 'json' ? jsonLines : showRuns)({
      stream: { write: (text) => written.push(text) },
      env: {},
      clock: systemClock,
      watched: () => [...watched],
    })
    writeFileSync(join(root, '\u001b[31mred\u202e.jsonl'), lines(0, 20))
    mkdirSync(join(root, 'broken', 'events-w.jsonl'), { recursive: true })
    await watchRuns({
      paths: [root],
      analyzer: { mode: 'threshold', klThreshold: 0.3 },
      clock: systemClock,
      now: () => 5,
      signal: new AbortController().signal,
      onRun: (run) => watched.add(run),
      onAlert: (alert, run, _, live) => view.alert(alert, run, live),
      onNews: (run) => view.news(run),
      onRound: ({ caughtUp: all }) => view.round(all),
      done: () => written.length >= 3,
    })
    await view.close()
    const text = written.join('')
    expect(text).not.toMatch(new RegExp(String.fromCharCode(27)))
    if (form === 'json') {
      const types = text
        .trim()
        .split('\n')
        .map((one) => (JSON.parse(one) as { type: string }).type)
      expect(types.toSorted()).toEqual(['alert', 'iteration', 'problem', 'run'])
    } else {
      expect(text).toMatch(/critical iteration 10 {2}\S*red\S*: KL divergence too high/)
      expect(text).toMatch(/running, iteration 19, reward 1, KL 0.9/)
      expect(text).toMatch(/broken: .*holds no run/)
    }
  })
})
