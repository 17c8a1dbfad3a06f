/**
 * Words for what the data says: kinds of failure, pieces of advice, counters. Plain text; the renderer escapes it.
 *
 * @module
 */
import { metricTitle } from '../../vocabulary/canonical.ts'
import { formatNumber, formatQuantity } from './format.ts'
import type { ReportAlert, ReportMetric } from './report.ts'
import type { Advice, AlertKind } from './report-input.ts'

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
  const title = metricTitle(canonical)
  return /^[A-Z][a-z]/.test(title) ? `${title[0]!.toLowerCase()}${title.slice(1)}` : title
}

/** What was seen, as the clause after "because". */
export function alertClause(alert: ReportAlert, metrics: Readonly<Record<string, ReportMetric>>): string {
  const [first = 'a series', second = 'reward/score'] = alert.series
  const unit = metrics[first]?.unit ?? ''
  const name = titleInProse(first)
  const observed = formatQuantity(alert.observed, unit)
  const expected = formatQuantity(alert.expected, unit)
  switch (alert.kind) {
    case 'reward-hacking': {
      const way = alert.direction === 'down' ? 'fell' : 'rose'
      return `the ${titleInProse(second)} kept rising while the ${name} ${way} from ${expected} to ${observed}, the mark of reward hacking`
    }
    case 'kl-explosion':
      return `the ${name} reached ${observed}, above the limit of ${formatNumber(alert.threshold)}`
    case 'coherence-loss':
      return `the ${name} reached ${observed}, ${formatNumber(rounded(alert.statistic))} times its level of ${expected} at the start: the answers lose coherence`
    case 'value-reward-mismatch':
      return `the ${name} is ${observed}, so the value model predicts the rewards no better than a constant would and the advantages are mostly noise`
    case 'non-finite':
      return `the ${name} was ${observed}`
    default:
      return `the ${name} is ${observed} where ${expected} was expected (${KIND_TITLES[alert.kind].toLowerCase()})`
  }
}

/** Since when, as a clause: an estimate is never given without its interval. */
export function onsetWords(onset: ReportAlert['onset']): string {
  const [from, to] = onset.interval
  if (from === to) return `since iteration ${formatNumber(onset.estimate)}`
  return `since about iteration ${formatNumber(onset.estimate)} (between ${formatNumber(from)} and ${formatNumber(to)})`
}

/** How far beyond its threshold the statistic is, and what that is worth. */
export function certaintyWords(alert: ReportAlert, mode: string | null): string {
  const statistic = `the statistic is ${formatNumber(rounded(alert.statistic))} against a threshold of ${formatNumber(rounded(alert.threshold))}`
  const ratio = alert.statistic / alert.threshold
  const times =
    Number.isFinite(ratio) && ratio >= 1.005 && ratio < 1e6 ? ` (${formatNumber(rounded(ratio))} times)` : ''
  return mode === 'threshold'
    ? `${statistic}${times}; a fixed threshold does not know the noise of this run, and healthy runs can cross it too`
    : `${statistic}${times}`
}

/** A piece of advice as a sentence without its full stop. */
export function adviceWords(advice: Advice): string {
  switch (advice.do) {
    case 'roll-back':
      return advice.to === null
        ? 'Start again from the beginning: no checkpoint from before the onset exists'
        : `Roll back to the checkpoint of iteration ${formatNumber(advice.to)}, the newest from before the onset`
    case 'raise-kl-coefficient':
      if (advice.from === 0) {
        return 'Give the KL penalty a coefficient above 0: it is 0, so nothing holds the policy near its reference'
      }
      return `Raise the KL coefficient${changeWords(advice.from, advice.to)}`
    case 'lower-learning-rate':
      return `Lower the learning rate${changeWords(advice.from, advice.to)}`
    case 'read-samples':
      return 'Read the changed answers and judge for yourself'
    case 'check-value-model':
      return 'Look at the value model: its learning rate, its loss, and whether it suits the scale of the rewards'
    case 'check-reward-model':
      return 'Look for what the reward model overrates in those answers, and give it preferences that cover it'
  }
}

function changeWords(from: number | null, to: number | null): string {
  const was = from === null ? '' : ` from ${formatNumber(from)}`
  return to === null ? was : `${was} to about ${formatNumber(to)}`
}

function rounded(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(3)) : value
}
