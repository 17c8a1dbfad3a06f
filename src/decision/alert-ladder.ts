/**
 * From evidence to alerts: one alert a kind at a time, which climbs at once and changes slowly otherwise.
 *
 * @module
 */
import {
  ALERT_KINDS,
  type Alert,
  type Detector,
  type Evidence,
  type Json,
  type Severity,
} from '../detectors/detector.ts'

/** Closed iterations without evidence after which an alert is resolved; twice as many each time that it has come back. */
const RESOLVED_AFTER = 3
const RESOLVED_AFTER_AT_MOST = 48
/** Closed iterations after which an alert steps down, or becomes one of another kind: three blocks of the calibrated detectors. */
const CHANGE_AFTER = 15
const MAX_ALERTS = 1000
/** Of which so many are kept for critical ones: a list full of notes must not keep a run from being stopped. */
const FOR_CRITICAL = 100
/** And of those so many for the first critical one of a kind: another kind that comes and goes, which may be muted, must not keep it from stopping the run. */
const FOR_FIRST_CRITICAL = ALERT_KINDS.length
const NONE: ReadonlyMap<string, Finding> = new Map()
const RANK: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 }

/** Evidence with the detector that gave it. */
export interface Finding {
  readonly detector: Detector
  readonly evidence: Evidence
}

/** Builds the alert of a finding. */
type MakeAlert = (finding: Finding, id: string, replaces: string | null) => Alert

type Rung = {
  /** Index of the open alert in the history, or null. */
  open: number | null
  quiet: number
  /** How often an alert was raised here with none open. */
  times: number
  /** Closed iterations in a row whose evidence is weaker, or of another kind, than the open alert. */
  other: number
  /** Whether the open alert is about this very moment, and over as soon as its detector says so. */
  momentary?: boolean
}

/** Keeps the alerts of a run. */
export interface AlertLadder {
  readonly history: readonly Alert[]
  /**
   * Takes the evidence of one closed iteration.
   *
   * @param make builds the alert of a finding; its id is given, and that of the open alert that it replaces, or null.
   * @returns the alerts that it raised.
   */
  update(findings: readonly Finding[], make: MakeAlert): readonly Alert[]
  /** Takes what the detectors that have a `tick` say between two iterations; of the others this says nothing. */
  tick(findings: readonly Finding[], make: MakeAlert): readonly Alert[]
  /** An event came: what was said of the silence before it is over. */
  endSilences(): void
  snapshot(): Json
  restore(state: Json): void
}

/** An empty ladder. */
export function alertLadder(): AlertLadder {
  let history: readonly Alert[] = []
  let rungs = new Map<string, Rung>()
  /** Alerts raised so far, by detector. */
  let raised = new Map<string, number>()

  function raise(rung: Rung, finding: Finding, make: MakeAlert): Alert | null {
    if (history.length >= roomFor(finding.evidence)) return null
    const { name } = finding.detector
    const n = (raised.get(name) ?? 0) + 1
    raised.set(name, n)
    const alert = make(finding, `${name}-${n}`, rung.open === null ? null : history[rung.open]!.id)
    if (rung.open === null) rung.times++
    resolve(rung)
    rung.open = history.length
    rung.other = 0
    if (finding.detector.tick) rung.momentary = true
    history = [...history, alert]
    return alert
  }

  function roomFor({ kind, severity }: Evidence): number {
    if (severity !== 'critical') return MAX_ALERTS - FOR_CRITICAL
    // Asked where there is little room only.
    if (history.length < MAX_ALERTS - FOR_FIRST_CRITICAL) return MAX_ALERTS
    const isFirst = !history.some((alert) => alert.kind === kind && alert.severity === 'critical')
    return isFirst ? MAX_ALERTS : MAX_ALERTS - FOR_FIRST_CRITICAL
  }

  function resolve(rung: Rung): void {
    const at = rung.open
    if (at === null) return
    history = history.map((alert, i) => (i === at ? { ...alert, state: 'resolved' as const } : alert))
    rung.open = null
  }

  function strongestOf(findings: readonly Finding[]): ReadonlyMap<string, Finding> {
    const strongest = new Map<string, Finding>()
    for (const finding of findings) {
      const key = keyOf(finding)
      const known = strongest.get(key)
      if (!known || RANK[finding.evidence.severity] > RANK[known.evidence.severity]) strongest.set(key, finding)
    }
    return strongest
  }

  function climb(strongest: ReadonlyMap<string, Finding>, make: MakeAlert): Alert[] {
    const news: Alert[] = []
    for (const [key, finding] of strongest) {
      let rung = rungs.get(key)
      if (!rung) {
        rung = { open: null, quiet: 0, times: 0, other: 0 }
        rungs.set(key, rung)
      }
      rung.quiet = 0
      const open = rung.open === null ? undefined : history[rung.open]
      const { kind, severity } = finding.evidence
      const step = open ? RANK[severity] - RANK[open.severity] : 1
      rung.other = step < 0 || (step === 0 && open?.kind !== kind) ? rung.other + 1 : 0
      if (step <= 0 && rung.other < CHANGE_AFTER) continue
      const alert = raise(rung, finding, make)
      if (alert) news.push(alert)
    }
    return news
  }

  function endSilences(still: ReadonlyMap<string, Finding>): void {
    for (const [key, rung] of rungs) if (rung.momentary && !still.has(key)) resolve(rung)
  }

  return {
    get history() {
      return history
    },
    update(findings, make) {
      const strongest = strongestOf(findings)
      for (const [key, rung] of rungs) {
        if (strongest.has(key) || rung.open === null || ++rung.quiet < quietNeeded(rung)) continue
        resolve(rung)
      }
      return climb(strongest, make)
    },
    tick(findings, make) {
      const strongest = strongestOf(findings)
      endSilences(strongest)
      return climb(strongest, make)
    },
    endSilences: () => endSilences(NONE),
    snapshot: () =>
      ({
        history: history.map(withTexts),
        rungs: [...rungs].map(([key, rung]) => [key, { ...rung }]),
        raised: [...raised],
      }) as unknown as Json,
    restore(state) {
      const saved = state as unknown as {
        history: readonly Alert[]
        rungs: readonly (readonly [string, Rung])[]
        raised: readonly (readonly [string, number])[]
      }
      history = saved.history.map(withNumbers)
      rungs = new Map(saved.rungs.map(([key, rung]) => [key, { ...rung }]))
      raised = new Map(saved.raised)
    },
  }
}

function quietNeeded({ times, momentary }: Rung): number {
  if (momentary) return 1
  return Math.min(RESOLVED_AFTER_AT_MOST, RESOLVED_AFTER * 2 ** Math.max(0, times - 1))
}

/**
 * Detectors of one kind speak with one voice, a detector of several kinds with its own. Only each exact relation is an alert by itself:
 * that one is broken says nothing of the others.
 */
function keyOf({ detector }: Finding): string {
  return detector.kind === 'broken-invariant' ? `${detector.kind}/${detector.name}` : detector.kind
}

const NUMBERS = ['observed', 'expected', 'statistic', 'threshold'] as const

/** JSON has no infinite numbers, and no -0. */
function withTexts(alert: Alert): unknown {
  const texts = NUMBERS.flatMap((field) => {
    const value = alert[field]
    if (Object.is(value, -0)) return [[field, '-0']]
    return Number.isFinite(value) ? [] : [[field, String(value)]]
  })
  return { ...alert, ...Object.fromEntries(texts) }
}

function withNumbers(alert: Alert): Alert {
  return { ...alert, ...Object.fromEntries(NUMBERS.map((field) => [field, Number(alert[field])])) }
}
