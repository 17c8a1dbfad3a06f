/**
 * The contract that every detector keeps, as a list of checks for any test runner.
 *
 * @module
 */
import { ALERT_KINDS, type Detector, type Evidence, type Json, type Observation } from '../detectors/detector.ts'
import { TelltaleError } from '../errors.ts'

/** One check of a contract: a name and what throws where the contract is broken. */
export interface ContractCheck {
  /** What has to be so. */
  readonly name: string
  /** Returns where it is so. @throws TelltaleError `bad-usage` saying what is not so. */
  run(): void
}

/** What {@link testDetector} needs. */
export interface DetectorContract {
  /** Makes a new detector in its first state. */
  readonly create: () => Detector
  /** Values by canonical name for each iteration of a run in which the failure happens. */
  readonly failing: readonly Readonly<Record<string, number>>[]
  /** The same for a run in which it does not. */
  readonly healthy: readonly Readonly<Record<string, number>>[]
}

/**
 * The checks that every detector has to pass: it sees its failure, is silent on health, on constants and on missing values,
 * survives NaN and Infinity, and goes on exactly after being saved and restored at any point.
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
 * console.log(checks.length) // 8
 * ```
 */
export function testDetector(contract: DetectorContract): readonly ContractCheck[] {
  const { create, failing, healthy } = contract
  const reads = create().reads.flat()
  const constant = failing.map(() => Object.fromEntries(reads.map((name) => [name, 0.01])))
  return [
    check('declares its name, kind and inputs', () => {
      const detector = create()
      ensure(/^[a-z][a-z0-9-]*$/.test(detector.name), `name is ${detector.name}; expected kebab-case`)
      ensure(ALERT_KINDS.includes(detector.kind), `kind is ${detector.kind}`)
      ensure(reads.length > 0, 'reads nothing')
    }),
    check('sees its failure and says so with complete evidence', () => {
      const seen = feed(create(), failing).filter((evidence) => evidence !== undefined)
      ensure(seen.length > 0, 'saw nothing in the failing run')
      for (const evidence of seen) checkEvidence(evidence, failing.length)
    }),
    check('is silent on the healthy run', () => ensureSilent(feed(create(), healthy))),
    check('is silent on constants', () => ensureSilent(feed(create(), constant))),
    check('is silent where nothing is logged', () =>
      ensureSilent(
        feed(
          create(),
          failing.map(() => ({})),
        ),
      ),
    ),
    check('survives NaN and Infinity and stays finite in what it reports', () => {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const spoilt = healthy.map((values, i) =>
          i % 7 === 3 ? Object.fromEntries(Object.keys(values).map((name) => [name, value])) : values,
        )
        feed(create(), spoilt)
      }
    }),
    check('gives the same twice', () => ensureEqual(feed(create(), failing), feed(create(), failing))),
    check('goes on exactly after snapshot and restore at every point', () => {
      const whole = feed(create(), failing)
      const step = Math.max(1, Math.floor(failing.length / 40))
      for (let cut = 0; cut <= failing.length; cut += step) {
        const first = create()
        const before = feed(first, failing.slice(0, cut))
        const state = JSON.parse(JSON.stringify(first.snapshot())) as Json
        const second = create()
        second.restore(state)
        ensureEqual([...before, ...feed(second, failing.slice(cut), cut)], whole)
      }
    }),
  ]
}

function check(name: string, run: () => void): ContractCheck {
  return { name, run }
}

function feed(
  detector: Detector,
  run: readonly Readonly<Record<string, number>>[],
  from = 0,
): (Evidence | undefined)[] {
  return run.map((values, i) => {
    const observation: Observation = {
      iteration: from + i,
      time: from + i,
      get: (name) => (Object.hasOwn(values, name) ? values[name] : undefined),
    }
    return detector.update(observation)
  })
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
