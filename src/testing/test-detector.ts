/**
 * The contract that every detector keeps, as a list of checks for any test runner.
 *
 * @module
 */
import { ALERT_KINDS, type Detector, type Evidence, type Json, type Observation } from '../detectors/detector.ts'
import { restoreDetector, saveDetector } from '../detectors/saved-state.ts'
import { TelltaleError } from '../errors.ts'

/** One check of a contract: a name and what throws where the contract is broken. */
export interface ContractCheck {
  /** What has to be so. */
  readonly name: string
  /** Returns where it is so. @throws TelltaleError `bad-usage` saying what is not so. */
  run(): void
}

/** Values by canonical name for each iteration of a run. */
export type RunValues = readonly Readonly<Record<string, number>>[]

/** What {@link testDetector} needs. */
export interface DetectorContract {
  /** Makes a new detector in its first state. */
  readonly create: () => Detector
  /** A run in which the failure happens. */
  readonly failing: RunValues
  /** A run in which it does not. */
  readonly healthy: RunValues
  /**
   * Series whose unit (`scale`) or zero (`shift`) means nothing to the detector: multiplied by a positive number, or moved by any, they must
   * bring the same evidence at the same iterations. None by default.
   */
  readonly equivariant?: { readonly scale?: readonly string[]; readonly shift?: readonly string[] }
  /**
   * Share of healthy runs in which a critical alarm may come; with it, 100 shuffles of the healthy run are tried. Not tried by default.
   */
  readonly falseAlarmRate?: number
}

const SHUFFLES = 100
/** A detector that keeps its promise fails the check less often than this. */
const UNLIKELY = 1e-4
/** Iterations over which a state must stop growing, and the size that it may have. */
const LONG_RUN = 3000
const MAX_STATE_BYTES = 256 * 1024

/**
 * The checks that every detector has to pass: it sees its failure; is silent on health, on constants and on missing values; bears NaN,
 * Infinity, gaps, repeated steps and resumed runs; keeps a bounded state; goes on exactly after being saved and restored at any
 * point, and refuses a state of another version. One that has a `tick` hears in each iteration of its `time/silence` seconds, of one where the
 * run has none.
 *
 * @example
 * ```ts
 * import { testDetector } from 'telltale/testing'
 * import type { Detector } from 'telltale'
 * const tooLong = (): Detector => ({
 *   name: 'too-long', kind: 'length-explosion', reads: [['length/mean']],
 *   update(o) {
 *     const length = o.get('length/mean')
 *     if (length === undefined || !(length > 100)) return undefined
 *     const onset = { estimate: o.iteration, interval: [o.iteration, o.iteration] as const }
 *     return { kind: 'length-explosion', severity: 'warning', series: ['length/mean'], observed: length, expected: 100, statistic: length, threshold: 100, onset }
 *   },
 *   snapshot: () => null,
 *   restore() {},
 * })
 * const checks = testDetector({ create: tooLong, failing: [{ 'length/mean': 400 }], healthy: [{ 'length/mean': 20 }] })
 * for (const check of checks) check.run()
 * console.log(checks.length) // 14
 * ```
 */
export function testDetector(contract: DetectorContract): readonly ContractCheck[] {
  const { create, failing, healthy, equivariant = {}, falseAlarmRate } = contract
  const reads = create().reads.flat()
  return [
    check('declares its name, kind and inputs', () => {
      const { name, kind, kinds = [kind] } = create()
      ensure(/^[a-z][a-z0-9-]*$/.test(name), `name is ${name}; expected kebab-case`)
      ensure(
        kinds.every((one) => ALERT_KINDS.includes(one)) && kinds.includes(kind),
        `kinds are ${kinds.join()}, kind is ${kind}`,
      )
      ensure(reads.length > 0, 'reads nothing')
    }),
    check('sees its failure and says so with complete evidence', () => {
      const seen = evidenceOf(feed(create(), failing))
      ensure(seen.length > 0, 'saw nothing in the failing run')
      const { kind, kinds = [kind] } = create()
      for (const evidence of seen) {
        checkEvidence(evidence, failing.length)
        ensure(kinds.includes(evidence.kind), `evidence is of kind ${evidence.kind}, which is not declared`)
      }
    }),
    check('is silent on the healthy run', () => ensureSilent(feed(create(), healthy))),
    check('is silent on constants', () => {
      const usual = usualValues(healthy)
      ensureSilent(
        feed(
          create(),
          failing.map(() => usual),
        ),
      )
    }),
    check('is silent where nothing is logged', () =>
      ensureSilent(
        feed(
          create(),
          failing.map(() => ({})),
        ),
      ),
    ),
    check('is silent on the healthy run with every third value missing and steps left out', () => {
      const sparse = healthy.map((values, i) =>
        Object.fromEntries(Object.entries(values).filter((_, channel) => (i + channel) % 3 !== 0)),
      )
      ensureSilent(feed(create(), sparse))
      ensureSilent(feed(create(), healthy, { at: (i) => 10 * i + (i % 7) }))
    }),
    check('is silent on the healthy run with repeated steps', () => {
      const repeated = healthy.flatMap((values, i) => (i % 5 === 4 ? [values, values] : [values]))
      const steps = healthy.flatMap((_, i) => (i % 5 === 4 ? [i, i] : [i]))
      ensureSilent(feed(create(), repeated, { at: (i) => steps[i]! }))
    }),
    check('survives NaN and Infinity and stays finite in what it reports', () => {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        for (const run of [healthy, failing]) {
          const spoilt = run.map((values, i) =>
            i % 7 === 3 ? Object.fromEntries(Object.keys(values).map((name) => [name, value])) : values,
          )
          for (const evidence of evidenceOf(feed(create(), spoilt))) checkEvidence(evidence, run.length)
        }
      }
    }),
    check('gives the same twice', () => ensureEqual(feed(create(), failing), feed(create(), failing))),
    check('goes on exactly after snapshot and restore at every point', () => {
      const whole = feed(create(), failing)
      for (const cut of cuts(failing)) {
        const first = create()
        const before = feed(first, failing.slice(0, cut))
        const second = saveAndRestore(first, create())
        ensureEqual([...before, ...feed(second, failing.slice(cut), { at: (i) => cut + i, closedBefore: cut })], whole)
      }
    }),
    check('is silent on a healthy run that is resumed at any point', () => {
      for (const cut of cuts(healthy)) {
        const first = create()
        ensureSilent(feed(first, healthy.slice(0, cut)))
        const again = Math.max(0, cut - 5)
        const second = saveAndRestore(first, create())
        ensureSilent(feed(second, healthy.slice(again), { at: (i) => again + i, announced: ['resume'] }))
      }
    }),
    check('gives snapshots that are JSON and that later iterations do not change', () => {
      const detector = create()
      const early = feedHalf(detector, failing)
      ensureJson(early)
      const text = JSON.stringify(early)
      feed(detector, failing)
      ensure(JSON.stringify(early) === text, 'a later iteration changed an earlier snapshot')
    }),
    check('refuses a snapshot of another version or detector', () => {
      const saved = saveDetector(create())
      for (const other of [{ ...saved, version: saved.version + 1 }, { ...saved, name: `${saved.name}-2` }, null]) {
        let refused = false
        try {
          restoreDetector(create(), other)
        } catch (error) {
          refused = error instanceof TelltaleError && error.code === 'bad-format'
        }
        ensure(refused, 'a snapshot of another version was not refused')
      }
    }),
    check('keeps a state that does not grow with the run', () => {
      const detector = create()
      const values = Array.from({ length: LONG_RUN }, (_, i) => healthy[i % healthy.length]!)
      feed(detector, values)
      const early = JSON.stringify(detector.snapshot()).length
      feed(detector, values, { at: (i) => LONG_RUN + i })
      const late = JSON.stringify(detector.snapshot()).length
      ensure(late <= MAX_STATE_BYTES, `the state is ${late} bytes; expected at most ${MAX_STATE_BYTES}`)
      ensure(late <= 1.5 * early + 200, `the state grew from ${early} to ${late} bytes over ${LONG_RUN} iterations`)
    }),
    ...(equivariant.scale ? [equivarianceCheck(create, failing, equivariant.scale, 'scale')] : []),
    ...(equivariant.shift ? [equivarianceCheck(create, failing, equivariant.shift, 'shift')] : []),
    ...(falseAlarmRate === undefined ? [] : [shuffleCheck(create, healthy, falseAlarmRate)]),
  ]
}

function equivarianceCheck(
  create: () => Detector,
  failing: RunValues,
  names: readonly string[],
  sort: 'scale' | 'shift',
): ContractCheck {
  const what = sort === 'scale' ? 'unit' : 'zero'
  return check(`does not depend on the ${what} of ${names.join(', ')}`, () => {
    const steps = (run: RunValues) => feed(create(), run).map((evidence) => evidence?.severity ?? null)
    const expected = steps(failing)
    // Powers of two lose no digit, so that nothing but the detector can differ.
    for (const by of sort === 'scale' ? [2 ** -10, 2 ** 10] : [-(2 ** 6), 2 ** 6]) {
      const moved = failing.map((values) =>
        Object.fromEntries(
          Object.entries(values).map(([name, value]) => [
            name,
            !names.includes(name) ? value : sort === 'scale' ? by * value : by + value,
          ]),
        ),
      )
      ensureEqual(steps(moved), expected)
    }
  })
}

function shuffleCheck(create: () => Detector, healthy: RunValues, rate: number): ContractCheck {
  return check(`raises no critical alarm in more than ${rate} of the shuffled healthy runs`, () => {
    let alarms = 0
    for (let seed = 1; seed <= SHUFFLES; seed++) {
      const seen = evidenceOf(feed(create(), shuffled(healthy, seed)))
      if (seen.some(({ severity }) => severity === 'critical')) alarms++
    }
    ensure(
      atLeast(alarms, SHUFFLES, rate) >= UNLIKELY,
      `${alarms} of ${SHUFFLES} shuffled healthy runs had a critical alarm, at a rate of ${rate}`,
    )
  })
}

/** Probability of `count` or more successes in `n` trials. */
function atLeast(count: number, n: number, probability: number): number {
  let term = (1 - probability) ** n
  let below = 0
  for (let k = 0; k < count; k++) {
    below += term
    term *= ((n - k) / (k + 1)) * (probability / (1 - probability))
  }
  return 1 - below
}

/** The iterations of a run in another order (Fisher-Yates with a fixed generator). */
function shuffled(run: RunValues, seed: number): RunValues {
  const order = [...run]
  let state = seed
  for (let i = order.length - 1; i > 0; i--) {
    state = (state * 48271) % 2147483647
    const j = state % (i + 1)
    const swapped = order[i]!
    order[i] = order[j]!
    order[j] = swapped
  }
  return order
}

function check(name: string, run: () => void): ContractCheck {
  return { name, run }
}

/** About forty places of a run, its start and its end among them. */
function cuts(run: RunValues): readonly number[] {
  const step = Math.max(1, Math.floor(run.length / 40))
  const places = []
  for (let cut = 0; cut < run.length; cut += step) places.push(cut)
  return [...places, run.length]
}

function saveAndRestore(from: Detector, to: Detector): Detector {
  restoreDetector(to, JSON.parse(JSON.stringify(saveDetector(from))))
  return to
}

/** The median of each series. */
function usualValues(run: RunValues): Readonly<Record<string, number>> {
  const names = new Set(run.flatMap((values) => Object.keys(values)))
  return Object.fromEntries(
    [...names].map((name) => {
      const values = run.flatMap((iteration) => iteration[name] ?? []).sort((a, b) => a - b)
      return [name, values[Math.floor(values.length / 2)]!]
    }),
  )
}

interface FeedOptions {
  /** Iterations that closed before in the same process; none by default. */
  readonly closedBefore?: number
  /** Iteration of the i-th observation; i by default. */
  readonly at?: (i: number) => number
  /** Announced with the first. */
  readonly announced?: readonly string[]
}

function feed(detector: Detector, run: RunValues, options: FeedOptions = {}): (Evidence | undefined)[] {
  const { at = (i: number) => i, announced, closedBefore = 0 } = options
  return run.map((values, i) => {
    const observation: Observation = {
      iteration: at(i),
      time: at(i),
      get: (name) => (Object.hasOwn(values, name) ? values[name] : undefined),
      ...(i === 0 && announced ? { announced } : {}),
    }
    const between = passTime(detector, values['time/silence'], at(i), closedBefore + i)
    return detector.update(observation) ?? between
  })
}

/** Half and all of an iteration's silence, a second where it has none; gives what the detector says in the end. */
function passTime(detector: Detector, silence: number | undefined, iteration: number, closedHere: number) {
  if (!detector.tick) return undefined
  const seconds = silence !== undefined && Number.isFinite(silence) ? Math.max(0, silence) : 1
  const tick = (silentSeconds: number) => detector.tick?.({ time: iteration, iteration, silentSeconds, closedHere })
  tick(seconds / 2)
  return tick(seconds)
}

/** Feeds the first half and gives the snapshot then. */
function feedHalf(detector: Detector, run: RunValues): Json {
  feed(detector, run.slice(0, Math.ceil(run.length / 2)))
  return detector.snapshot()
}

function evidenceOf(seen: readonly (Evidence | undefined)[]): readonly Evidence[] {
  return seen.filter((evidence) => evidence !== undefined)
}

function checkEvidence(evidence: Evidence, iterations: number): void {
  const { onset, series } = evidence
  ensure(series.length > 0, 'evidence names no series')
  ensure(
    onset.interval[0] <= onset.estimate && onset.estimate <= onset.interval[1],
    `onset ${onset.estimate} is outside its interval`,
  )
  ensure(onset.interval[0] >= 0 && onset.interval[1] < iterations, 'the onset interval is outside the run')
  for (const field of ['observed', 'expected', 'statistic', 'threshold'] as const) {
    ensure(!Number.isNaN(evidence[field]), `${field} is NaN`)
  }
}

/** What JSON would leave out or change is no state. */
function ensureJson(value: unknown, path = 'snapshot'): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return
  if (typeof value === 'number') ensure(Number.isFinite(value), `${path} is ${value}, which JSON has not`)
  else if (Array.isArray(value)) for (const [i, item] of value.entries()) ensureJson(item, `${path}[${i}]`)
  else if (typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value)))
    for (const [key, item] of Object.entries(value)) ensureJson(item, `${path}.${key}`)
  else ensure(false, `${path} is ${typeof value}, which JSON has not`)
}

function ensureSilent(evidence: readonly (Evidence | undefined)[]): void {
  const at = evidence.findIndex((entry) => entry !== undefined)
  ensure(at === -1, `raised ${JSON.stringify(evidence[at])} at iteration ${at}`)
}

function ensureEqual(got: unknown, expected: unknown): void {
  ensure(JSON.stringify(got) === JSON.stringify(expected), 'the two runs differ')
}

function ensure(condition: boolean, problem: string): void {
  if (!condition) throw new TelltaleError('bad-usage', `detector contract: ${problem}`)
}
