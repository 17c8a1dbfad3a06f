/**
 * The contract that every store of runs keeps, as a list of checks for any test runner.
 *
 * @module
 */
import type { Alert } from '../detectors/detector.ts'
import { TelltaleError } from '../errors.ts'
import type { ProcessInfo } from '../run-summary.ts'
import type { Commit, RunState, RunStore, SeriesPoints, StoredEvent } from '../stores/store.ts'

/** One check of a store's contract: a name and what throws where the contract is broken. */
export interface StoreCheck {
  /** What has to be so. */
  readonly name: string
  /** Returns where it is so. @throws TelltaleError `bad-usage` saying what is not so. */
  run(): void
}

/** What {@link testStore} needs. */
export interface StoreContract {
  /** Makes an empty store. */
  create(): RunStore
  /** Opens what a store that was closed has kept; left out for one that keeps nothing. */
  reopen?(): RunStore
}

/**
 * The checks that every store has to pass: what was committed comes back as it was, non-finite values and minus zero too; a commit is all or nothing; a
 * run that is claimed again is stored anew, and who was overtaken is refused; what a later attempt did again is left out; any range comes in at
 * most as many buckets as were asked for, none of its extremes lost; what came after a resume point is dropped when a run is stored on from it.
 *
 * @example
 * ```ts
 * import { memoryStore, testStore } from 'telltale/testing'
 * const checks = testStore({ create: memoryStore })
 * for (const { run } of checks) run()
 * console.log(checks[0]?.name) // gives back what was committed, in any number of commits
 * ```
 */
export function testStore({ create, reopen }: StoreContract): readonly StoreCheck[] {
  const check = (name: string, run: (store: RunStore) => void): StoreCheck => ({
    name,
    run() {
      const store = create()
      try {
        run(store)
      } finally {
        store.close()
      }
    },
  })
  return [
    check('gives back what was committed, in any number of commits', (store) => {
      for (const [key, pieces] of [
        ['at once', 1],
        ['in pieces', 7],
      ] as const) {
        const { epoch, all } = begin(store, key)
        const size = Math.ceil(all.values.length / pieces)
        for (let at = 0; at < all.values.length; at += size)
          store.commit([
            commit(key, epoch, [
              { ...all, iterations: all.iterations.slice(at, at + size), values: all.values.slice(at, at + size) },
            ]),
          ])
        same(store.points(key, 'reward/score'), { iterations: all.iterations, values: all.values }, key)
        same(
          store.series(key),
          [
            {
              name: 'reward/score',
              original: 'reward',
              unit: 'reward',
              count: 1500,
              firstIteration: 0,
              lastIteration: 1499,
            },
          ],
          key,
        )
      }
    }),
    check('keeps every value exactly, and iterations without a stride', (store) => {
      const epoch = store.claim(identity('r'))
      const values = [
        0.1,
        -0,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
        5e-324,
        1.7976931348623157e308,
        1 / 3,
      ]
      const iterations = [3, 4, 9, 10, 1000, 1001, 2 ** 40, 2 ** 53 - 1]
      store.commit([commit('r', epoch, [{ ...SERIES, iterations, values }])])
      const back = store.points('r', 'reward/score')
      same(back.iterations, iterations, 'iterations')
      ensure(
        back.values.every((value, i) => Object.is(value, values[i])),
        `values came back as ${back.values}`,
      )
    }),
    check('gives runs with their state, alerts and answers, those that were seen last first', (store) => {
      for (const [key, time] of [
        ['old', 10],
        ['new', 20],
      ] as const) {
        const samples = [{ iteration: 1, prompt: 'p', response: `${key} \u0000 \ud83d\ude00 '"`, reward: Number.NaN }]
        store.commit([{ ...commit(key, store.claim(identity(key)), []), time, samples, alerts: [ALERT] }])
      }
      same(
        store.runs().map(({ key }) => key),
        ['new', 'old'],
        'order',
      )
      const [run] = store.runs()
      same({ ...run, ...STATE }, run, 'state')
      same([run!.alerts, run!.criticalAlerts], [1, 1], 'alerts counted')
      same(store.alerts('old'), [ALERT], 'alerts')
      ensure(store.samples('old')[0]?.response.startsWith('old ') === true, 'the answer is lost')
      ensure(Number.isNaN(store.samples('old')[0]!.reward), 'a reward that was none')
    }),
    check('keeps muted alerts, and takes it when they are muted or heard later', (store) => {
      const epoch = store.claim(identity('r'))
      const counted = () => {
        const [run] = store.runs()
        return [run!.alerts, run!.criticalAlerts, run!.mutedAlerts]
      }
      const muted = { ...ALERT, muted: true } as const
      store.commit([{ ...commit('r', epoch, []), alerts: [muted] }])
      same(store.alerts('r'), [muted], 'a muted alert')
      same(counted(), [1, 0, 1], 'counted')
      store.commit([{ ...commit('r', epoch, []), alerts: [ALERT, { ...muted, id: 'other-1' }] }])
      same(store.alerts('r'), [ALERT, { ...muted, id: 'other-1' }], 'heard later')
      same(counted(), [2, 1, 1], 'counted later')
    }),
    check('stores nothing of a commit that fails', (store) => {
      const epoch = store.claim(identity('r'))
      store.commit([commit('r', epoch, [{ ...SERIES, iterations: [1], values: [1] }])])
      const broken = {
        ...SERIES,
        name: 'other',
        iterations: [1],
        get values(): number[] {
          throw new Error('no values')
        },
      }
      throws(() => store.commit([commit('r', epoch, [{ ...SERIES, iterations: [2], values: [2] }, broken])]), null)
      same(store.points('r', 'reward/score').values, [1], 'after a commit that failed')
      store.commit([commit('r', epoch, [{ ...SERIES, iterations: [2], values: [2] }])])
      same(store.points('r', 'reward/score').values, [1, 2], 'after the next one')
    }),
    check('begins anew for who claims a run, and refuses who was overtaken', (store) => {
      const first = store.claim(identity('r'))
      store.commit([{ ...commit('r', first, [{ ...SERIES, iterations: [1, 2], values: [1, 2] }]), alerts: [ALERT] }])
      const second = store.claim(identity('r'))
      // Until the new one has something, what was there stays.
      same(store.points('r', 'reward/score').values, [1, 2], 'after the claim')
      throws(() => store.commit([commit('r', first, [])]), 'bad-usage')
      store.commit([commit('r', second, [{ ...SERIES, iterations: [1], values: [7] }])])
      same(store.points('r', 'reward/score').values, [7], 'after the new one')
      same(store.alerts('r'), [], 'alerts of before')
      throws(() => store.commit([commit('never claimed', 1, [])]), 'bad-usage')
    }),
    check('keeps tags and notes while a run is stored anew, and forgets them with it', (store) => {
      store.commit([commit('r', store.claim(identity('r')), [])])
      store.tag('r', ['b', 'a', 'b'], [])
      store.tag('r', [], ['b', 'none'])
      store.note('r', 'a "note"', 5)
      store.note('r', 'another', 6)
      store.commit([commit('r', store.claim(identity('r')), [])])
      const [run] = store.runs()
      same(
        [run!.tags, run!.notes],
        [
          ['a'],
          [
            { unixSeconds: 5, text: 'a "note"' },
            { unixSeconds: 6, text: 'another' },
          ],
        ],
        'tags and notes',
      )
      store.remove('r')
      store.commit([commit('r', store.claim(identity('r')), [])])
      same([store.runs()[0]!.tags, store.runs()[0]!.notes], [[], []], 'after the removal')
    }),
    check('knows a run again of which more is known now, or less, with what people have said of it', (store) => {
      const { epoch, all } = begin(store, 'part')
      store.commit([commit('part', epoch, [all])])
      store.tag('part', ['good'], [])
      store.note('part', 'before', 1)
      const next = store.claim({ ...identity('whole'), earlierKeys: ['part', 'never met', 'whole'] })
      same(
        store.runs().map(({ key }) => key),
        ['part'],
        'before anything of it is stored',
      )
      store.commit([commit('whole', next, [all])])
      const [run, ...others] = store.runs()
      same([run?.key, others.length, run?.tags, run?.notes.length], ['whole', 0, ['good'], 1], 'afterwards')
      throws(() => store.commit([commit('part', epoch, [all])]), 'bad-usage')
      // Only one of its files is left, and then one that its numbers never came from.
      const keys = () => store.runs().map(({ key, tags }) => `${key} ${tags}`)
      const rest = { ...identity('rest'), wholeKeys: ['whole', 'never met'] }
      store.commit([commit('rest', store.claim(rest), [all])])
      same(keys(), ['rest good'], 'what is left of it')
      const other = { ...identity('other'), source: 'another', wholeKeys: ['rest'] }
      store.commit([commit('other', store.claim(other), [all])])
      same(keys().sort(), ['other ', 'rest good'], 'another one')
      same(store.verify(), [], 'verify')
    }),
    check('leaves out what a later attempt did again', (store) => {
      const epoch = store.claim(identity('r'))
      store.commit([commit('r', epoch, [{ ...SERIES, iterations: [0, 1, 2, 3, 4], values: [0, 1, 2, 3, 4] }])])
      const attempts = [
        { attempt: 1, fromIteration: 0 },
        { attempt: 2, fromIteration: 2 },
      ]
      const again = commit('r', epoch, [{ ...SERIES, attempt: 2, iterations: [2, 3], values: [20, 30] }])
      store.commit([{ ...again, state: { ...STATE, attempts } }])
      same(store.points('r', 'reward/score'), { iterations: [0, 1, 2, 3], values: [0, 1, 20, 30] }, 'points')
      same(
        store.zoom('r', 'reward/score', { buckets: 1 }).map(({ max, count }) => [max, count]),
        [[30, 4]],
        'zoom',
      )
    }),
    check('gives any range in as many buckets as were asked for, with its extremes', (store) => {
      const { epoch, all } = begin(store, 'r')
      const values = all.values.map((value, i) => (i === 777 ? 1e6 : value))
      store.commit([commit('r', epoch, [{ ...all, values }])])
      for (const range of [
        { buckets: 10 },
        { buckets: 3, from: 700, to: 800 },
        { buckets: 1000 },
        { from: 777, to: 777 },
      ]) {
        const { buckets = 1000, from = 0, to = 1499 } = range as { buckets?: number; from?: number; to?: number }
        const found = store.zoom('r', 'reward/score', range)
        ensure(found.length <= buckets && found.length > 0, `${found.length} buckets for ${buckets}`)
        same(Math.max(...found.map(({ max }) => max)), 1e6, 'the largest value')
        const inside = values.slice(from, to + 1).filter(Number.isFinite).length
        // Buckets may be cut at the edges of chunks.
        ensure(found.reduce((sum, { count }) => sum + count, 0) >= inside, 'values are lost')
        for (let i = 1; i < found.length; i++)
          ensure(found[i]!.firstIteration > found[i - 1]!.firstIteration, 'buckets out of order')
      }
      same(store.zoom('r', 'no such series'), [], 'a series that is none')
      same(store.zoom('no such run', 'reward/score'), [], 'a run that is none')
    }),
    check('goes on from a resume point: what came after it is dropped, and nothing is there twice', (store) => {
      const { epoch, all } = begin(store, 'r')
      const part = (from: number, to: number): SeriesPoints => ({
        ...all,
        iterations: all.iterations.slice(from, to),
        values: all.values.slice(from, to),
      })
      const sample = (iteration: number) => ({ iteration, prompt: 'p', response: 'r', reward: 1 })
      const state = Uint8Array.from([1, 2, 0, 255])
      same(store.resumePoint('place'), null, 'a point that is none')
      same(store.resume('place', identity('r')), null, 'a run without one')
      store.commit([{ ...commit('r', epoch, [part(0, 700)]), samples: [sample(1)] }], { place: 'place', state })
      const later = { ...SERIES, name: 'later', iterations: [1], values: [1] }
      store.commit([{ ...commit('r', epoch, [part(700, 1300), later]), samples: [sample(2)], alerts: [ALERT] }])
      same([...(store.resumePoint('place') ?? [])], [...state], 'the state')
      const next = store.resume('place', identity('r'))
      ensure(next !== null && next > epoch, `epoch ${next} after ${epoch}`)
      throws(() => store.commit([commit('r', epoch, [part(1300, 1400)])]), 'bad-usage')
      store.commit([{ ...commit('r', next!, [part(700, 1500)]), samples: [sample(3)] }])
      same(store.points('r', 'reward/score'), { iterations: all.iterations, values: all.values }, 'points')
      same(
        store.series('r').map(({ name }) => name),
        ['reward/score'],
        'series',
      )
      same(
        store.samples('r').map(({ iteration }) => iteration),
        [1, 3],
        'samples',
      )
      same(store.alerts('r'), [], 'alerts')
      same(
        [...store.everyPoint('r')].flatMap(({ iterations }) => iterations),
        all.iterations,
        'every point',
      )
      same(store.verify(), [], 'verify')
      // Who stores it anew leaves no point behind that would fit something else.
      store.claim(identity('r'))
      same(store.resumePoint('place'), null, 'after a claim')
      same(store.resume('place', identity('r')), null, 'after a claim')
    }),
    check('takes from others how a run ended, until it says something itself', (store) => {
      const { epoch, all } = begin(store, 'r')
      store.commit([commit('r', epoch, [all])])
      store.markEnded('r', 'stopped')
      store.markEnded('r', 'crashed')
      store.markEnded('never met', 'crashed')
      same(store.runs()[0]?.status, 'stopped', 'the status')
      store.commit([commit('r', epoch, [])])
      same(store.runs()[0]?.status, 'running', 'the status after a commit')
    }),
    check('keeps what happened beside the iterations, and drops what came after a resume point', (store) => {
      const { epoch, all } = begin(store, 'r')
      const event = (iteration: number): StoredEvent => ({
        ...{ unixSeconds: iteration === 1 ? null : 10.5, iteration, phase: 'checkpoint_saved' },
        metadata: { path: `/runs/checkpoint-${iteration}` },
      })
      const point = { place: 'place', state: Uint8Array.from([1]) }
      store.commit([{ ...commit('r', epoch, [all]), events: [event(1), event(2)] }], point)
      store.commit([{ ...commit('r', epoch, []), events: [event(3)] }])
      same(store.events('r'), [event(1), event(2), event(3)], 'events')
      same(store.events('no such run'), [], 'of a run that is none')
      store.resume('place', identity('r'))
      same(store.events('r'), [event(1), event(2)], 'events that came before the point')
      same(store.runs()[0]?.missingLines, 3, 'missing lines')
      store.commit([commit('r', store.claim(identity('r')), [all])])
      same(store.events('r'), [], 'of a run that is stored anew')
    }),
    check(
      'names the runs that go on and say their process, those that were seen last first, and no others',
      (store) => {
        const names = () => store.runningProcesses().map(({ key, name, process }) => `${key} ${name} ${process.pid}`)
        const process = { ...PROCESS, pid: 7 }
        for (const [key, state, time] of [
          ['first', { ...STATE, process }, 1],
          ['second', { ...STATE, process: { ...process, pid: 8 } }, 2],
          ['over', { ...STATE, status: 'completed', process }, 3],
          ['silent', STATE, 4],
        ] as const)
          store.commit([{ ...commit(key, store.claim(identity(key)), []), state, time }])
        same(names(), ['second a name 8', 'first a name 7'], 'all')
        same(store.runningProcesses()[1], { key: 'first', name: 'a name', newestUnixSeconds: 2.5, process }, 'one')
        store.markEnded('second', 'crashed')
        same(names(), ['first a name 7'], 'after a crash')
      },
    ),
    check('forgets a run that is removed, and takes it again', (store) => {
      const { epoch, all } = begin(store, 'r')
      store.commit([commit('r', epoch, [all])])
      store.remove('r')
      same(store.runs(), [], 'after the removal')
      throws(() => store.commit([commit('r', epoch, [all])]), 'bad-usage')
      store.commit([commit('r', store.claim(identity('r')), [all])])
      same(store.runs().length, 1, 'met again')
      same(store.verify(), [], 'verify')
    }),
    {
      name: 'has everything after it was closed and opened',
      run() {
        if (!reopen) return
        const store = create()
        const { epoch, all } = begin(store, 'r')
        store.commit([{ ...commit('r', epoch, [all]), alerts: [ALERT] }])
        store.close()
        const again = reopen()
        try {
          same(again.points('r', 'reward/score').values, all.values, 'values')
          same(again.alerts('r'), [ALERT], 'alerts')
          same(again.verify(), [], 'verify')
        } finally {
          again.close()
        }
      },
    },
  ]
}

const SERIES: Omit<SeriesPoints, 'iterations' | 'values'> = {
  name: 'reward/score',
  original: 'reward',
  unit: 'reward',
  attempt: 1,
}

const STATE: RunState = {
  name: 'a name',
  project: 'p',
  trainer: 'own-loop',
  status: 'running',
  preset: 'ppo',
  iterations: 3,
  loggedIterations: 2,
  followed: false,
  lastIteration: 2,
  totalIterations: null,
  startedUnixSeconds: 1.5,
  newestUnixSeconds: 2.5,
  config: { nested: { a: [1, 'x'] } },
  checkpoints: [1, 2],
  attempts: [{ attempt: 1, fromIteration: 0 }],
  coverage: [],
  process: null,
  missingLines: 3,
}

const PROCESS: ProcessInfo = {
  ...{ host: 'a', pid: 1, pidNamespace: null, startTicks: null, command: 'python train.py', git: null, versions: {} },
}

const ALERT: Alert = {
  ...{ id: 'kl-1', detector: 'kl', kind: 'kl-explosion', severity: 'critical', iteration: 2, series: ['kl_ref/token'] },
  ...{ observed: 0.5, expected: 0.1, statistic: 6, threshold: 5, onset: { estimate: 1, interval: [0, 2] } },
  ...{
    reason: 'too high',
    rollbackTo: null,
    advice: [],
    basis: 'calibrated',
    falseAlarmRate: 0.01,
    samples: [],
    ...{ state: 'open', replaces: null },
  },
}

const identity = (key: string) => ({ key, run: 'run-id', name: 'a run', path: '/data/run', source: 'jsonl' })

function commit(key: string, epoch: number, points: readonly SeriesPoints[]): Commit {
  return { key, epoch, state: STATE, points, samples: [], alerts: [], time: 1 }
}

/** A claimed run and fifteen hundred values for it, some of them no numbers. */
function begin(store: RunStore, key: string): { readonly epoch: number; readonly all: SeriesPoints } {
  const iterations = Array.from({ length: 1500 }, (_, i) => i)
  const values = iterations.map((i) => (i % 400 === 399 ? Number.NaN : Math.sin(i)))
  return { epoch: store.claim(identity(key)), all: { ...SERIES, iterations, values } }
}

function same(came: unknown, expected: unknown, what: string): void {
  const text = (value: unknown) =>
    JSON.stringify(value, (_, one: unknown) => (typeof one === 'number' ? `${one}` : one))?.slice(0, 2000)
  ensure(text(came) === text(expected), `${what}: ${text(came)}, expected ${text(expected)}`)
}

function throws(work: () => void, code: string | null): void {
  try {
    work()
  } catch (error) {
    if (code !== null)
      ensure(error instanceof TelltaleError && error.code === code, `threw ${String(error)}, expected ${code}`)
    return
  }
  ensure(false, 'did not throw')
}

function ensure(condition: boolean, problem: string): void {
  if (!condition) throw new TelltaleError('bad-usage', `store contract: ${problem}`)
}
