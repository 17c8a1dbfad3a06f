/**
 * Runs the detectors over closed iterations, turns their evidence into alerts, and asks for the early stop.
 *
 * @module
 */
import type { CallbackContext, MonitorHandle, TrainingCallback } from '../callbacks.ts'
import { type Compared, calibratedPreset, PRESETS, type Preset } from '../detectors/calibrated/preset.ts'
import { RULES } from '../detectors/calibrated/rules.ts'
import { DEFAULT_FALSE_ALARM_RATE } from '../detectors/calibrated/thresholds.ts'
import {
  ALERT_KINDS,
  type Alert,
  type AlertBasis,
  type AlertKind,
  type Coverage,
  type Detector,
  type Evidence,
  type Json,
  type Observation,
  type Tick,
} from '../detectors/detector.ts'
import { impossibleKl } from '../detectors/impossible-kl.ts'
import { klBudget } from '../detectors/kl-budget.ts'
import { thresholdPreset } from '../detectors/presets.ts'
import { restoreDetector, saveDetector } from '../detectors/saved-state.ts'
import { errorMessage, TelltaleError } from '../errors.ts'
import { type TrainingEvent, TrainingPhase } from '../events.ts'
import type { AnalyzerView } from '../run-summary.ts'
import { adviceFor } from './advice.ts'
import { alertLadder, type Finding } from './alert-ladder.ts'
import { alertReason } from './alert-reason.ts'
import { answerMemory } from './answer-memory.ts'
import { choosePreset, type PresetChoice } from './choose-preset.ts'
import { learningRateChange } from './learning-rate-change.ts'
import { type MutedAlerts, mutedAlerts } from './muted-alerts.ts'
import { trustedView, unfitBecause } from './trusted-view.ts'

/** How a {@link QualityAnalyzer} judges: fixed rules, or detectors with a configured rate of false alarms. */
export const ANALYZER_MODES = ['threshold', 'calibrated'] as const

/** One of {@link ANALYZER_MODES}. */
export type AnalyzerMode = (typeof ANALYZER_MODES)[number]

/** The mode where neither a mode nor an option of the other one is said. */
export const DEFAULT_MODE: AnalyzerMode = 'calibrated'

/** Options of {@link QualityAnalyzer}. An option that does nothing in a mode is an error there. */
export interface QualityAnalyzerOptions {
  /** The monitor that it is registered with: asked for series, and to stop. */
  readonly monitor: MonitorHandle
  /**
   * `calibrated`, the default: detectors with a known rate of false alarms. `threshold`: the plan's fixed rules; the default where
   * `rewardHackThreshold` or `windowSize` is given, which only they have.
   */
  readonly mode?: AnalyzerMode
  /**
   * Mode `calibrated`: share of healthy runs that may raise a critical alert, above 0 and at most 0.5; 0.01 by default. Warnings and notes
   * come more readily.
   */
  readonly falseAlarmRate?: number
  /** Mode `calibrated`: sort of training; chosen from the trainer and the series of the first ten iterations by default. */
  readonly preset?: Preset
  /**
   * Mode `threshold`: standardised rise of the reward minus the standardised change of quality over the window above which it is reward
   * hacking; 0.3, from the plan.
   */
  readonly rewardHackThreshold?: number
  /**
   * Nats per token of `kl_ref/token` above which the run is stopped. In mode `threshold` 0.1, from the plan, at the first iteration above; in
   * mode `calibrated` none by default, and a budget on top of the forecast where it is set.
   */
  readonly klThreshold?: number
  /** Mode `threshold`: iterations that trends are taken over; 50, from the plan. An integer of at least 20. */
  readonly windowSize?: number
  /**
   * Mode `calibrated`: called with what the detectors compare at the closing of an iteration, to see why there is an alert, or none. It costs
   * nothing where it is left out.
   */
  readonly onCompared?: ((compared: Compared, iteration: number) => void) | undefined
  /** Detectors of your own, beside those of the mode. */
  readonly detectors?: readonly Detector[]
  /** Kinds of alerts that nobody wants to hear of: theirs are kept with `muted: true`, and stop nothing. None by default. */
  readonly mute?: Iterable<AlertKind> | undefined
}

/** Version of {@link QualityAnalyzer.snapshot}; it goes up when an older one would be misread. */
const SNAPSHOT_VERSION = 1

/** Alerts about numbers alone, beside which answers say nothing. */
const WITHOUT_SAMPLES: ReadonlySet<AlertKind> = new Set([
  'value-reward-mismatch',
  'non-finite',
  'loss-spike',
  'gradient-anomaly',
  'train-inference-mismatch',
  'broken-invariant',
  'stall',
])

interface Watch {
  readonly detector: Detector
  readonly basis: AlertBasis
  readonly see: (observation: Observation) => Observation
  failed: boolean
}

/**
 * Watches the quality of a run with a set of detectors; a critical alert requests the early stop.
 *
 * @throws TelltaleError `bad-option` for an option out of range, or one that does nothing in the mode.
 *
 * @example
 * ```ts
 * import { QualityAnalyzer, TrainingMonitor } from 'telltale'
 * const monitor = new TrainingMonitor()
 * const analyzer = new QualityAnalyzer({ monitor, klThreshold: 0.2 })
 * monitor.registerCallback(analyzer)
 * for (let i = 0; i < 6; i++) monitor.onEvent({ phase: 'iteration_end', iteration: i, metrics: { kl_div: 0.1 * i + 0.05 } })
 * console.log(analyzer.alertHistory.map(({ iteration, severity }) => [iteration, severity])) // [ [ 4, 'critical' ] ]
 * console.log(analyzer.mode, monitor.shouldStopEarly().shouldStop) // calibrated true
 * ```
 */
export class QualityAnalyzer implements TrainingCallback, AnalyzerView {
  readonly name = 'QualityAnalyzer'
  /** What it listens to. */
  readonly phases = [
    TrainingPhase.RESPONSE_GENERATED,
    TrainingPhase.REWARD_COMPUTED,
    TrainingPhase.EVALUATION,
    TrainingPhase.ITERATION_END,
  ]
  /** How it judges: the fixed rules of the plan, or calibrated detectors. */
  readonly mode: AnalyzerMode
  /** The thresholds in force, by name. */
  readonly thresholds: Readonly<Record<string, number>>
  readonly #monitor: MonitorHandle
  readonly #falseAlarmRate: number
  /** Null in mode `threshold`, or where the preset was said. */
  readonly #choice: PresetChoice | null
  readonly #preset: Preset | null
  readonly #klBudget: number | undefined
  readonly #onCompared: ((compared: Compared) => void) | undefined
  #iteration = -1
  readonly #own: readonly Watch[]
  #watches: readonly Watch[]
  /** Whether anybody says that time passes. */
  #ticked = false
  readonly #ladder = alertLadder()
  readonly #muted: MutedAlerts
  readonly #answers = answerMemory()
  readonly #learningRate = learningRateChange()

  constructor(options: QualityAnalyzerOptions) {
    this.#monitor = options.monitor
    this.#muted = mutedAlerts([...(options.mute ?? [])].map((kind) => oneOf(kind, 'mute', ALERT_KINDS)))
    this.mode = oneOf(options.mode ?? impliedMode(options), 'mode', ANALYZER_MODES)
    const { onCompared } = options
    this.#onCompared = onCompared && ((compared) => onCompared(compared, this.#iteration))
    this.#own = (options.detectors ?? []).map((detector) => this.#watch(detector, 'threshold'))
    this.#falseAlarmRate = options.falseAlarmRate ?? DEFAULT_FALSE_ALARM_RATE
    if (this.mode === 'threshold') {
      refuse(options, ['falseAlarmRate', 'preset', 'onCompared'], this.mode)
      const rewardHackThreshold = positive(options.rewardHackThreshold ?? 0.3, 'rewardHackThreshold')
      const klThreshold = positive(options.klThreshold ?? 0.1, 'klThreshold')
      this.#klBudget = undefined
      const windowSize = options.windowSize ?? 50
      if (!Number.isSafeInteger(windowSize) || windowSize < 20 || windowSize > 10_000) {
        throw new TelltaleError('bad-option', `windowSize is ${windowSize}; expected an integer from 20 to 10,000`)
      }
      this.thresholds = Object.freeze({ rewardHack: rewardHackThreshold, kl: klThreshold, windowSize })
      this.#choice = null
      this.#preset = null
      const rules = thresholdPreset({ rewardHackThreshold, klThreshold, windowSize })
      this.#watches = [...rules.map((detector) => this.#watch(detector, 'threshold')), ...this.#own]
      return
    }
    refuse(options, ['rewardHackThreshold', 'windowSize'], this.mode)
    this.#klBudget = options.klThreshold === undefined ? undefined : positive(options.klThreshold, 'klThreshold')
    this.#preset = options.preset === undefined ? null : oneOf(options.preset, 'preset', PRESETS)
    this.#choice = this.#preset === null ? choosePreset(this.#monitor.getMetricsStore().trainer) : null
    this.thresholds = Object.freeze({
      falseAlarmRate: this.#falseAlarmRate,
      ...(this.#klBudget === undefined ? {} : { kl: this.#klBudget }),
    })
    this.#watches = []
    this.#watches = this.#calibratedWatches()
  }

  /** Sort of training whose detectors are at work; null in mode `threshold`. */
  get preset(): Preset | null {
    return this.#preset ?? this.#choice?.preset ?? null
  }

  /** All alerts in the order in which they were raised, muted ones too; an escalation is an entry of its own. At most 1,000. */
  get alertHistory(): readonly Alert[] {
    return this.#muted.all(this.#ladder.history)
  }

  /**
   * What is watched and what is not: which series each detector needs, which of them have never been logged, and which are logged but
   * mean something else.
   */
  get coverage(): readonly Coverage[] {
    const store = this.#monitor.getMetricsStore()
    return this.#watches.map(({ detector }) => {
      const unfit: { series: string; why: string }[] = []
      const missing: string[] = []
      for (const group of detector.reads) {
        // The monitor measures it in every run, but only a tick makes it tell of a run that stands still.
        if (this.#ticked && group.includes('time/silence')) continue
        const logged = group.filter((name) => store.get(name) !== undefined)
        const because = logged.map((name) => ({ series: name, why: unfitBecause(detector, store.info(name)) }))
        if (because.some(({ why }) => why === null)) continue
        missing.push(group.join(' | '))
        for (const { series, why } of because) if (why !== null) unfit.push({ series, why })
      }
      return {
        detector: detector.name,
        kind: detector.kind,
        ...(detector.kinds ? { kinds: detector.kinds } : {}),
        needs: detector.reads.map((group) => group.join(' | ')),
        missing,
        ...(unfit.length > 0 ? { unfit } : {}),
      }
    })
  }

  onEvent(event: TrainingEvent, context: CallbackContext): void {
    try {
      this.#answers.take(event)
    } catch {
      // Metadata is the trainer's own object and may throw when it is read; an alert then has no answers to show.
    }
    const { closed } = context
    if (!closed) {
      this.#ladder.endSilences()
      return
    }
    this.#iteration = closed.iteration
    if (this.#choice?.update(closed)) this.#watches = this.#calibratedWatches()
    const observation = this.#withAnnouncements(closed)
    const { findings, broken } = this.#ask(({ detector, see }) => detector.update(see(observation)))
    const news = this.#ladder.update(findings, (finding, ...names) => this.#alert(finding, names, closed))
    for (const alert of news) this.#raise(alert)
    // The callback manager reports it, once.
    if (broken) throw broken.error
  }

  /** Time passes: asks the detectors that listen for it. */
  onTick(tick: Tick): void {
    this.#ticked = true
    const { findings, broken } = this.#ask(({ detector }) => detector.tick?.(tick))
    const nothingClosed: Observation = { iteration: tick.iteration, time: tick.time, get: () => undefined }
    const news = this.#ladder.tick(findings, (finding, ...names) => this.#alert(finding, names, nothingClosed))
    for (const alert of news) this.#raise(alert)
    if (broken) throw broken.error
  }

  /**
   * The whole state as JSON: a new analyzer with the same options goes on exactly from {@link restore}. Taken between two events.
   *
   * @example
   * ```ts
   * import { QualityAnalyzer, TrainingMonitor } from 'telltale'
   * const monitor = new TrainingMonitor()
   * const options = { monitor, mode: 'calibrated', preset: 'ppo' } as const
   * const saved = JSON.stringify(new QualityAnalyzer(options).snapshot())
   * const next = new QualityAnalyzer(options)
   * next.restore(JSON.parse(saved))
   * console.log(next.alertHistory.length) // 0
   * ```
   */
  snapshot(): Json {
    return {
      version: SNAPSHOT_VERSION,
      mode: this.mode,
      thresholds: { ...this.thresholds },
      preset: this.#preset,
      choice: this.#choice?.snapshot() ?? null,
      ticked: this.#ticked,
      detectors: this.#watches.map(({ detector, failed }) => ({ ...saveDetector(detector), failed })),
      ladder: this.#ladder.snapshot(),
      answers: this.#answers.snapshot(),
      learningRate: this.#learningRate.snapshot(),
    }
  }

  /**
   * Goes on from a {@link snapshot} of an analyzer with the same options.
   *
   * @throws TelltaleError `bad-format` for a snapshot of another version, of other options, or damaged; make a new analyzer then, this one may have
   * been restored in part.
   */
  restore(snapshot: Json): void {
    const saved = (typeof snapshot === 'object' && snapshot !== null ? snapshot : {}) as unknown as Partial<Snapshot>
    if (saved.version !== SNAPSHOT_VERSION) {
      throw new TelltaleError(
        'bad-format',
        `The snapshot has version ${String(saved.version)}; this Telltale reads version ${SNAPSHOT_VERSION}. Replay the run's log instead.`,
      )
    }
    const options = [this.mode, this.#preset, this.thresholds]
    if (JSON.stringify([saved.mode, saved.preset, saved.thresholds]) !== JSON.stringify(options)) {
      throw new TelltaleError(
        'bad-format',
        `The snapshot is of an analyzer with other options: ${JSON.stringify([saved.mode, saved.preset, saved.thresholds])}, where ${JSON.stringify(options)} was expected. Give the same options, or replay the run's log.`,
      )
    }
    try {
      this.#restore(saved)
    } catch (error) {
      if (error instanceof TelltaleError) throw error
      throw new TelltaleError(
        'bad-format',
        `The snapshot is damaged (${errorMessage(error)}). Replay the run's log instead.`,
        { cause: error },
      )
    }
  }

  #restore(saved: Partial<Snapshot>): void {
    if (this.#choice && saved.choice) {
      this.#choice.restore(saved.choice)
      this.#watches = this.#calibratedWatches()
    }
    const detectors = saved.detectors ?? []
    if (detectors.length !== this.#watches.length) {
      throw new TelltaleError(
        'bad-format',
        `The snapshot has ${detectors.length} detectors; expected ${this.#watches.length}. Give the same detectors, or replay the run's log.`,
      )
    }
    for (const [i, watch] of this.#watches.entries()) {
      restoreDetector(watch.detector, detectors[i])
      watch.failed = detectors[i]!.failed
    }
    this.#ticked = saved.ticked === true
    this.#ladder.restore(saved.ladder!)
    this.#answers.restore(saved.answers!)
    this.#learningRate.restore(saved.learningRate!)
  }

  /** What the detectors have to say; one that throws is asked no more. */
  #ask(question: (watch: Watch) => Evidence | undefined): {
    readonly findings: readonly Finding[]
    readonly broken: { readonly error: unknown } | null
  } {
    const findings: Finding[] = []
    let broken: { readonly error: unknown } | null = null
    for (const watch of this.#watches) {
      if (watch.failed) continue
      try {
        const evidence = question(watch)
        if (evidence) findings.push({ detector: watch.detector, evidence })
      } catch (error) {
        // One broken detector must not take the others with it.
        watch.failed = true
        broken = { error }
      }
    }
    return { findings, broken }
  }

  #raise(raised: Alert): void {
    const alert = this.#muted.one(raised)
    this.#monitor.recordAlert(alert)
    if (alert.severity !== 'critical' || alert.muted) return
    const { reason, iteration, rollbackTo } = alert
    this.#monitor.requestEarlyStop(reason, { severity: 'critical', iteration, rollbackTo })
  }

  /** The detectors of the preset; those that are at work already stay as they are. */
  #calibratedWatches(): readonly Watch[] {
    const others = this.#watches.filter((watch) => !this.#own.includes(watch))
    const atWork = new Map(others.map((watch) => [watch.detector.name, watch]))
    const rules = new Set(RULES.map(({ name }) => name))
    const preset = calibratedPreset({
      preset: this.preset ?? 'ppo',
      falseAlarmRate: this.#falseAlarmRate,
      onCompared: this.#onCompared,
    })
    const watches = [
      ...preset.map((detector) =>
        this.#watch(detector, rules.has(detector.name) || detector.tick ? 'rule' : 'calibrated'),
      ),
      this.#watch(impossibleKl(), 'rule'),
      ...(this.#klBudget === undefined ? [] : [this.#watch(klBudget(this.#klBudget, this.#onCompared), 'rule')]),
    ]
    return [...watches.map((watch) => atWork.get(watch.detector.name) ?? watch), ...this.#own]
  }

  #watch(detector: Detector, basis: AlertBasis): Watch {
    const store = this.#monitor.getMetricsStore()
    return { detector, basis, see: trustedView(detector, (name) => store.info(name)), failed: false }
  }

  /** A jump of the logged learning rate announces itself. */
  #withAnnouncements(closed: Observation): Observation {
    const { announced = [] } = closed
    if (announced.includes('resume')) this.#learningRate.reset()
    const jumped = this.#learningRate.update(closed.get('optim/lr'))
    return jumped && !announced.includes('learning-rate')
      ? { ...closed, announced: [...announced, 'learning-rate'] }
      : closed
  }

  #alert(
    { detector, evidence }: Finding,
    [id, replaces]: readonly [id: string, replaces: string | null],
    closed: Observation,
  ): Alert {
    const basis = this.#watches.find((watch) => watch.detector === detector)?.basis ?? 'threshold'
    const rollbackTo = newestBefore(this.#monitor.checkpoints, evidence.onset.estimate)
    return {
      ...evidence,
      id,
      detector: detector.name,
      iteration: closed.iteration,
      reason: alertReason(evidence, basis, this.#monitor.getMetricsStore().info(evidence.series[0] ?? '').original),
      rollbackTo,
      advice: adviceFor(evidence, { rollbackTo, config: this.#monitor.config, closed }),
      basis,
      falseAlarmRate: basis === 'calibrated' && evidence.severity === 'critical' ? this.#falseAlarmRate : null,
      samples: showsInAnswers(evidence) ? this.#answers.worst(evidence.onset) : [],
      ...{ state: 'open', replaces },
    }
  }
}

/** What {@link QualityAnalyzer.snapshot} gives, read back. */
interface Snapshot {
  readonly version: number
  readonly mode: AnalyzerMode
  readonly thresholds: Readonly<Record<string, number>>
  readonly preset: Preset | null
  readonly choice: Json
  readonly ticked: boolean
  readonly detectors: readonly { readonly failed: boolean }[]
  readonly ladder: Json
  readonly answers: Json
  readonly learningRate: Json
}

function showsInAnswers({ kind }: Evidence): boolean {
  return !WITHOUT_SAMPLES.has(kind)
}

/** Who sets the plan's own thresholds wants the plan's rules. */
function impliedMode({ rewardHackThreshold, windowSize }: QualityAnalyzerOptions): AnalyzerMode {
  return rewardHackThreshold !== undefined || windowSize !== undefined ? 'threshold' : DEFAULT_MODE
}

function refuse<Options>(options: Options, names: readonly (keyof Options & string)[], mode: AnalyzerMode): void {
  for (const name of names) {
    if (options[name] === undefined) continue
    const other = mode === 'threshold' ? 'calibrated' : 'threshold'
    throw new TelltaleError(
      'bad-option',
      `${name} does nothing in mode '${mode}'; leave it out, or give mode: '${other}'`,
    )
  }
}

function oneOf<const Choice extends string>(value: Choice, option: string, choices: readonly Choice[]): Choice {
  if (choices.includes(value)) return value
  throw new TelltaleError(
    'bad-option',
    `${option} is ${JSON.stringify(value)}; expected ${choices.map((choice) => `'${choice}'`).join(' or ')}`,
  )
}

function positive(value: number, option: string): number {
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value
  throw new TelltaleError('bad-option', `${option} is ${String(value)}; expected a number above 0`)
}

function newestBefore(checkpoints: readonly number[], iteration: number): number | null {
  let newest: number | null = null
  for (const checkpoint of checkpoints) if (checkpoint < iteration) newest = checkpoint
  return newest
}
