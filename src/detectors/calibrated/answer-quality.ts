/**
 * Reward hacking, collapse and loss of coherence: the answers get worse, and the reward and the channels say in which way.
 *
 * @module
 */
import type { AlertKind, Detector, Evidence, Json, Observation } from '../detector.ts'
import type { Drift } from './drift.ts'
import { severityOf, type Thresholds } from './ladder.ts'
import { levelHistory } from './level-history.ts'
import { type QualityChannel, type QualityWatch, qualityWatch, SCORE_CHANNELS, TEXT_CHANNELS } from './quality-watch.ts'

/**
 * Thresholds of {@link answerQuality}: for all channels together, for scores alone, for text statistics alone, and for each single text statistic.
 */
export interface AnswerQualityOptions {
  readonly all: Thresholds
  readonly score: Thresholds
  readonly text: Thresholds
  readonly single: Thresholds
}

/** Change of the reward, in standard deviations of an iteration, that is a fall; and a rise. */
const REWARD_FELL = -0.2
const REWARD_ROSE = 0.6
/** Share of the text's decline that the scores must show, for it to be more than a matter of style. */
const SCORES_FOLLOW = 0.55

/** Rise of the logarithm of the length that makes the length the failure: a fifth longer. */
const LONGER = 0.2

/** Sets of channels that are watched together. */
interface Part {
  readonly name: string
  readonly channels: readonly QualityChannel[]
  readonly thresholds: keyof AnswerQualityOptions
}

/**
 * Signs that move together are strongest together; but one that moves alone, such as the perplexity of answers that game a reward model, would
 * be drowned by those that stand still. So each text statistic is watched by itself, too.
 */
const PARTS: readonly Part[] = [
  { name: 'all', channels: [...SCORE_CHANNELS, ...TEXT_CHANNELS], thresholds: 'all' },
  { name: 'score', channels: SCORE_CHANNELS, thresholds: 'score' },
  { name: 'text', channels: TEXT_CHANNELS, thresholds: 'text' },
  ...TEXT_CHANNELS.map((channel) => ({ name: channel.name, channels: [channel], thresholds: 'single' as const })),
]

const SCORE = PARTS.findIndex(({ name }) => name === 'score')
const TEXT = PARTS.findIndex(({ name }) => name === 'text')

/** Watches the quality of the answers and tells reward hacking, quality collapse and loss of coherence apart. */
export function answerQuality(options: AnswerQualityOptions): Detector {
  const watches: readonly QualityWatch[] = PARTS.map(({ channels }) => qualityWatch(channels))
  const reward = levelHistory()
  const logLength = levelHistory()
  /** The newest drift of each part, null before its first. */
  let drifts: (Drift | null)[] = PARTS.map(() => null)
  let open: Evidence | null = null

  function judge(): Evidence | null {
    let decided: { readonly part: number; readonly severity: Evidence['severity']; readonly beyond: number } | null =
      null
    for (let part = 0; part < PARTS.length; part++) {
      const drift = drifts[part]
      if (!drift) continue
      const thresholds = options[PARTS[part]!.thresholds]
      const severity = severityOf(drift.statistic, thresholds, open?.severity ?? null)
      if (severity === null) continue
      const beyond = drift.statistic - thresholds.critical
      if (decided === null || beyond > decided.beyond) decided = { part, severity, beyond }
    }
    if (decided === null) return null
    const { part, severity } = decided
    const drift = drifts[part]!
    const onset = open?.onset ?? watches[part]!.onset(drift)
    const kind = kindOf(onset.estimate)
    const worst = watches[part]!.worst()
    return {
      kind,
      severity,
      ...(worst ? { direction: worst.observed > worst.expected ? ('up' as const) : ('down' as const) } : {}),
      series: [worst?.name ?? 'quality/judge', 'reward/score'],
      observed: worst?.observed ?? drift.level,
      expected: worst?.expected ?? drift.reference,
      statistic: drift.statistic,
      threshold: options[PARTS[part]!.thresholds][severity],
      onset,
    }
  }

  function kindOf(onset: number): AlertKind {
    // Whatever else long answers do to a text: that they are longer comes first.
    if ((logLength.changeSince(onset)?.change ?? 0) > LONGER) return 'length-explosion'
    const rewardChange = reward.changeSince(onset)?.deviations ?? null
    const score = drifts[SCORE]
    const text = drifts[TEXT]
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
    kinds: ['reward-hacking', 'quality-collapse', 'coherence-loss', 'length-explosion'],
    reads: [[...SCORE_CHANNELS, ...TEXT_CHANNELS].map(({ name }) => name)],
    update(observation: Observation) {
      if (observation.announced?.length) {
        for (const watch of watches) watch.reanchor()
        reward.reanchor()
        logLength.reanchor()
        drifts = PARTS.map(() => null)
        open = null
      }
      reward.update(observation.get('reward/score') ?? observation.get('reward/total'), observation.iteration)
      const length = observation.get('length/mean')
      logLength.update(length === undefined ? undefined : Math.log(Math.max(length, 1)), observation.iteration)
      let news = false
      for (let part = 0; part < PARTS.length; part++) {
        const drift = watches[part]!.update(observation)
        if (!drift) continue
        drifts[part] = drift
        news = true
      }
      if (news) open = judge()
      return open ?? undefined
    },
    snapshot: () => ({
      watches: watches.map((watch) => watch.snapshot()),
      reward: reward.snapshot(),
      logLength: logLength.snapshot(),
      drifts: [...drifts] as unknown as Json,
      open: open as unknown as Json,
    }),
    restore(saved) {
      const state = saved as unknown as {
        watches: Json[]
        reward: Json
        logLength: Json
        drifts: (Drift | null)[]
        open: Evidence | null
      }
      watches.forEach((watch, part) => {
        watch.restore(state.watches[part]!)
      })
      reward.restore(state.reward)
      logLength.restore(state.logLength)
      drifts = [...state.drifts]
      open = state.open
    },
  }
}
