/**
 * Measures of the answers, for a log whose writer kept answers and measured nothing.
 *
 * @module
 */
import { createTrainingEvent, type TrainingEvent, TrainingPhase } from '../events.ts'
import { type PairedAnswersState, pairedAnswers } from '../quality/paired-answers.ts'
import { textMeasures } from '../quality/text-measures.ts'
import { textHash } from '../text/text-hash.ts'

/** Answers of an iteration that are measured: enough for a mean, few enough for a log of ten thousand iterations. */
const MAX_MEASURED = 32

/** Measures answers that nobody measured. */
export interface QualityDeriver {
  /** What goes before an event, or null. */
  derive(event: TrainingEvent): TrainingEvent | null
  /** What is remembered, to go on from in another process. */
  save(): QualityDeriverState
}

/** What a {@link QualityDeriver} remembers. */
export interface QualityDeriverState {
  readonly paired: PairedAnswersState
  readonly prompts: readonly unknown[]
  readonly responses: readonly unknown[]
  readonly rewards: readonly unknown[]
  readonly measured: boolean
}

/**
 * Before each end of an iteration that has answers and no measure of them, gives an EVALUATION with `quality/distinct_2`,
 * `quality/repetition` and `quality/compression`, and with `quality/paired_*` where prompts come again. Of more than 32 answers those are
 * taken whose prompts have the smallest hashes.
 *
 * @param saved of an earlier one, to go on from.
 */
export function deriveQuality(saved?: QualityDeriverState): QualityDeriver {
  const paired = pairedAnswers(saved?.paired)
  let prompts: readonly unknown[] = saved?.prompts ?? []
  let responses: readonly unknown[] = saved?.responses ?? []
  let rewards: readonly unknown[] = saved?.rewards ?? []
  let measured = saved?.measured ?? false
  const derive: QualityDeriver['derive'] = ({ metadata, metrics, phase, iteration }) => {
    if (Array.isArray(metadata.responses) && metadata.responses.length > 0) {
      responses = metadata.responses
      prompts = Array.isArray(metadata.prompts) ? metadata.prompts : []
      if (Array.isArray(metadata.rewards)) rewards = metadata.rewards
    }
    measured ||= 'quality/distinct_2' in metrics || 'quality/repetition' in metrics || 'quality/compression' in metrics
    if (phase !== TrainingPhase.ITERATION_END) return null
    const chosen = measured ? [] : choose(prompts, responses, rewards)
    prompts = []
    responses = []
    rewards = []
    measured = false
    if (chosen.length === 0) return null
    const asked = chosen.map(({ prompt }) => prompt)
    const texts = chosen.map(({ text }) => text)
    return createTrainingEvent({
      phase: TrainingPhase.EVALUATION,
      iteration,
      metrics: {
        ...textMeasures(texts, 'quality/'),
        ...paired.answers(asked, texts),
        ...paired.rewards(
          asked,
          chosen.map(({ reward }) => reward),
        ),
      },
      metadata: { derived: true },
    })
  }
  return { derive, save: () => ({ paired: paired.save(), prompts, responses, rewards, measured }) }
}

function choose(prompts: readonly unknown[], responses: readonly unknown[], rewards: readonly unknown[]) {
  const answers = responses.map((response, i) => {
    const prompt = typeof prompts[i] === 'string' ? prompts[i] : ''
    const text = typeof response === 'string' ? response : ''
    return { prompt, text, reward: rewards[i], hash: textHash(prompt) }
  })
  const kept = answers.length <= MAX_MEASURED ? answers : answers.toSorted((a, b) => a.hash - b.hash)
  return kept.slice(0, MAX_MEASURED)
}
