import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { CallbackContext, TrainingCallback } from './callbacks.ts'
import type { Observation } from './detectors/detector.ts'
import type { TrainingEvent } from './events.ts'
import { replayRun } from './log/replay-run.ts'
import { TrainingMonitor, type TrainingMonitorOptions } from './monitor.ts'
import { manualClock } from './time.ts'

const folders: string[] = []
const monitors: TrainingMonitor[] = []

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'telltale-monitor-'))
  folders.push(dir)
  return dir
}

function newMonitor(options: TrainingMonitorOptions = {}): TrainingMonitor {
  const monitor = new TrainingMonitor({ handleSignals: false, onWarning: () => {}, ...options })
  monitors.push(monitor)
  return monitor
}

function observer(): TrainingCallback & { readonly closed: Observation[]; readonly events: TrainingEvent[] } {
  const closed: Observation[] = []
  const events: TrainingEvent[] = []
  return {
    closed,
    events,
    onEvent(event, context: CallbackContext) {
      events.push(event)
      if (context.closed) closed.push(context.closed)
    },
  }
}

function lines(dir: string): Record<string, unknown>[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(dir, name), 'utf8').trimEnd().split('\n'))
    .map((text) => JSON.parse(text) as Record<string, unknown>)
}

afterEach(async () => {
  for (const monitor of monitors.splice(0)) await monitor.close()
  for (const dir of folders.splice(0)) rmSync(dir, { recursive: true, force: true })
})

describe('options', () => {
  it.each([
    [{ runId: '../evil' }, /runId is "..\/evil"; expected 1 to 64 letters/],
    [{ runId: '' }, /runId is ""/],
    [{ earlyStop: 'sometimes' }, /earlyStop is "sometimes"; expected 'critical' or 'off'/],
    [{ verbosity: 'loud' }, /verbosity is "loud"; expected 'simple' or 'verbose'/],
    [{ project: '' }, /project is empty/],
    [{ trainer: 'nobody' }, /trainer is "nobody"; expected one of/],
  ])('%o is refused', (options, message) => {
    expect(() => newMonitor(options as never)).toThrowError(
      expect.objectContaining({ code: 'bad-option', message: expect.stringMatching(message) }),
    )
  })

  it('a folder that cannot be written is refused before the training begins', () => {
    const file = join(folder(), 'file')
    writeFileSync(file, '')
    expect(() => newMonitor({ outputDir: join(file, 'below') })).toThrowError(
      expect.objectContaining({ code: 'not-writable' }),
    )
  })
})

describe('iterations', () => {
  it('close with their ITERATION_END and hold what their phases logged', () => {
    const monitor = newMonitor()
    const seen = observer()
    monitor.registerCallback(seen)
    monitor.onEvent({ phase: 'iteration_start', iteration: 0 })
    monitor.onEvent({ phase: 'policy_update', iteration: 0, metrics: { policy_loss: 1 } })
    monitor.onEvent({ phase: 'iteration_end', iteration: 0, metrics: { reward: 2 } })
    monitor.onEvent({ phase: 'iteration_end', iteration: 1, metrics: { reward: 3 } })
    const [first, second] = seen.closed
    expect([first!.get('loss/policy'), first!.get('reward/score')]).toEqual([1, 2])
    expect([second!.iteration, second!.get('loss/policy'), second!.get('reward/score')]).toEqual([1, undefined, 3])
    expect(monitor.summary().iterations).toBe(2)
  })

  it('take what an evaluation logs between two iterations into the next one', () => {
    const monitor = newMonitor()
    const seen = observer()
    monitor.registerCallback(seen)
    monitor.onEvent({ phase: 'iteration_end', iteration: 0, metrics: {} })
    monitor.onEvent({ phase: 'evaluation', iteration: 0, metrics: { 'quality/similarity': 0.5 } })
    monitor.onEvent({ phase: 'iteration_end', iteration: 1, metrics: {} })
    expect(seen.closed.map((closed) => closed.get('quality/similarity'))).toEqual([undefined, 0.5])
  })

  it('store a late value, count it and do not detect on it', () => {
    const monitor = newMonitor()
    const seen = observer()
    monitor.registerCallback(seen)
    for (let i = 0; i < 3; i++) monitor.onEvent({ phase: 'iteration_end', iteration: i, metrics: { reward: i } })
    monitor.onEvent({ phase: 'value_update', iteration: 1, metrics: { value_loss: 9 } })
    monitor.onEvent({ phase: 'iteration_end', iteration: 3, metrics: {} })
    expect(seen.closed.at(-1)!.get('loss/value')).toBeUndefined()
    expect(monitor.getMetricsStore().history('value_loss')!.buckets()).toMatchObject([{ iteration: 1, last: 9 }])
    expect(monitor.summary().counters.lateValues).toBe(1)
  })

  it('count a repeated end once', () => {
    const monitor = newMonitor()
    const seen = observer()
    monitor.registerCallback(seen)
    for (const iteration of [0, 0, 1]) monitor.onEvent({ phase: 'iteration_end', iteration, metrics: { reward: 1 } })
    expect(seen.closed.map((closed) => closed.iteration)).toEqual([0, 1])
    expect(monitor.summary().counters.ignoredEvents).toBe(1)
  })

  it('that start again are a new attempt, which says so to detectors', () => {
    const monitor = newMonitor()
    const seen = observer()
    monitor.registerCallback(seen)
    const iterate = (i: number, reward: number) => {
      monitor.onEvent({ phase: 'iteration_start', iteration: i })
      monitor.onEvent({ phase: 'iteration_end', iteration: i, metrics: { reward } })
    }
    for (let i = 0; i < 6; i++) iterate(i, i)
    monitor.onEvent({ phase: 'checkpoint_saved', iteration: 5 })
    for (let i = 3; i < 5; i++) iterate(i, 10 * i)
    expect([...monitor.getMetricsStore().get('reward')!.values()]).toEqual([0, 1, 2, 30, 40])
    expect(monitor.summary().attempts).toEqual([
      { attempt: 1, fromIteration: 0 },
      { attempt: 2, fromIteration: 3 },
    ])
    expect(seen.closed.map(({ announced }) => announced)).toEqual([...Array(6).fill(undefined), ['resume'], undefined])
    expect(monitor.checkpoints).toEqual([])
  })
})

describe('onEvent', () => {
  it('sets aside what is no event, counts it, warns once and goes on', () => {
    const warnings: string[] = []
    const monitor = newMonitor({ onWarning: (message) => void warnings.push(message) })
    for (const bad of [
      null,
      undefined,
      7,
      {},
      { phase: 'x', iteration: 1 },
      { phase: 'iteration_end', iteration: -1 },
    ]) {
      expect(() => monitor.onEvent(bad as never)).not.toThrow()
    }
    const trap = new Proxy(
      {},
      {
        get: () => {
          throw new Error('trap')
        },
      },
    )
    expect(() => monitor.onEvent(trap as never)).not.toThrow()
    expect(monitor.summary().counters.rejectedEvents).toBe(7)
    expect(warnings).toHaveLength(1)
  })

  it('never throws when a warning cannot be written either', () => {
    const monitor = newMonitor({
      onWarning: () => {
        throw new Error('closed')
      },
    })
    expect(() => monitor.onEvent({} as never)).not.toThrow()
  })

  it('begins every run with one TRAINING_START', () => {
    const monitor = newMonitor()
    const seen = observer()
    monitor.registerCallback(seen)
    monitor.onEvent({ phase: 'iteration_end', iteration: 4, metrics: {} })
    monitor.onEvent({ phase: 'training_start', iteration: 0 })
    expect(seen.events.map(({ phase, iteration }) => [phase, iteration])).toEqual([
      ['training_start', 4],
      ['iteration_end', 4],
    ])
    expect(monitor.summary().counters.ignoredEvents).toBe(1)
  })

  it('ignores and counts what comes after the end', () => {
    const monitor = newMonitor()
    monitor.onEvent({ phase: 'training_end', iteration: 0, metadata: { status: 'failed', error: new Error('disk') } })
    monitor.onEvent({ phase: 'iteration_end', iteration: 1, metrics: { reward: 1 } })
    expect(monitor.summary()).toMatchObject({ status: 'failed', error: 'disk', counters: { ignoredEvents: 1 } })
    expect(monitor.getMetricsStore().latest('reward')).toBeUndefined()
  })

  it('shows what a callback publishes to all callbacks after the event that it answers', () => {
    const monitor = newMonitor()
    const order: string[] = []
    monitor.registerCallback({
      onEvent(event, context) {
        order.push(`a:${event.phase}`)
        if (event.phase === 'reward_computed')
          context.monitor.publish({ iteration: event.iteration, metrics: { 'quality/distinct_2': 0.5 } })
      },
    })
    monitor.registerCallback({ onEvent: (event) => void order.push(`b:${event.phase}`) })
    monitor.onEvent({ phase: 'training_start', iteration: 0 })
    monitor.onEvent({ phase: 'reward_computed', iteration: 0 })
    expect(order.slice(2)).toEqual(['a:reward_computed', 'b:reward_computed', 'a:evaluation', 'b:evaluation'])
  })

  it('ends a callback that answers every event with another', () => {
    const monitor = newMonitor()
    let calls = 0
    monitor.registerCallback({
      onEvent(event, context) {
        calls++
        context.monitor.publish({ iteration: event.iteration })
      },
    })
    monitor.onEvent({ phase: 'training_start', iteration: 0 })
    expect(calls).toBe(64)
    expect(monitor.summary().counters.ignoredEvents).toBeGreaterThan(0)
  })
})

describe('early stop', () => {
  it('has the first reason and keeps the rest', () => {
    const monitor = newMonitor()
    expect(monitor.shouldStopEarly()).toEqual({ shouldStop: false, reason: null })
    monitor.requestEarlyStop('a note', { severity: 'warning' })
    expect(monitor.shouldStopEarly().shouldStop).toBe(false)
    monitor.requestEarlyStop('first', { iteration: 3, rollbackTo: 2 })
    monitor.requestEarlyStop('second')
    expect(monitor.shouldStopEarly()).toEqual({ shouldStop: true, reason: 'first' })
    expect(monitor.getStop()).toEqual({ reason: 'first', severity: 'critical', iteration: 3, rollbackTo: 2 })
    expect(monitor.summary().laterStops.map(({ reason }) => reason)).toEqual(['a note', 'second'])
  })

  it('is only recorded when it is off', () => {
    const monitor = newMonitor({ earlyStop: 'off' })
    monitor.requestEarlyStop('would have')
    expect(monitor.shouldStopEarly().shouldStop).toBe(false)
    expect(monitor.summary().laterStops).toHaveLength(1)
  })
})

describe('run', () => {
  it('ends completed, with everything closed, and gives the result on', async () => {
    const monitor = newMonitor()
    const close = vi.fn(async () => {})
    const seen = observer()
    monitor.registerCallback({ ...seen, close })
    expect(await monitor.run(async () => 42)).toBe(42)
    expect(seen.events.map(({ phase }) => phase)).toEqual(['training_start', 'training_end'])
    expect(seen.events.at(-1)!.metadata).toEqual({ status: 'completed' })
    expect(close).toHaveBeenCalledTimes(1)
  })

  it('ends stopped after a stop request', async () => {
    const monitor = newMonitor()
    await monitor.run(() => monitor.requestEarlyStop('enough'))
    expect(monitor.summary().status).toBe('stopped')
  })

  it('ends failed and throws on what the training threw', async () => {
    const dir = folder()
    const monitor = newMonitor({ outputDir: dir })
    const boom = new Error('CUDA out of memory')
    await expect(monitor.run(() => Promise.reject(boom))).rejects.toBe(boom)
    expect(monitor.summary()).toMatchObject({ status: 'failed', error: 'CUDA out of memory' })
    expect(lines(dir).at(-1)).toMatchObject({ type: 'end', status: 'failed' })
  })

  it('closes through `await using`', async () => {
    const seen = observer()
    {
      await using monitor = newMonitor()
      monitor.registerCallback(seen)
    }
    expect(seen.events.at(-1)!.phase).toBe('training_end')
  })
})

describe('the log', () => {
  it('has each event in wire format v1, numbered without holes', () => {
    const dir = folder()
    const clock = manualClock({ unixSeconds: 1700000000 })
    const monitor = newMonitor({ outputDir: dir, runId: 'r1', project: 'p', name: 'n', clock })
    monitor.onEvent({
      phase: 'reward_computed',
      iteration: 2,
      metrics: { reward: 0.5, bad: Number.NaN, 'a"b\n': Number.NEGATIVE_INFINITY },
      metadata: { prompts: ['p'], responses: ['r'], rewards: [Number.POSITIVE_INFINITY], note: 'x' },
    })
    const written = lines(dir)
    expect(written.map(({ type, seq }) => [type, seq])).toEqual([
      ['run', 1],
      ['event', 2],
      ['samples', 3],
      ['event', 4],
    ])
    const writer = written[0]!.writer
    expect(written[0]).toEqual({
      v: 1,
      type: 'run',
      run: 'r1',
      writer,
      seq: 1,
      time: 1700000000,
      project: 'p',
      name: 'n',
      attempt: 1,
      trainer: 'own-loop',
      process: expect.objectContaining({
        pid: process.pid,
        versions: expect.objectContaining({ node: process.version }),
      }),
      earlyStop: 'critical',
    })
    expect(written[2]).toMatchObject({ iteration: 2, prompts: ['p'], responses: ['r'], rewards: ['Infinity'] })
    expect(written[3]).toEqual({
      v: 1,
      type: 'event',
      run: 'r1',
      writer,
      seq: 4,
      time: 1700000000,
      phase: 'reward_computed',
      iteration: 2,
      metrics: { reward: 0.5, bad: 'NaN', 'a"b\n': '-Infinity' },
      metadata: { note: 'x' },
      samples: 3,
    })
  })

  it('writes equal answers once and their rewards beside them', () => {
    const dir = folder()
    const monitor = newMonitor({ outputDir: dir })
    const samples = { prompts: ['p'], responses: ['r'] }
    monitor.onEvent({ phase: 'response_generated', iteration: 0, metadata: samples })
    monitor.onEvent({
      phase: 'reward_computed',
      iteration: 0,
      metadata: { prompts: ['p'], responses: ['r'], rewards: [2] },
    })
    const written = lines(dir).filter(({ type }) => type === 'samples')
    expect(written).toMatchObject([{ responses: ['r'] }, { rewards: [2] }])
    expect(written[1]!.of).toBe(written[0]!.seq)
    expect(written[1]!.responses).toBeUndefined()
  })

  it('moves the log of another run out of the way and continues its own', async () => {
    const dir = folder()
    for (const runId of ['one', 'two', 'two']) {
      const monitor = newMonitor({ outputDir: dir, runId })
      await monitor.run(() => {})
    }
    expect(readdirSync(join(dir, 'previous-runs', 'one'))).toHaveLength(1)
    const runs = lines(dir).filter(({ type }) => type === 'run')
    expect(runs.map(({ run, attempt }) => [run, attempt]).sort()).toEqual([
      ['two', 1],
      ['two', 2],
    ])
  })

  it('takes hostile metadata without throwing and keeps the plain part of it', () => {
    const dir = folder()
    const monitor = newMonitor({ outputDir: dir })
    const cyclic: Record<string, unknown> = { plain: 1, big: 2n ** 70n, weights: new Float32Array(1e6), fn: () => 1 }
    cyclic.self = cyclic
    Object.defineProperty(cyclic, 'trap', {
      enumerable: true,
      get: () => {
        throw new Error('trap')
      },
    })
    let deep: Record<string, unknown> = {}
    for (let i = 0; i < 5000; i++) deep = { deep }
    const metadata = { cyclic, deep, many: Array.from({ length: 1e6 }, (_, i) => i), text: 'x'.repeat(3e6), ok: true }
    expect(() => monitor.onEvent({ phase: 'iteration_end', iteration: 0, metadata })).not.toThrow()
    const logged = lines(dir).at(-1)!
    expect(logged).toMatchObject({ type: 'event', iteration: 0 })
    expect(JSON.stringify(logged).length).toBeLessThan(1e6)
    expect(monitor.summary().counters.droppedSamples).toBeGreaterThan(0)
    expect(monitor.summary().counters.rejectedEvents).toBe(0)
  })

  it('cuts samples to 64 of 32 kB and counts the rest', () => {
    const dir = folder()
    const monitor = newMonitor({ outputDir: dir })
    const responses = Array.from({ length: 70 }, (_, i) => (i === 0 ? 'y'.repeat(1_000_000) : 'ok'))
    monitor.onEvent({
      phase: 'response_generated',
      iteration: 0,
      metadata: { prompts: responses.map(() => 'p'), responses },
    })
    const samples = lines(dir).find(({ type }) => type === 'samples')!
    expect(samples.responses).toHaveLength(64)
    expect((samples.responses as string[])[0]).toHaveLength(32 * 1024)
    expect(monitor.summary().counters.droppedSamples).toBe(7)
  })

  it('loses its file without harm to the training', () => {
    const dir = folder()
    const monitor = newMonitor({ outputDir: dir })
    rmSync(dir, { recursive: true })
    for (let i = 0; i < 3; i++) monitor.onEvent({ phase: 'iteration_end', iteration: i, metrics: { reward: 1 } })
    expect(monitor.summary().iterations).toBe(3)
    expect(existsSync(dir)).toBe(false)
    mkdirSync(dir)
  })
})

describe('replayRun', () => {
  it('gives back the store, the closed iterations, the attempts and the stop', async () => {
    const dir = folder()
    const clock = manualClock({ unixSeconds: 1700000000 })
    const live = newMonitor({ outputDir: dir, clock, project: 'p' })
    const seen = observer()
    live.registerCallback(seen)
    await live.run(() => {
      for (const i of [0, 1, 2, 3, 1, 2, 3, 4]) {
        clock.advanceMs(100)
        live.onEvent({ phase: 'iteration_start', iteration: i })
        live.onEvent({
          phase: 'reward_computed',
          iteration: i,
          metadata: { prompts: ['a'], responses: ['b'], rewards: [Number.NaN] },
        })
        live.onEvent({
          phase: 'iteration_end',
          iteration: i,
          metrics: { reward: i / 3, x: i === 2 ? Number.NaN : 1, __proto__: 1 } as never,
        })
      }
      live.announce('prompt-mix')
      live.onEvent({ phase: 'iteration_end', iteration: 5, metrics: {} })
      live.requestEarlyStop('enough', { rollbackTo: 3 })
    })
    const again = observer()
    const { monitor, report } = await replayRun(dir, (m) => m.registerCallback(again))
    expect(report).toMatchObject({ damagedCount: 0, repeated: 0, missing: 0 })
    const plain = (closed: Observation[]) =>
      closed.map((o) => [o.iteration, o.time, o.get('reward/score'), o.get('x'), o.announced])
    expect(plain(again.closed)).toEqual(plain(seen.closed))
    expect(again.events.map((e) => [e.phase, e.iteration, e.metadata])).toEqual(
      seen.events.map((e) => [e.phase, e.iteration, e.metadata]),
    )
    const { versions, outputDir, elapsedMs, live: isLive, ...summary } = live.summary()
    expect([isLive, monitor.summary().live]).toEqual([true, false])
    expect(monitor.summary()).toMatchObject(summary)
    expect(elapsedMs).toBe(monitor.summary().elapsedMs)
    for (const name of live.getMetricsStore().names()) {
      expect(monitor.getMetricsStore().history(name)!.buckets()).toEqual(
        live.getMetricsStore().history(name)!.buckets(),
      )
      expect(monitor.getMetricsStore().history(name)!.superseded()).toEqual(
        live.getMetricsStore().history(name)!.superseded(),
      )
    }
  })

  it('sets a damaged line aside, counts it, and reads on', async () => {
    const dir = folder()
    const live = newMonitor({ outputDir: dir })
    await live.run(() => {
      for (let i = 0; i < 4; i++) live.onEvent({ phase: 'iteration_end', iteration: i, metrics: { reward: i } })
    })
    const path = join(dir, readdirSync(dir)[0]!)
    const text = readFileSync(path, 'utf8').split('\n')
    text[3] = text[3]!.slice(0, 40)
    text.splice(5, 0, '{"v":1,"type":"event"}', 'not json', text[4]!, '')
    writeFileSync(path, `${text.join('\n')}{"v":1,"type":"ev`)
    const { monitor, report } = await replayRun(dir)
    expect(report).toMatchObject({ damagedCount: 4, repeated: 1, missing: 1 })
    expect(report.damaged.map(({ lineNumber }) => lineNumber)).toEqual([4, 6, 7, 13])
    expect([...monitor.getMetricsStore().get('reward')!.iterations()]).toEqual([0, 2, 3])
    expect(monitor.summary().counters.damagedLines).toBe(4)
  })

  it('says what is missing where there is no run', async () => {
    await expect(replayRun(folder())).rejects.toMatchObject({
      code: 'not-readable',
      message: /expected a file events-/,
    })
    await expect(replayRun('/nonexistent/run')).rejects.toMatchObject({ code: 'not-readable' })
  })
})

describe('what a hostile review found', () => {
  it('an error whose message is no text, thrown or rejected, harms nobody', async () => {
    const monitor = newMonitor()
    const seen = observer()
    const trap = Object.assign(new Error('x'), { message: Symbol('s') as unknown as string })
    monitor.registerCallback({ onEvent: () => Promise.reject(trap) })
    monitor.registerCallback({
      onEvent() {
        throw trap
      },
    })
    monitor.registerCallback(seen)
    monitor.onEvent({ phase: 'iteration_end', iteration: 0 })
    await new Promise((resolve) => setImmediate(resolve))
    expect(seen.closed).toHaveLength(1)
    expect(monitor.summary().counters.rejectedEvents).toBe(0)
  })

  it('a getter that throws costs its own field of the metadata', () => {
    const dir = folder()
    const monitor = newMonitor({ outputDir: dir })
    const metadata = { kept: 1 }
    Object.defineProperty(metadata, 'trap', {
      enumerable: true,
      get: () => {
        throw new Error('trap')
      },
    })
    monitor.onEvent({ phase: 'iteration_end', iteration: 0, metrics: { reward: 1 }, metadata })
    expect(monitor.summary()).toMatchObject({ iterations: 1, counters: { rejectedEvents: 0, droppedSamples: 1 } })
    expect(lines(dir).at(-1)).toMatchObject({ metadata: { kept: 1 } })
  })

  it('no metadata, list or getter that throws costs more than itself, and a replay sees what was seen live', async () => {
    const dir = folder()
    const monitor = newMonitor({ outputDir: dir })
    const seen = observer()
    monitor.registerCallback(seen)
    const thrower = new Proxy<Record<string, unknown>>(
      {},
      {
        ownKeys: () => {
          throw new Error('no keys')
        },
        get: () => {
          throw new Error('no values')
        },
      },
    )
    const revoked = Proxy.revocable<unknown[]>([], {})
    revoked.revoke()
    const phases = [
      'training_start',
      'response_generated',
      'policy_update',
      'iteration_end',
      'checkpoint_saved',
    ] as const
    for (const phase of phases) monitor.onEvent({ phase, iteration: 0, metrics: { reward: 1 }, metadata: thrower })
    const metadata = { responses: revoked.proxy, rewards: revoked.proxy, removed: revoked.proxy, note: 'kept' }
    for (const phase of phases.slice(1)) monitor.onEvent({ phase, iteration: 1, metrics: { reward: 2 }, metadata })
    const metrics = {
      reward: 3,
      get kl_div(): number {
        throw new Error('no KL')
      },
    }
    monitor.onEvent({ phase: 'iteration_end', iteration: 2, metrics })
    monitor.onEvent({ phase: 'training_end', iteration: 2, metadata: thrower })
    await monitor.close()
    expect(monitor.summary()).toMatchObject({
      status: 'completed',
      checkpoints: [0, 1],
      counters: { rejectedEvents: 0 },
    })
    expect(seen.closed.map(({ iteration, get }) => [iteration, get('reward/score')])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ])
    const again = observer()
    await replayRun(dir, (replayed) => replayed.registerCallback(again))
    const told = ({ events }: typeof seen) => events.map(({ phase, iteration, metrics: of }) => [phase, iteration, of])
    expect(told(again)).toEqual(told(seen))
    expect(lines(dir).find(({ iteration, phase }) => iteration === 1 && phase === 'iteration_end')).toMatchObject({
      metadata: { note: 'kept' },
    })
  })

  it('a reason or an announcement that is no text is none to throw for', () => {
    const monitor = newMonitor()
    const nothing = Object.create(null) as never
    monitor.announce(nothing)
    monitor.requestEarlyStop(nothing, { severity: 'warning' })
    expect(monitor.summary().laterStops).toMatchObject([{ severity: 'warning', reason: expect.any(String) }])
  })

  it('rewards and prompts without responses are logged and replayed', async () => {
    const dir = folder()
    const monitor = newMonitor({ outputDir: dir })
    await monitor.run(() => {
      monitor.onEvent({ phase: 'response_generated', iteration: 0, metadata: { prompts: ['p'], responses: ['r'] } })
      monitor.onEvent({ phase: 'reward_computed', iteration: 0, metadata: { rewards: [0.5, Number.NaN] } })
    })
    const again = observer()
    await replayRun(dir, (m) => m.registerCallback(again))
    expect(again.events.map(({ metadata }) => metadata)).toContainEqual({ rewards: [0.5, Number.NaN] })
  })

  it('a replay knows that the early stop was off, and whose names the metrics have', async () => {
    const dir = folder()
    const live = newMonitor({ outputDir: dir, earlyStop: 'off', trainer: 'trl-ppo' })
    await live.run(() => {
      live.onEvent({ phase: 'iteration_end', iteration: 0, metrics: { 'objective/kl': 3 } })
      live.requestEarlyStop('would have')
    })
    const { monitor } = await replayRun(dir)
    expect(monitor.summary()).toMatchObject({ status: 'completed', stop: null, laterStops: live.summary().laterStops })
    expect(monitor.getMetricsStore().names()).toEqual(live.getMetricsStore().names())
    expect(live.getMetricsStore().names()).toContain('kl_ref/seq')
  })

  it('a run that another process continues is one run with two attempts, each with its own stop', async () => {
    const dir = folder()
    for (const iterations of [
      [0, 1, 2],
      [3, 4],
    ]) {
      const monitor = newMonitor({ outputDir: dir, runId: 'long' })
      await monitor.run(() => {
        const start = iterations[0]!
        monitor.onEvent({ phase: 'training_start', iteration: start, metadata: { totalIterations: 10 + start } })
        for (const iteration of iterations)
          monitor.onEvent({ phase: 'iteration_end', iteration, metrics: { reward: iteration } })
        monitor.requestEarlyStop('time is up', { iteration: 2 })
      })
    }
    const again = observer()
    const { monitor } = await replayRun(dir, (m) => m.registerCallback(again))
    expect(monitor.summary()).toMatchObject({
      status: 'stopped',
      iterations: 5,
      stop: { reason: 'time is up' },
      totalIterations: 13,
    })
    expect(monitor.summary().attempts).toEqual([
      { attempt: 1, fromIteration: 0 },
      { attempt: 2, fromIteration: 3 },
    ])
    expect(again.closed.map(({ announced }) => announced)).toEqual([
      undefined,
      undefined,
      undefined,
      ['resume'],
      undefined,
    ])
  })

  it('what a killed process left unfinished is not part of the iteration that the next one closes', async () => {
    const dir = folder()
    const killed = newMonitor({ outputDir: dir, runId: 'long' })
    for (const iteration of [0, 1, 2])
      killed.onEvent({ phase: 'iteration_end', iteration, metrics: { reward: iteration } })
    killed.announce('prompt-mix')
    killed.onEvent({ phase: 'evaluation', iteration: 3, metrics: { 'quality/judge': 0.5 } })
    // Killed here. The next process logs no evaluation.
    const next = newMonitor({ outputDir: dir, runId: 'long' })
    const live = observer()
    next.registerCallback(live)
    for (const iteration of [3, 4]) next.onEvent({ phase: 'iteration_end', iteration, metrics: { reward: iteration } })
    const again = observer()
    await replayRun(dir, (m) => m.registerCallback(again))
    const told = ({ closed }: typeof live) =>
      closed
        .slice(-2)
        .map(({ iteration, announced, get }) => [iteration, announced, get('quality/judge'), get('reward/score')])
    expect(told(live)).toEqual([
      [3, ['resume'], undefined, 3],
      [4, undefined, undefined, 4],
    ])
    expect(told(again)).toEqual(told(live))
  })

  it('a process that fails before its first iteration supersedes nothing, nor does a start that says iteration 0', async () => {
    const dir = folder()
    const first = newMonitor({ outputDir: dir, runId: 'long' })
    for (const iteration of [0, 1, 2])
      first.onEvent({ phase: 'iteration_end', iteration, metrics: { reward: iteration } })
    await first.close()
    const failing = newMonitor({ outputDir: dir, runId: 'long' }).run(() => {
      throw new Error('no memory')
    })
    await expect(failing).rejects.toThrow('no memory')
    const { monitor: failed } = await replayRun(dir)
    expect(failed.summary()).toMatchObject({ status: 'failed', iterations: 3 })
    expect([...failed.getMetricsStore().get('reward')!.values()]).toEqual([0, 1, 2])
    const third = newMonitor({ outputDir: dir, runId: 'long' })
    third.onEvent({ phase: 'training_start', iteration: 0 })
    third.onEvent({ phase: 'iteration_end', iteration: 3, metrics: { reward: 3 } })
    await third.close()
    const { monitor: whole } = await replayRun(dir)
    expect([...whole.getMetricsStore().get('reward')!.values()]).toEqual([0, 1, 2, 3])
    expect(whole.summary().attempts).toEqual([
      { attempt: 1, fromIteration: 0 },
      { attempt: 3, fromIteration: 3 },
    ])
  })

  it('a continued run knows the checkpoints of the processes before it, as a replay does', async () => {
    const dir = folder()
    const attempt = async (iterations: readonly number[], saved: Readonly<Record<number, readonly number[]>>) => {
      const monitor = newMonitor({ outputDir: dir, runId: 'long' })
      const known: (readonly number[])[] = []
      for (const iteration of iterations) {
        monitor.onEvent({
          phase: 'iteration_end',
          iteration,
          metadata: { note: ',"phase":"checkpoint_saved","iteration":77' },
        })
        known.push(monitor.checkpoints)
        const removed = saved[iteration]
        if (removed)
          monitor.onEvent({ phase: 'checkpoint_saved', iteration, metadata: { removed, phase: 'x'.repeat(9) } })
      }
      await monitor.close()
      return { first: known[0], last: monitor.checkpoints }
    }
    expect(await attempt([0, 1, 2, 3, 4], { 1: [], 2: [], 4: [1] })).toEqual({ first: [], last: [2, 4] })
    // It goes on from the checkpoint of iteration 2, so that 4 is done, and saved, again.
    expect(await attempt([3, 4, 5], { 5: [] })).toEqual({ first: [2], last: [2, 5] })
    expect(await attempt([6], {})).toEqual({ first: [2, 5], last: [2, 5] })
    expect((await replayRun(dir)).monitor.checkpoints).toEqual([2, 5])
  })

  it('a long project name does not make a run a stranger to its own log', async () => {
    const dir = folder()
    for (let i = 0; i < 2; i++)
      await newMonitor({ outputDir: dir, runId: 'same', project: '名'.repeat(4000) }).run(() => {})
    expect(existsSync(join(dir, 'previous-runs'))).toBe(false)
    expect(
      lines(dir)
        .filter(({ type }) => type === 'run')
        .map(({ attempt }) => attempt)
        .toSorted(),
    ).toEqual([1, 2])
  })

  it('what is no file is not read as a log, and a folder that cannot be made is refused at once', () => {
    const dir = folder()
    mkdirSync(join(dir, 'events-folder.jsonl'))
    expect(() => newMonitor({ outputDir: dir })).not.toThrow()
    expect(() => newMonitor({ outputDir: '/proc/x' })).toThrowError(expect.objectContaining({ code: 'not-writable' }))
  })

  it('two ends that have changed places are no resumed run', () => {
    const monitor = newMonitor()
    for (const iteration of [0, 1, 2, 4, 3, 5])
      monitor.onEvent({ phase: 'iteration_end', iteration, metrics: { reward: iteration } })
    expect(monitor.summary()).toMatchObject({ attempts: [{ attempt: 1 }], counters: { lateValues: 1 } })
    expect([...monitor.getMetricsStore().get('reward')!.iterations()]).toEqual([0, 1, 2, 4, 5])
  })

  it('a critical request after a warning with the same words stops, and nonsense in it is replaced', () => {
    const monitor = newMonitor()
    monitor.requestEarlyStop('same', { severity: 'warning', iteration: 1 })
    monitor.requestEarlyStop('same', { severity: 'loud' as never, iteration: -1, rollbackTo: 0.5 })
    expect(monitor.getStop()).toEqual({ reason: 'same', severity: 'critical', iteration: 0, rollbackTo: null })
  })

  it('a monitor runs once', async () => {
    const monitor = newMonitor()
    const first = monitor.run(() => new Promise((resolve) => setImmediate(resolve)))
    await expect(monitor.run(() => {})).rejects.toMatchObject({ code: 'bad-usage', message: /is running already/ })
    await first
    await expect(monitor.run(() => {})).rejects.toMatchObject({ code: 'bad-usage', message: /is over/ })
  })

  it.each([
    { counts: 'from 0', logged: [0, 1, 2], iterations: 3, last: 2 },
    { counts: 'from 1, every tenth step', logged: [10, 20, 30], iterations: 30, last: 30 },
    { counts: 'from 1, and falls back', logged: [1, 2, 3, 4, 5, 6, 2, 3], iterations: 3, last: 3 },
    { counts: 'nothing yet', logged: [], iterations: 0, last: null },
  ])('says how many iterations are done of a run that counts $counts', ({ logged, iterations, last }) => {
    const monitor = newMonitor({})
    for (const iteration of logged) monitor.onEvent({ phase: 'iteration_end', iteration, metrics: { reward: 1 } })
    expect(monitor.summary()).toMatchObject({ iterations, lastIteration: last })
  })

  it('a log that was deleted under the run is reported at its end', async () => {
    const dir = folder()
    const warnings: string[] = []
    const monitor = newMonitor({ outputDir: dir, onWarning: (message) => void warnings.push(message) })
    await monitor.run(() => rmSync(dir, { recursive: true }))
    expect(warnings).toEqual([expect.stringMatching(/The log of the run is gone/)])
  })
})
