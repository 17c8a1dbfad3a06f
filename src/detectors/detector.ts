/**
 * What a detector is: a pure function of the closed iterations so far, with a state that can be saved and restored. It has
 * no clock, no input or output and no chance, so that replaying a run's log gives the same alerts as watching it live.
 *
 * @module
 */

import type { SeriesInfo } from '../vocabulary/series.ts'

/** The kinds of failure that an alert can name. */
export const ALERT_KINDS = [
  'reward-hacking',
  'coherence-loss',
  'quality-collapse',
  'kl-explosion',
  'value-reward-mismatch',
  'catastrophic-forgetting',
  'entropy-collapse',
  'length-explosion',
  'non-finite',
  'loss-spike',
  'gradient-anomaly',
  'dead-learning',
  'train-inference-mismatch',
  'broken-invariant',
  'stall',
] as const

/** One of {@link ALERT_KINDS}. */
export type AlertKind = (typeof ALERT_KINDS)[number]

/** How much an alert matters: `info` is a note, `warning` wants a look, `critical` requests the early stop. */
export type Severity = 'info' | 'warning' | 'critical'

/** JSON, as a detector's state must be. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** A closed iteration as a detector sees it. */
export interface Observation {
  /** Zero-based iteration. */
  readonly iteration: number
  /** Unix seconds of the ITERATION_END in the log; only differences mean something. */
  readonly time: number
  /** The value that this iteration logged for a canonical name; undefined where it logged none. NaN is a value. */
  get(name: string): number | undefined
  /** What was announced since the previous observation (`resume`, `prompt-mix`, `learning-rate`, …). */
  readonly announced?: readonly string[]
}

/** Time passes without an event: what a `tick` line of the log says. */
export interface Tick {
  /** Unix seconds of the line; only differences mean something. */
  readonly time: number
  /** Iteration of the newest event. */
  readonly iteration: number
  /** Seconds since the newest event, at least 0. */
  readonly silentSeconds: number
  /** Iterations closed since the process began, or since the run fell back. */
  readonly closedHere: number
}

/** What speaks for an alert: all data, no words. */
export interface Evidence {
  /** The failure. */
  readonly kind: AlertKind
  /** Which way the watched series moved. */
  readonly direction?: 'up' | 'down'
  /** How much it matters. */
  readonly severity: Severity
  /** Canonical names of the series that the evidence is about, the deciding one first. */
  readonly series: readonly string[]
  /** The value seen, in the unit of the first series. */
  readonly observed: number
  /** The value that would have been in order, in the unit of the first series. */
  readonly expected: number
  /** The detector's statistic, compared with {@link threshold}. */
  readonly statistic: number
  /** What {@link statistic} is compared with. */
  readonly threshold: number
  /** When the failure began: an iteration with an interval around it. */
  readonly onset: { readonly estimate: number; readonly interval: readonly [number, number] }
}

/** One watcher of one kind of failure. */
export interface Detector<State extends Json = Json> {
  /** Kebab-case name, as it appears in alert ids. */
  readonly name: string
  /** The failure that it looks for. */
  readonly kind: AlertKind
  /** All kinds that its evidence can have, where they are more than {@link kind}. */
  readonly kinds?: readonly AlertKind[]
  /**
   * Canonical names that it reads. It works when at least one name of each group is logged; a group is written as an
   * array of alternatives, the best first.
   */
  readonly reads: readonly (readonly string[])[]
  /**
   * Whether it can judge a series that means this, by the trainer's table. A series that it does not accept is not shown to it, and the
   * coverage says why. Where left out: a kind that is about exact relations accepts what is exact, any other all but what is unusable.
   */
  accepts?(series: SeriesInfo): boolean
  /** Version of what {@link snapshot} gives; 1 where left out. It goes up when an older state would be misread. */
  readonly stateVersion?: number
  /** Takes one closed iteration; returns evidence while the failure is seen, undefined otherwise. */
  update(observation: Observation): Evidence | undefined
  /**
   * Hears that time passes between two iterations, for what only time can show; evidence as from {@link update}. The alert of a detector that
   * has it is resolved as soon as it gives no more.
   */
  tick?(tick: Tick): Evidence | undefined
  /** The whole state as JSON; `restore(snapshot())` on a new detector continues exactly. */
  snapshot(): State
  /** Takes a state that `snapshot` gave. */
  restore(state: State): void
}

/** What one detector needs and lacks: how an output says what is watched and what is not. */
export interface Coverage {
  /** Name of the detector. */
  readonly detector: string
  /** The failure that it looks for. */
  readonly kind: AlertKind
  /** All kinds that it can name, where they are more than {@link kind}. */
  readonly kinds?: readonly AlertKind[] | undefined
  /** The needed series, one entry a group, alternatives joined by `|`. */
  readonly needs: readonly string[]
  /** The groups of which nothing that it can judge has been logged so far. */
  readonly missing: readonly string[]
  /** Series that are logged but do not mean what it would judge, with the reason from the trainer's table. */
  readonly unfit?: readonly { readonly series: string; readonly why: string }[] | undefined
}

/**
 * Where an alert's threshold comes from: `threshold` is a fixed number, `calibrated` is a rate of false alarms, `rule` is an exact
 * relation or an agreed limit that was broken several iterations in a row.
 */
export type AlertBasis = 'threshold' | 'calibrated' | 'rule'

/** Answers to one prompt from before and after the onset of a failure. Texts are cut to 1,000 characters, with an ellipsis. */
export interface AlertSample {
  /** What was asked. */
  readonly prompt: string
  /** The answer from before. */
  readonly original: string
  /** The answer since. */
  readonly updated: string
  /** Iteration of the answer from before. */
  readonly baselineIteration: number
  /** Iteration of the answer since. */
  readonly iteration: number
  /** Rewards of the two answers, where both were logged. */
  readonly rewards: readonly [number, number] | null
}

/** An alert as stores and outputs see it: data; words are made in the outputs. */
export interface Alert extends Evidence {
  /** `<detector>-<n>`, n from 1. */
  readonly id: string
  /** Name of the detector that saw it. */
  readonly detector: string
  /** Iteration whose closing raised it. */
  readonly iteration: number
  /** One line in plain words: what was seen, against what. */
  readonly reason: string
  /** Newest existing checkpoint before the onset, or null where there is none. */
  readonly rollbackTo: number | null
  /** What to do, as a code that the outputs word. */
  readonly advice: readonly Advice[]
  /** Where its threshold comes from. */
  readonly basis: AlertBasis
  /**
   * Share of healthy runs that raise any critical alert, as the detectors were calibrated; null for an alert that is not calibrated or
   * not critical.
   */
  readonly falseAlarmRate: number | null
  /** Answers that show it, the worst first; at most 3. */
  readonly samples: readonly AlertSample[]
  /** `resolved` after three closed iterations without evidence, or where another one has replaced it. */
  readonly state: 'open' | 'resolved'
  /** Id of the alert of the same failure that this one took over from, as that grew worse, eased or turned out to be of another kind; null for a new failure. */
  readonly replaces: string | null
  /** There where nobody wants to hear of this kind: the alert is kept and reported, and it stops nothing and calls nobody. */
  readonly muted?: true
}

/** Something a person can do about an alert. */
export type Advice =
  | { readonly do: 'roll-back'; readonly to: number | null }
  | { readonly do: 'raise-kl-coefficient'; readonly from: number | null; readonly to: number | null }
  | { readonly do: 'lower-learning-rate'; readonly from: number | null; readonly to: number | null }
  | { readonly do: 'raise-entropy-bonus'; readonly from: number | null; readonly to: number | null }
  | { readonly do: SimpleAdvice }

/** The {@link Advice} that has no numbers. */
export type SimpleAdvice =
  | 'read-samples'
  | 'check-value-model'
  | 'check-reward-model'
  | 'check-old-log-probs'
  | 'check-advantage-sign'
  | 'check-log'
  | 'check-sampler'
  | 'check-learning-signal'
  | 'check-precision'
  | 'check-batch'
  | 'check-process'
  | 'clip-gradients'
  | 'limit-length'
  | 'mix-in-old-data'
