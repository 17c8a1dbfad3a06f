/**
 * Telltale's own names for what trainers log, with their meaning. Two KL divergences exist and are never merged:
 * `kl_ref/*` is KL(policy || reference), `ppo/approx_kl` is KL(old || new) within one update; per token and per sequence
 * are never merged either (their factor is the mean length of the answers).
 *
 * @module
 */

/** What a canonical series means, whoever logged it. */
export interface CanonicalMetric {
  /** Name for people, without the unit. */
  readonly title: string
  /** `nats/token`, `reward`, `fraction`, …; empty for a pure number. */
  readonly unit: string
  readonly formula: string
  /** Smallest and largest value that the formula can give. */
  readonly range: readonly [number, number]
  /** The direction that is bad for training, or null where neither is. */
  readonly badDirection: 'up' | 'down' | null
  readonly reduction: string
  /** Where the name itself fixes the estimator of the divergence. */
  readonly estimator?: 'k1' | 'k2' | 'k3'
}

const INF = Number.POSITIVE_INFINITY
const ANY = [-INF, INF] as const
const POSITIVE = [0, INF] as const
const FRACTION = [0, 1] as const
const TOKENS = 'mean over response tokens'
const SEQUENCES = 'sum over response tokens, mean over sequences'
const BATCH = 'mean over the batch'
const STEP = 'one value an iteration'

function metric(
  title: string,
  unit: string,
  range: readonly [number, number],
  badDirection: 'up' | 'down' | null,
  reduction: string,
  formula: string,
  estimator?: 'k1' | 'k2' | 'k3',
): CanonicalMetric {
  return { title, unit, formula, range, badDirection, reduction, ...(estimator ? { estimator } : {}) }
}

/**
 * Every canonical name. In the formulas lp is the log-probability of the sampled token under the policy, ref the one under
 * the reference, x = lp - ref, r = exp(lp_new - lp_old); the estimators of KL(policy || reference) are k1 = x (unbiased, may
 * be negative), k2 = x^2 / 2 (biased, at least 0), k3 = exp(-x) - 1 + x (unbiased, at least 0).
 */
export const CANONICAL_METRICS = {
  'reward/score': metric(
    'Reward',
    'reward',
    ANY,
    'down',
    BATCH,
    'score of the reward model or verifier, without KL penalty',
  ),
  'reward/total': metric(
    'Reward with penalties',
    'reward',
    ANY,
    'down',
    BATCH,
    'score - beta * KL(policy || reference)',
  ),
  'reward/std': metric(
    'Spread of the reward',
    'reward',
    POSITIVE,
    'down',
    'standard deviation over the batch',
    'std(score)',
  ),
  'reward/min': metric('Lowest reward', 'reward', ANY, 'down', 'minimum over the batch', 'min(score)'),
  'reward/max': metric('Highest reward', 'reward', ANY, 'down', 'maximum over the batch', 'max(score)'),
  'reward/group_std': metric(
    'Spread of the reward within a group',
    'reward',
    POSITIVE,
    'down',
    'mean over groups',
    'mean_g std(score in g)',
  ),
  'reward/frac_zero_std': metric(
    'Groups without a signal',
    'fraction',
    FRACTION,
    'up',
    'share of groups',
    'mean_g [std(score in g) = 0]',
  ),

  'kl_ref/token': metric(
    'KL to the reference per token',
    'nats/token',
    ANY,
    'up',
    TOKENS,
    'mean_t KL_t(policy || reference)',
  ),
  'kl_ref/token_k1': metric('KL to the reference per token (k1)', 'nats/token', ANY, 'up', TOKENS, 'mean_t x', 'k1'),
  'kl_ref/token_k2': metric(
    'KL to the reference per token (k2)',
    'nats/token',
    POSITIVE,
    'up',
    TOKENS,
    'mean_t x^2 / 2',
    'k2',
  ),
  'kl_ref/token_k3': metric(
    'KL to the reference per token (k3)',
    'nats/token',
    POSITIVE,
    'up',
    TOKENS,
    'mean_t exp(-x) - 1 + x',
    'k3',
  ),
  'kl_ref/seq': metric(
    'KL to the reference per answer',
    'nats/sequence',
    ANY,
    'up',
    SEQUENCES,
    'mean_b sum_t KL_t(policy || reference)',
  ),
  'kl_ref/coef': metric('KL coefficient', '', POSITIVE, null, STEP, 'beta'),
  'kl_ref/penalty_reward': metric(
    'KL penalty in the reward',
    'reward',
    ANY,
    'down',
    BATCH,
    '-beta * KL_seq(policy || reference)',
  ),

  'ppo/approx_kl': metric('KL within the update', 'nats/token', ANY, 'up', TOKENS, 'mean_t KL_t(old || new)'),
  'ppo/approx_kl_first': metric(
    'KL within the update, first minibatch',
    'nats/token',
    ANY,
    'up',
    TOKENS,
    'mean_t KL_t(old || new) before the first step; 0',
  ),
  'ppo/clip_fraction': metric(
    'Clipped share',
    'fraction',
    FRACTION,
    'up',
    'share of response tokens',
    'mean_t [clipped branch active]',
  ),
  'ppo/clip_fraction_low': metric(
    'Share clipped from below',
    'fraction',
    FRACTION,
    'up',
    'share of response tokens',
    'mean_t [r < 1 - eps and A < 0]',
  ),
  'ppo/clip_fraction_high': metric(
    'Share clipped from above',
    'fraction',
    FRACTION,
    'up',
    'share of response tokens',
    'mean_t [r > 1 + eps and A > 0]',
  ),
  'ppo/clip_fraction_dual': metric(
    'Share clipped by the dual clip',
    'fraction',
    FRACTION,
    'up',
    'share of response tokens',
    'mean_t [r > c and A < 0]',
  ),
  'ppo/ratio_mean': metric('Probability ratio', '', POSITIVE, null, TOKENS, 'mean_t r; 1 where nothing moved'),
  'ppo/ratio_max': metric('Largest probability ratio', '', POSITIVE, 'up', 'maximum over response tokens', 'max_t r'),
  'ppo/ratio_first': metric(
    'Probability ratio, first minibatch',
    '',
    POSITIVE,
    null,
    TOKENS,
    'mean_t r before the first step; exactly 1',
  ),
  'ppo/ratio_var': metric('Variance of the probability ratio', '', POSITIVE, 'up', 'variance', 'var(r)'),

  'mismatch/logp_abs_diff': metric(
    'Trainer against sampler, log-probability',
    'nats/token',
    POSITIVE,
    'up',
    TOKENS,
    'mean_t |lp_train - lp_rollout|',
  ),
  'mismatch/logp_abs_diff_max': metric(
    'Trainer against sampler, largest difference',
    'nats/token',
    POSITIVE,
    'up',
    'maximum over response tokens',
    'max_t |lp_train - lp_rollout|',
  ),
  'mismatch/logp_abs_diff_std': metric(
    'Trainer against sampler, spread',
    'nats/token',
    POSITIVE,
    'up',
    'standard deviation over response tokens',
    'std_t |lp_train - lp_rollout|',
  ),
  'mismatch/prob_abs_diff': metric(
    'Trainer against sampler, probability',
    'probability',
    FRACTION,
    'up',
    TOKENS,
    'mean_t |p_train - p_rollout|',
  ),
  'mismatch/kl': metric('KL of sampler to trainer', 'nats/token', ANY, 'up', TOKENS, 'mean_t lp_rollout - lp_train'),
  'mismatch/kl_k3': metric(
    'KL of sampler to trainer (k3)',
    'nats/token',
    POSITIVE,
    'up',
    TOKENS,
    'mean_t k3(rollout || train)',
    'k3',
  ),
  'mismatch/is_ratio_mean': metric(
    'Importance ratio of trainer to sampler',
    '',
    POSITIVE,
    null,
    TOKENS,
    'mean_t p_train / p_rollout; 1',
  ),
  'mismatch/is_ratio_min': metric(
    'Smallest importance ratio',
    '',
    POSITIVE,
    'down',
    'minimum',
    'min p_train / p_rollout',
  ),
  'mismatch/is_ratio_max': metric('Largest importance ratio', '', POSITIVE, 'up', 'maximum', 'max p_train / p_rollout'),
  'mismatch/is_ratio_std': metric(
    'Spread of the importance ratio',
    '',
    POSITIVE,
    'up',
    'standard deviation',
    'std p_train / p_rollout',
  ),
  'mismatch/ess': metric(
    'Effective sample size',
    'fraction',
    FRACTION,
    'down',
    'share of the batch',
    '(sum w)^2 / (n sum w^2)',
  ),
  'mismatch/prob_corr': metric(
    'Correlation of trainer and sampler',
    '',
    [-1, 1],
    'down',
    'over response tokens',
    'Pearson(p_train, p_rollout); 1',
  ),

  'entropy/token': metric('Entropy per token', 'nats/token', POSITIVE, 'down', TOKENS, 'mean_t H(policy)'),
  'entropy/seq_surprisal': metric('Surprisal per answer', 'nats/sequence', ANY, 'down', SEQUENCES, 'mean_b sum_t -lp'),

  'pref/accuracy': metric(
    'Preference accuracy',
    'fraction',
    FRACTION,
    'down',
    'share of pairs',
    'mean [reward_chosen > reward_rejected]',
  ),
  'pref/margin': metric(
    'Preference margin',
    'reward',
    ANY,
    'down',
    'mean over pairs',
    'reward_chosen - reward_rejected',
  ),
  'pref/reward_chosen': metric(
    'Implicit reward of chosen answers',
    'reward',
    ANY,
    'down',
    'mean over pairs',
    'beta * (lp - ref) of the chosen answer',
  ),
  'pref/reward_rejected': metric(
    'Implicit reward of rejected answers',
    'reward',
    ANY,
    null,
    'mean over pairs',
    'beta * (lp - ref) of the rejected answer',
  ),
  'pref/logp_chosen': metric(
    'Log-probability of chosen answers',
    'nats/sequence',
    [-INF, 0],
    'down',
    SEQUENCES,
    'sum_t lp of the chosen answer',
  ),
  'pref/logp_rejected': metric(
    'Log-probability of rejected answers',
    'nats/sequence',
    [-INF, 0],
    null,
    SEQUENCES,
    'sum_t lp of the rejected answer',
  ),

  'rm/accuracy': metric(
    'Reward model accuracy',
    'fraction',
    FRACTION,
    'down',
    'share of pairs',
    'mean [score_chosen > score_rejected]',
  ),
  'rm/margin': metric('Reward model margin', 'reward', ANY, 'down', 'mean over pairs', 'score_chosen - score_rejected'),
  'rm/mean_reward': metric('Reward model mean', 'reward', ANY, null, 'mean over pairs', 'mean(score)'),
  'rm/min_reward': metric('Reward model minimum', 'reward', ANY, null, 'minimum over pairs', 'min(score)'),
  'rm/max_reward': metric('Reward model maximum', 'reward', ANY, null, 'maximum over pairs', 'max(score)'),

  'loss/policy': metric('Policy loss', '', ANY, null, TOKENS, 'mean_t max(-A r, -A clip(r))'),
  'loss/policy_unclipped': metric('Policy loss without clipping', '', ANY, null, TOKENS, 'mean_t -A r'),
  'loss/value': metric('Value loss', '', POSITIVE, 'up', TOKENS, '0.5 * mean_t max((v - R)^2, (v_clipped - R)^2)'),
  'loss/total': metric('Total loss', '', ANY, null, STEP, 'what the optimiser minimises'),
  'loss/mean_token_accuracy': metric(
    'Next-token accuracy',
    'fraction',
    FRACTION,
    'down',
    'share of tokens',
    'mean_t [argmax = label]',
  ),

  'value/explained_variance': metric(
    'Explained variance of the value head',
    '',
    [-INF, 1],
    'down',
    'over response tokens',
    '1 - Var(R - V) / Var(R)',
  ),
  'value/clip_fraction': metric(
    'Clipped share of the value loss',
    'fraction',
    FRACTION,
    'up',
    'share of response tokens',
    'mean_t [clipped branch active]',
  ),
  'value/head_update_norm': metric(
    'Update of the value head',
    '',
    POSITIVE,
    'down',
    STEP,
    'L2 norm of the change of the value head over the iteration; above 0 where it learns',
  ),
  'value/mean': metric('Mean value', 'reward', ANY, null, TOKENS, 'mean_t V'),
  'value/return_mean': metric('Mean return', 'reward', ANY, 'down', TOKENS, 'mean_t R'),

  'adv/mean': metric('Mean advantage', '', ANY, null, TOKENS, 'mean_t A; about 0 after whitening'),
  'adv/std': metric(
    'Spread of the advantage',
    '',
    POSITIVE,
    null,
    'standard deviation over response tokens',
    'std_t A; about 1 after whitening',
  ),
  'adv/min': metric('Smallest advantage', '', ANY, null, 'minimum over response tokens', 'min_t A'),
  'adv/max': metric('Largest advantage', '', ANY, null, 'maximum over response tokens', 'max_t A'),
  'adv/q10': metric('Advantage, 10 % quantile', '', ANY, null, 'quantile over response tokens', 'quantile_t(A, 0.1)'),
  'adv/q50': metric('Advantage, median', '', ANY, null, 'quantile over response tokens', 'quantile_t(A, 0.5)'),
  'adv/q90': metric('Advantage, 90 % quantile', '', ANY, null, 'quantile over response tokens', 'quantile_t(A, 0.9)'),

  'adv/reward_corr': metric(
    'Correlation of advantage and reward',
    '',
    [-1, 1],
    'down',
    'over the answers of the batch',
    'corr_b(mean_t A, score); above 0 where what scores well is reinforced',
  ),

  'grad/norm': metric('Gradient norm', '', POSITIVE, 'up', STEP, 'global L2 norm before clipping'),
  'grad/value_norm': metric(
    'Gradient norm of the value model',
    '',
    POSITIVE,
    'up',
    STEP,
    'global L2 norm before clipping',
  ),
  'optim/lr': metric('Learning rate', '', POSITIVE, null, STEP, 'learning rate of the policy'),
  'optim/value_lr': metric(
    'Learning rate of the value model',
    '',
    POSITIVE,
    null,
    STEP,
    'learning rate of the value model',
  ),

  'length/mean': metric('Answer length', 'tokens', POSITIVE, null, BATCH, 'mean_b response tokens'),
  'length/min': metric('Shortest answer', 'tokens', POSITIVE, null, 'minimum over the batch', 'min_b response tokens'),
  'length/max': metric('Longest answer', 'tokens', POSITIVE, null, 'maximum over the batch', 'max_b response tokens'),
  'length/std': metric(
    'Spread of the answer length',
    'tokens',
    POSITIVE,
    null,
    'standard deviation over the batch',
    'std_b response tokens',
  ),
  'length/clip_ratio': metric(
    'Truncated answers',
    'fraction',
    FRACTION,
    'up',
    'share of answers',
    'mean_b [truncated at the limit]',
  ),
  'eos/fraction': metric(
    'Answers that end by themselves',
    'fraction',
    FRACTION,
    'down',
    'share of answers',
    'mean_b [end of sequence reached]',
  ),
  'eos/count': metric(
    'End-of-sequence tokens',
    'tokens',
    POSITIVE,
    'down',
    'count over the batch',
    'number of end-of-sequence tokens',
  ),

  'time/silence': metric(
    'Time without an event',
    's',
    POSITIVE,
    'up',
    'longest of an iteration',
    'seconds between two events',
  ),
  'time/step': metric('Time of an iteration', 's', POSITIVE, 'up', STEP, 'seconds'),
  'throughput/tokens_per_s': metric('Throughput', 'tokens/s', POSITIVE, 'down', STEP, 'tokens / seconds'),
  'throughput/episodes_per_s': metric(
    'Episodes per second',
    'episodes/s',
    POSITIVE,
    'down',
    STEP,
    'episodes / seconds',
  ),
  'progress/step': metric('Step', '', POSITIVE, null, STEP, 'counter'),
  'progress/episode': metric('Episode', '', POSITIVE, null, STEP, 'counter'),
  'progress/epoch': metric('Epoch', '', POSITIVE, null, STEP, 'counter'),
  'progress/tokens': metric('Tokens seen', 'tokens', POSITIVE, null, STEP, 'counter'),

  'quality/heldout_reward': metric(
    'Held-out reward',
    'reward',
    ANY,
    'down',
    BATCH,
    'score of a reward model that does not train the policy',
  ),
  'quality/judge': metric('Judge', 'reward', ANY, 'down', BATCH, 'score of a judge on the answers'),
  'quality/ref_perplexity': metric('Perplexity under the reference', '', [1, INF], 'up', BATCH, 'exp(mean_t -ref)'),
  'quality/distinct_2': metric(
    'Distinct word pairs',
    'fraction',
    FRACTION,
    'down',
    'over all answers of the batch',
    'distinct bigrams / bigrams',
  ),
  'quality/repetition': metric(
    'Repetition',
    'fraction',
    FRACTION,
    'up',
    BATCH,
    'share of n-grams that occurred before in the same answer',
  ),
  'quality/compression': metric(
    'Compression ratio',
    'fraction',
    POSITIVE,
    'down',
    'over all answers of the batch',
    'deflated bytes / bytes',
  ),
  'quality/paired_repetition': metric(
    'Change of repetition, same prompts',
    'fraction',
    [-1, 1],
    'up',
    'mean over prompts that came again',
    'repetition now - repetition of the first answer',
  ),
  'quality/paired_length': metric(
    'Change of length, same prompts',
    '',
    ANY,
    null,
    'mean over prompts that came again',
    'log(characters now / characters of the first answer)',
  ),
  'quality/paired_reward': metric(
    'Change of reward, same prompts',
    'reward',
    ANY,
    'down',
    'mean over prompts that came again',
    'reward now - reward of the first answer',
  ),
  'quality/similarity': metric(
    'Similarity to the baseline answers',
    'fraction',
    FRACTION,
    'down',
    'mean over prompts',
    'difflib ratio of old and new answer',
  ),
  'quality/drift': metric(
    'Drift from the baseline answers',
    '',
    [0, 2],
    'up',
    'mean over prompts',
    '1 - cosine of old and new answer',
  ),
  'quality/clear_share': metric(
    'Clear answers',
    'fraction',
    FRACTION,
    'down',
    'share of answers',
    'mean_b [answer is clear]',
  ),
  'quality/fixed_ref_perplexity': metric(
    'Perplexity under the reference, fixed prompts',
    '',
    [1, INF],
    'up',
    'mean over fixed prompts',
    'exp(mean_t -ref)',
  ),
  'quality/fixed_distinct_2': metric(
    'Distinct word pairs, fixed prompts',
    'fraction',
    FRACTION,
    'down',
    'over all fixed prompts',
    'distinct bigrams / bigrams',
  ),
  'quality/fixed_repetition': metric(
    'Repetition, fixed prompts',
    'fraction',
    FRACTION,
    'up',
    'mean over fixed prompts',
    'share of n-grams that occurred before in the same answer',
  ),
  'quality/fixed_compression': metric(
    'Compression ratio, fixed prompts',
    'fraction',
    POSITIVE,
    'down',
    'over all fixed prompts',
    'deflated bytes / bytes',
  ),
} as const satisfies Record<string, CanonicalMetric>

/** A name of {@link CANONICAL_METRICS}. */
export type CanonicalName = keyof typeof CANONICAL_METRICS

// A map, since names come from outside and `__proto__` is one that an object would answer to.
const BY_NAME: ReadonlyMap<string, CanonicalMetric> = new Map(Object.entries(CANONICAL_METRICS))

const REWARD_FUNCTION: Omit<CanonicalMetric, 'title'> = {
  unit: 'reward',
  formula: 'score of one reward function',
  range: ANY,
  badDirection: 'down',
  reduction: BATCH,
}
const GOLD: Omit<CanonicalMetric, 'title'> = {
  unit: 'reward',
  formula: 'what the run is really for, known to experiments only; no detector reads it',
  range: ANY,
  badDirection: 'down',
  reduction: BATCH,
}

/**
 * The meaning of a canonical name, also of the open families `reward/fn/<function>` and `gold/<name>`; undefined for any
 * other name.
 */
export function canonicalMetric(name: string): CanonicalMetric | undefined {
  const known = BY_NAME.get(name)
  if (known) return known
  if (name.startsWith('gold/')) return { title: `Gold ${name.slice(5)}`, ...GOLD }
  if (!name.startsWith('reward/fn/')) return undefined
  const of = name.slice('reward/fn/'.length)
  if (of.endsWith('/std')) {
    const title = `Spread of the reward function ${of.slice(0, -4)}`
    return { ...REWARD_FUNCTION, title, range: POSITIVE, reduction: 'standard deviation over the batch' }
  }
  if (of.endsWith('/correct_rate')) {
    const title = `Correct by the reward function ${of.slice(0, -'/correct_rate'.length)}`
    return { ...REWARD_FUNCTION, title, unit: 'fraction', range: FRACTION }
  }
  return { title: `Reward function ${of}`, ...REWARD_FUNCTION }
}

/**
 * A name for people: the canonical title, `Evaluation: …` for `eval/*`, otherwise the name itself.
 */
export function metricTitle(canonical: string): string {
  const known = canonicalMetric(canonical)
  if (known) return known.title
  return canonical.startsWith('eval/') && canonical.length > 5 ? `Evaluation: ${canonical.slice(5)}` : canonical
}
