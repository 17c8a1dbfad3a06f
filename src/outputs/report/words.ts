/**
 * Words for what the data says: kinds of failure, pieces of advice, counters. Plain text; the renderer escapes it.
 *
 * @module
 */
import { canonicalMetric, metricTitle } from '../../vocabulary/canonical.ts'
import { formatNumber, formatQuantity } from './format.ts'
import { MAX_CHECKPOINTS, type ReportAlert, type ReportMetric } from './report.ts'
import type { Advice, AlertKind, SimpleAdvice } from './report-input.ts'

/** The name of each kind of failure, as in a heading. */
export const KIND_TITLES: Readonly<Record<AlertKind, string>> = {
  'reward-hacking': 'Reward hacking',
  'coherence-loss': 'Loss of coherence',
  'quality-collapse': 'Collapse of quality',
  'kl-explosion': 'KL explosion',
  'value-reward-mismatch': 'Value-reward mismatch',
  'catastrophic-forgetting': 'Catastrophic forgetting',
  'entropy-collapse': 'Entropy collapse',
  'length-explosion': 'Length explosion',
  'non-finite': 'Non-finite value',
  'loss-spike': 'Loss spike',
  'gradient-anomaly': 'Gradient anomaly',
  'dead-learning': 'Dead learning',
  'train-inference-mismatch': 'Mismatch of trainer and sampler',
  'broken-invariant': 'Broken invariant',
  stall: 'Stall',
}

/** What each counter of set-aside things counts. */
export const COUNTER_WORDS: Readonly<Record<string, string>> = {
  rejectedEvents: 'events that were no events (unknown phase, bad iteration)',
  rejectedValues: 'values that were no numbers',
  lateValues: 'values for iterations that had already closed (stored, but no detector saw them)',
  ignoredEvents: 'events that were repeated or came after the end',
  droppedNames: 'series beyond the limit of names',
  droppedSamples: 'samples or metadata beyond a limit',
  droppedLines: 'log lines that were too long or could not be written',
  damagedLines: 'damaged lines in the log',
}

/** A title in the middle of a sentence. */
export function titleInProse(canonical: string): string {
  return inProse(metricTitle(canonical))
}

function inProse(title: string): string {
  return /^[A-Z][a-z]/.test(title) ? `${title[0]!.toLowerCase()}${title.slice(1)}` : title
}

/** What was seen, as the clause after "because". */
export function alertClause(alert: ReportAlert, metrics: Readonly<Record<string, ReportMetric>>): string {
  const [first = 'a series', second = 'reward/score'] = alert.series
  // What the monitor measures itself is in no store.
  const unit = metrics[first]?.unit ?? canonicalMetric(first)?.unit ?? ''
  const name = titleInProse(first)
  const observed = seenWords(alert.observed, (value) => formatQuantity(value, unit))
  const expected = formatQuantity(alert.expected, unit)
  const moved = `the ${name} ${alert.observed >= alert.expected ? 'rose' : 'fell'} from ${expected} to ${observed}`
  switch (alert.kind) {
    case 'reward-hacking': {
      const way = alert.direction === 'down' ? 'fell' : 'rose'
      const reward = titleInProse(second)
      return alert.basis === 'calibrated'
        ? `${moved} while the ${reward} did not fall, the mark of reward hacking`
        : `the ${reward} kept rising while the ${name} ${way} from ${expected} to ${observed}, the mark of reward hacking`
    }
    case 'kl-explosion':
      return alert.basis === 'calibrated'
        ? `the ${name} reached ${observed} where at most ${expected} was to be expected: it grows faster than a run that settles`
        : `the ${name} reached ${observed}, above the limit of ${formatNumber(alert.expected)}`
    case 'coherence-loss':
      return alert.basis === 'calibrated'
        ? `${moved}: the answers lose coherence`
        : `the ${name} reached ${observed}, ${formatNumber(rounded(alert.statistic))} times its level of ${expected} at the start: the answers lose coherence`
    case 'quality-collapse':
      return `${moved}: the answers get worse, and the reward with them`
    case 'value-reward-mismatch':
      return alert.basis === 'calibrated'
        ? `${moved}: the value model explains less and less of the returns, and the advantages become noise`
        : `the ${name} is ${observed}, so the value model predicts the rewards no better than a constant would and the advantages are mostly noise`
    case 'catastrophic-forgetting':
      return `${moved} on prompts that stayed the same: the model forgets what it could do`
    case 'entropy-collapse':
      return `${moved}: the policy becomes sure of itself without earning more`
    case 'length-explosion':
      return `${moved}: the answers grow without earning more`
    case 'non-finite':
      return `the ${name} was NaN or infinite`
    case 'loss-spike':
    case 'gradient-anomaly':
      return `the ${name} stays at about ${observed}, where ${expected} is usual`
    case 'dead-learning':
      return `the ${name} is ${observed}: nothing is learned`
    case 'train-inference-mismatch':
      return `the ${name} is ${observed} where the limit is ${expected}: trainer and sampler disagree on log-probabilities`
    case 'broken-invariant':
      return `an exact relation is broken: ${invariantClause(alert, name, observed, expected)}`
    case 'stall':
      return `no event came for ${observed}, where ${expected} at the most were usual: the run may be hanging`
  }
}

/** The value seen. Evidence is JSON, which has no NaN: the largest number stands for what is not finite. */
export function seenWords(observed: number, format: (value: number) => string): string {
  return observed === Number.MAX_VALUE ? 'not finite' : format(observed)
}

function invariantClause(alert: ReportAlert, name: string, observed: string, expected: string): string {
  switch (alert.series[0]) {
    case 'ppo/ratio_first':
    case 'ppo/approx_kl_first':
      return `the ${name} is ${observed} where it is ${expected} exactly, so the old log-probabilities are wrong`
    case 'adv/reward_corr':
      return `the ${name} is ${observed}, so that what scores well is made rarer`
    case 'reward/total':
      return `the ${name} is ${observed} where score and KL penalty make ${expected}, so one of the three is not what its name says`
    case 'value/head_update_norm':
      return 'the value head does not move'
    default:
      return `the ${name} is ${observed} and cannot be ${alert.direction === 'up' ? 'above' : 'below'} ${expected} by its definition, so the log is wrong`
  }
}

/** Since when, as a clause: an estimate is never given without its interval. */
export function onsetWords(onset: ReportAlert['onset']): string {
  const [from, to] = onset.interval
  if (from === to) return `since iteration ${formatNumber(onset.estimate)}`
  return `since about iteration ${formatNumber(onset.estimate)} (between ${formatNumber(from)} and ${formatNumber(to)})`
}

/** How sure an alert is: what its threshold is worth, and how far beyond it the statistic is. */
export function certaintyWords(
  alert: Pick<ReportAlert, 'kind' | 'basis' | 'severity' | 'statistic' | 'threshold' | 'falseAlarmRate'>,
): string {
  const statistic = `the statistic is ${formatNumber(rounded(alert.statistic))} against a threshold of ${formatNumber(rounded(alert.threshold))}`
  if (alert.kind === 'stall') {
    return `${statistic} seconds, five times what is usual in this run and a minute at the least; an evaluation or a checkpoint that is new to it can take as long`
  }
  if (alert.basis === 'rule') {
    return `this is no matter of chance: a relation or limit that is sure was broken ${formatNumber(rounded(alert.statistic))} iterations in a row`
  }
  if (alert.basis === 'calibrated') {
    return alert.falseAlarmRate === null
      ? `${statistic}; a ${alert.severity === 'info' ? 'note' : 'warning'} comes more readily than a critical alert, so look before you act`
      : `${statistic}; the detectors are calibrated so that at most ${formatNumber(rounded(100 * alert.falseAlarmRate))} of 100 healthy runs raise any critical alert`
  }
  const ratio = alert.statistic / alert.threshold
  const times =
    Number.isFinite(ratio) && ratio >= 1.005 && ratio < 1e6 ? ` (${formatNumber(rounded(ratio))} times)` : ''
  return `${statistic}${times}; a fixed threshold does not know the noise of this run, and healthy runs can cross it too`
}

/** Alerts that are muted, in short, by kind: `length explosion (critical at iteration 40), stall (2 times, first info at iteration 7)`. */
export function mutedWords(alerts: readonly Pick<ReportAlert, 'kind' | 'severity' | 'iteration' | 'state'>[]): string {
  const kinds = [...new Set(alerts.map(({ kind }) => kind))]
  return kinds
    .map((kind) => {
      const some = alerts.filter((alert) => alert.kind === kind)
      const { severity, iteration } = some[0]!
      const times = some.length === 1 ? '' : `${formatNumber(some.length)} times, first `
      const passed = some.every(({ state }) => state === 'resolved') ? ', passed since' : ''
      return `${inProse(KIND_TITLES[kind])} (${times}${severity} at iteration ${formatNumber(iteration)}${passed})`
    })
    .join(', ')
}

/**
 * A piece of advice as a sentence without its full stop.
 *
 * @param kept the newest checkpoints that exist now, ascending, where more may have come and gone since the alert.
 */
export function adviceWords(advice: Advice, kept?: readonly number[]): string {
  switch (advice.do) {
    case 'roll-back': {
      if (advice.to === null) return 'Start again from the beginning: no checkpoint from before the onset exists'
      const target = `the checkpoint of iteration ${formatNumber(advice.to)}, the newest from before the onset`
      return kept && isGone(advice.to, kept)
        ? `Roll back to a copy of ${target}, or start again: the run has since removed it`
        : `Roll back to ${target}`
    }
    case 'raise-kl-coefficient':
      if (advice.from === 0) {
        return 'Give the KL penalty a coefficient above 0: it is 0, so nothing holds the policy near its reference'
      }
      return `Raise the KL coefficient${changeWords(advice.from, advice.to)}`
    case 'lower-learning-rate':
      return `Lower the learning rate${changeWords(advice.from, advice.to)}`
    case 'raise-entropy-bonus':
      if (advice.from === 0 || advice.from === null) return 'Give the entropy a bonus in the loss'
      return `Raise the entropy bonus${changeWords(advice.from, advice.to)}`
    default:
      return SIMPLE_ADVICE_WORDS[advice.do]
  }
}

/** The advice without numbers, in words. */
export const SIMPLE_ADVICE_WORDS: Readonly<Record<SimpleAdvice, string>> = {
  'read-samples': 'Read the changed answers and judge for yourself',
  'check-value-model':
    'Look at the value model: its learning rate, its loss, and whether it suits the scale of the rewards',
  'check-reward-model':
    'Look for what the reward model overrates in those answers, and give it preferences that cover it',
  'check-old-log-probs':
    'Find where the old log-probabilities come from: they must be those of the policy that wrote the answers, with its temperature and masks',
  'check-advantage-sign': 'Look for the flipped sign between reward, advantage and loss',
  'check-log':
    'Find out what is logged under that name, and correct the logging or give Telltale the right trainer, before you trust any other number',
  'check-sampler':
    'Make trainer and sampler agree: the same weights, precision, temperature and tokens, or correct the loss by importance sampling',
  'check-learning-signal':
    'Look for what keeps the weights still: frozen parameters, a learning rate of 0, or rewards that do not differ',
  'check-precision': 'Look for where it becomes infinite: loss scaling, float16, a division by 0, the logarithm of 0',
  'check-batch': 'Look at the batches since then for broken or unusual data',
  'check-process': 'See whether the process, its machine and its storage are alive',
  'clip-gradients': 'Clip the gradient norm at about its usual level',
  'limit-length': 'Limit the length of the answers, or take length out of the reward',
  'mix-in-old-data': 'Mix data of the earlier task into the training',
}

/** Of a long list only the newest are given: what is older than all of them may still be there. */
function isGone(checkpoint: number, kept: readonly number[]): boolean {
  return !kept.includes(checkpoint) && (kept.length < MAX_CHECKPOINTS || checkpoint > kept[0]!)
}

function changeWords(from: number | null, to: number | null): string {
  const was = from === null ? '' : ` from ${formatNumber(from)}`
  return to === null ? was : `${was} to about ${formatNumber(to)}`
}

function rounded(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(3)) : value
}
