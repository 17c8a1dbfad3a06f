/**
 * What the reports say of the alerts, and of what was watched.
 *
 * @module
 */
import { canonicalMetric } from '../../../vocabulary/canonical.ts'
import { courseWords, failuresOf } from '../../failures.ts'
import { unwatchedKinds, unwatchedWords } from '../coverage-words.ts'
import { formatNumber, formatQuantity } from '../format.ts'
import type { ReportAlert, TrainingReport } from '../report.ts'
import { certaintyWords, KIND_TITLES, mutedWords, onsetWords, seenWords } from '../words.ts'
import { code, type Fact, joined, short, type Table, text, type Words } from './rich-text.ts'

const RANK = { critical: 0, warning: 1, info: 2 } as const
const MAX_DETECTORS = 50

/** The gravest alert of each failure that is not muted, the most serious first. */
export function sortedAlerts({ alerts }: Pick<TrainingReport, 'alerts'>): ReportAlert[] {
  return failuresOf(alerts)
    .map(({ gravest }) => gravest)
    .filter(({ muted }) => !muted)
    .toSorted((a, b) => RANK[a.severity] - RANK[b.severity] || a.iteration - b.iteration)
}

/** The muted alerts in short, all in one; null where there are none. */
export function mutedFact({ alerts }: Pick<TrainingReport, 'alerts'>): Fact | null {
  const muted = alerts.filter((alert) => alert.muted)
  return muted.length === 0
    ? null
    : { label: 'Muted', words: [`${mutedWords(muted)}. All of it is in `, code('training_report.json'), '.'] }
}

/** What a person needs to judge an alert, but for its samples and what to do. */
export function alertFacts(alert: ReportAlert, report: TrainingReport): Fact[] {
  const [first] = alert.series
  const unit = (first === undefined ? undefined : (report.metrics[first]?.unit ?? canonicalMetric(first)?.unit)) ?? ''
  const failure = failuresOf(report.alerts).find(({ gravest }) => gravest.id === alert.id)
  const series = joined(
    alert.series.map((name) => [code(name)]),
    ', ',
  )
  return [
    { label: 'What', words: [text(alert.reason, 500)] },
    {
      label: 'Since when',
      words: [
        `${onsetWords(alert.onset)}; raised after iteration ${formatNumber(alert.iteration)}${failure ? courseWords(failure) : ''}`,
      ],
    },
    {
      label: 'How sure',
      words: [certaintyWords(alert)],
    },
    {
      label: 'Evidence',
      words: [
        ...(series.length > 0 ? series : ['no series']),
        `; seen ${seenWords(alert.observed, (value) => formatQuantity(short(value), unit))}, where ${formatQuantity(short(alert.expected), unit)} would have been in order`,
      ],
    },
  ]
}

/** What was watched and what was not; null where the analyzer has no detectors. */
export function coverageTable(coverage: NonNullable<TrainingReport['coverage']>): Table | null {
  if (coverage.length === 0) return null
  const all = (needs: readonly string[]): Words => joined(needs.map(alternatives), ' and ')
  return {
    columns: ['Failure', 'Detector', 'Watched', 'Needs', 'Never logged'].map((name) => ({ heading: [name] })),
    rows: coverage
      .slice(0, MAX_DETECTORS)
      .map(({ detector, kind, kinds = [kind], needs, missing, unfit = [] }) => [
        [kinds.map((one) => KIND_TITLES[one]).join(', ')],
        [code(detector)],
        missing.length === 0 ? ['yes'] : [{ strong: 'no' }],
        all(needs),
        [
          ...(missing.length === 0 ? ['–'] : all(missing)),
          ...unfit.flatMap(({ series, why }) => ['; ', code(series), ' is logged, but ', text(why, 200)]),
        ],
      ]),
  }
}

/** What no detector watches, and why: an item a reason. */
export function unwatchedList(coverage: NonNullable<TrainingReport['coverage']>): readonly Words[] {
  return unwatchedKinds(coverage).map((entry) => [text(unwatchedWords(entry), 500)])
}

/** The reward of an answer that is shown, where it was logged: ` (reward 0.3)`. */
export function rewardWords(reward: number | undefined): string {
  return reward === undefined ? '' : ` (reward ${formatNumber(short(reward))})`
}

/** `a | b | c` as alternatives in words. */
function alternatives(need: string): Words {
  const names = need.split(' | ')
  if (names.length === 1) return [code(need)]
  const shown = joined(
    names.slice(0, 3).map((name) => [code(name)]),
    ', ',
  )
  return ['one of ', ...shown, ...(names.length > 3 ? [` (or ${formatNumber(names.length - 3)} more)`] : [])]
}
