/**
 * What the reports say of the mechanics of PPO.
 *
 * @module
 */
import { formatNumber } from '../format.ts'
import type { TrainingReport } from '../report.ts'
import { code, short, type Table, text, type Words } from './rich-text.ts'

/** What each number of the tracker's summary means; any other is shown under its own name. */
const MEANINGS: Readonly<Record<string, string>> = {
  iterations: 'Recorded iterations',
  avgClipFraction: 'Mean share of tokens that were clipped (about 0.01 to 0.2 is usual)',
  policyImprovement: 'Reward of the last tenth minus that of the first',
  valueAccuracy: 'Explained variance of the value head in the last tenth (1 perfect, 0 no better than a constant)',
  avgSurrogateGain: 'Mean gain of the clipped objective an update',
  avgClippingCost: 'Mean of what clipping took away from it',
  valueLossRatio: 'Value loss of the last tenth over that of the first (below 1: it learns)',
  avgApproxKlNats: 'Mean KL(old, new) of an update, nats per token',
  maxApproxKlNats: 'Largest KL(old, new) of an update, nats per token',
  maxFirstRatioError: 'Largest error of the first minibatch’s ratio (0; anything else is a bug)',
  avgGradientNorm: 'Mean gradient norm before clipping',
  maxGradientNorm: 'Largest gradient norm before clipping',
  finalEntropyNats: 'Entropy in the last tenth, nats per token',
  finalLearningRate: 'Newest learning rate',
}

/** Columns of the excerpt, in this order where they were recorded. */
const FIELDS: readonly (readonly [field: string, heading: string])[] = [
  ['clipFraction', 'Clipped share'],
  ['approxKlNats', 'KL(old, new)'],
  ['ratioMean', 'Ratio'],
  ['explainedVariance', 'Explained variance'],
  ['policyLoss', 'Policy loss'],
  ['valueLoss', 'Value loss'],
  ['advantageStd', 'Advantage spread'],
  ['gradientNorm', 'Gradient norm'],
  ['entropyNats', 'Entropy'],
  ['learningRate', 'Learning rate'],
]
const MAX_RECORDS = 10

/** The tracker's summary with what each number means, and an excerpt of its history (null where it has no known field). */
export function ppoTables({ summary, history }: NonNullable<TrainingReport['ppoMechanics']>): {
  readonly summary: Table
  readonly history: Table | null
} {
  const fields = FIELDS.filter(([field]) => history.some((record) => record[field] !== undefined))
  return {
    summary: {
      columns: [{ heading: ['Meaning'] }, { heading: ['Name'] }, { heading: ['Value'], numeric: true }],
      rows: Object.entries(summary)
        .slice(0, 40)
        .map(([name, value]) => [
          [Object.hasOwn(MEANINGS, name) ? MEANINGS[name]! : text(name, 60)],
          [code(name)],
          [value === null ? 'not logged' : formatNumber(short(value))],
        ]),
    },
    history:
      fields.length === 0
        ? null
        : {
            columns: [
              { heading: ['Iteration'], numeric: true },
              ...fields.map(([, heading]) => ({ heading: [heading], numeric: true })),
            ],
            rows: spread(history).map((record) => [
              [formatNumber(record.iteration ?? Number.NaN)],
              ...fields.map(([field]): Words => {
                const value = record[field]
                return [value === undefined ? '–' : formatNumber(short(value))]
              }),
            ]),
          },
  }
}

/** At most ten records, the first and the last among them. */
function spread<Item>(items: readonly Item[]): Item[] {
  if (items.length <= MAX_RECORDS) return [...items]
  return Array.from({ length: MAX_RECORDS }, (_, i) => items[Math.round((i * (items.length - 1)) / (MAX_RECORDS - 1))]!)
}
