/**
 * Reward hacking, collapse and loss of coherence: the answers get worse, and the reward and the channels say in which way.
 *
 * @module
 */
import type { AlertKind, Detector, Evidence, Json, Observation } from '../detector.ts'
import type { Drift } from './drift.ts'
import { severityOf, type Thresholds } from './ladder.ts'
import { type QualityWatch, qualityWatch, SCORE_CHANNELS, TEXT_CHANNELS } from './quality-watch.ts'
import { rewardLevel } from './reward-level.ts'

/** Thresholds of {@link answerQuality}: for all channels together, for scores alone, for text statistics alone. */
export interface AnswerQualityOptions {
  readonly all: Thresholds
  readonly score: Thresholds
  readonly text: Thresholds
}

/** Change of the reward, in standard deviations of an iteration, that is a fall; and a rise. */
const REWARD_FELL = -1.1
const REWARD_ROSE = 0.6
/** Share of the text's decline that the scores must show, for it to be more than a matter of style. */
const SCORES_FOLLOW = 0.4

type Part = 'all' | 'score' | 'text'
const PARTS: readonly Part[] = ['all', 'score', 'text']

/** Watches the quality of the answers and tells reward hacking, quality collapse and loss of coherence apart. */
export function answerQuality(options: AnswerQualityOptions): Detector {
  const watches: Readonly<Record<Part, QualityWatch>> = {
    all: qualityWatch([...SCORE_CHANNELS, ...TEXT_CHANNELS]),
    score: qualityWatch(SCORE_CHANNELS),
    text: qualityWatch(TEXT_CHANNELS),
  }
  const reward = rewardLevel()
  let drifts: Partial<Record<Part, Drift>> = {}
  let open: Evidence | null = null

  function judge(): Evidence | null {
    let decided: { readonly part: Part; readonly severity: Evidence['severity']; readonly beyond: number } | null = null
    for (const part of PARTS) {
      const drift = drifts[part]
      const severity = drift ? severityOf(drift.statistic, options[part], open?.severity ?? null) : null
      if (!drift || severity === null) continue
      const beyond = drift.statistic - options[part].critical
      if (decided === null || beyond > decided.beyond) decided = { part, severity, beyond }
    }
    if (decided === null) return null
    const { part, severity } = decided
    const drift = drifts[part]!
    const onset = open?.onset ?? watches[part].onset(drift)
    const kind = kindOf(reward.changeSince(onset.estimate))
    const worst = watches[part].worst()
    return {
      kind,
      severity,
      ...(worst ? { direction: worst.observed > worst.expected ? ('up' as const) : ('down' as const) } : {}),
      series: [worst?.name ?? 'quality/judge', 'reward/score'],
      observed: worst?.observed ?? drift.level,
      expected: worst?.expected ?? drift.reference,
      statistic: drift.statistic,
      threshold: options[part][severity],
      onset,
    }
  }

  function kindOf(rewardChange: number | null): AlertKind {
    const { score, text } = drifts
    const scoreFell = score ? score.level - score.reference : null
    const textFell = text ? text.level - text.reference : null
    const styleAlone = scoreFell !== null && textFell !== null && scoreFell < SCORES_FOLLOW * textFell
    if (styleAlone) return 'coherence-loss'
    if (rewardChange === null || rewardChange < REWARD_FELL) return 'quality-collapse'
    // Without any score the text is all there is; only a reward that goes on rising makes it hacking.
    if (scoreFell === null && rewardChange < REWARD_ROSE) return 'coherence-loss'
    return 'reward-hacking'
  }

  return {
    name: 'answer-quality',
    kind: 'reward-hacking',
    kinds: ['reward-hacking', 'quality-collapse', 'coherence-loss'],
    reads: [[...SCORE_CHANNELS, ...TEXT_CHANNELS].map(({ name }) => name)],
    update(observation: Observation) {
      if (observation.announced?.length) {
        for (const part of PARTS) watches[part].reanchor()
        reward.reanchor()
        drifts = {}
        open = null
      }
      reward.update(observation.get('reward/score') ?? observation.get('reward/total'), observation.iteration)
      let news = false
      for (const part of PARTS) {
        const drift = watches[part].update(observation)
        if (!drift) continue
        drifts[part] = drift
        news = true
      }
      if (news) open = judge()
      return open ?? undefined
    },
    snapshot: () => ({
      watches: Object.fromEntries(PARTS.map((part) => [part, watches[part].snapshot()])),
      reward: reward.snapshot(),
      drifts: { ...drifts } as unknown as Json,
      open: open as unknown as Json,
    }),
    restore(saved) {
      const state = saved as unknown as {
        watches: Record<Part, Json>
        reward: Json
        drifts: Partial<Record<Part, Drift>>
        open: Evidence | null
      }
      for (const part of PARTS) watches[part].restore(state.watches[part])
      reward.restore(state.reward)
      drifts = { ...state.drifts }
      open = state.open
    },
  }
}
