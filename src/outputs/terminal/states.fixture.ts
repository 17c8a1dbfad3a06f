/** States of displays, as plain data, for tests of frames. */
import { VerbosityLevel } from '../../verbosity.ts'
import type { AlertView, DisplayState, SeriesRow } from './display-state.ts'

/** A row of a table; the run so far is a ramp with a wave. */
export function row(canonical: string, title: string, latest: number, more: Partial<SeriesRow> = {}): SeriesRow {
  return {
    canonical,
    title,
    unit: '',
    badDirection: null,
    latest,
    mean: latest * 0.9,
    trend: 'flat',
    history: Array.from({ length: 58 }, (_, i) => i + 9 * Math.sin(i)),
    ...more,
  }
}

export const HACKING: AlertView = {
  id: 'reward-hacking-1',
  severity: 'critical',
  title: 'Reward hacking',
  iteration: 57,
  reason:
    'Reward hacking: reward/score goes up while quality/ref_perplexity rose from 1.68 to 2.07 (they part by 9.01 standard deviations; threshold 0.3)',
  advice: [
    'Roll back to the checkpoint of iteration 20, the newest from before the onset',
    'Give the KL penalty a coefficient above 0: it is 0, so nothing holds the policy near its reference',
    'Read the changed answers and judge for yourself',
  ],
  ...{ course: '', resolved: false },
}

const REWARD = row('reward/score', 'Reward', 1.092, { unit: 'reward', badDirection: 'down', trend: 'up' })
const KL = row('kl_ref/token', 'KL to the reference per token', 0.3251, {
  unit: 'nats/token',
  badDirection: 'up',
  trend: 'up',
})
const LOSS = row('loss/total', 'Total loss', -0.0207)

/** A run in its 58th iteration with one alert; `more` replaces what a test is about. */
export function runningState(more: Partial<DisplayState> = {}): DisplayState {
  return {
    verbosity: VerbosityLevel.VERBOSE,
    runId: 'demo-reward-hacking-1',
    status: 'running',
    why: null,
    done: 58,
    total: 120,
    elapsedMs: 61_000,
    etaMs: 65_200,
    msPerIteration: 1052,
    reward: REWARD,
    kl: KL,
    loss: LOSS,
    series: [
      REWARD,
      KL,
      LOSS,
      row('quality/ref_perplexity', 'Perplexity under the reference', 2.09, { badDirection: 'up', trend: 'up' }),
      row('quality/similarity', 'Similarity to the baseline answers', 0.733, {
        unit: 'fraction',
        trend: null,
        history: [1, 0.733],
      }),
      row('quality/distinct_2', 'Distinct word pairs', 0.532, {
        unit: 'fraction',
        badDirection: 'down',
        trend: 'down',
      }),
      row('loss/policy', 'Policy loss', -0.00853),
      row('loss/value', 'Value loss', Number.NaN, { mean: null, history: [1, 0.5, Number.NaN, 0.2, Number.NaN] }),
      row('length/mean', 'Answer length', 14.16, { unit: 'tokens' }),
    ],
    seriesCount: 21,
    mechanics: [
      row('ppo/clip_fraction', 'clip fraction', 0.076, { unit: 'fraction' }),
      row('ppo/approx_kl', 'approx KL', 0.00435, { unit: 'nats/token' }),
      row('ppo/ratio_mean', 'ratio', 0.995),
      row('value/explained_variance', 'explained variance', 0.688),
      row('entropy/token', 'entropy', 0.452, { unit: 'nats/token', badDirection: 'down', trend: 'down' }),
      row('grad/norm', 'gradient norm', Number.POSITIVE_INFINITY),
      row('optim/lr', 'learning rate', 2e-4),
    ],
    alerts: [HACKING],
    alertCounts: { info: 0, warning: 0, critical: 1, muted: 0 },
    mutedKinds: [],
    sample: {
      iteration: 40,
      baselineIteration: 0,
      similarity: 0.741,
      prompt: 'tell me how to bake bread',
      words: [
        { kind: 'kept', text: 'let the dough rest for an hour . ' },
        { kind: 'removed', text: 'boil two cups of water .' },
        { kind: 'added', text: 'let the dough rest for an hour .' },
      ],
    },
    coverage: {
      watched: ['Reward hacking', 'KL explosion'],
      unwatched: [{ title: 'Value-reward mismatch', why: 'no value/explained_variance' }],
    },
    ...more,
  }
}
