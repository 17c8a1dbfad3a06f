// What a person says of each scenario beside its numbers: the series that tell, what the curves do, what is seen first and what
// a rule can and cannot say of it. Numbers in the text come from the recorded runs: `own` and `well` give the ends of a series
// in this run and in the healthy one, `n` writes a number, `parts` the iteration at which a series parts from the healthy run's.

/** @type {Record<string, { series: string[], curves: Function, first: Function, rules: string }>} */
export const TEXTS = {
  healthy: {
    series: ['reward/score', 'gold/total', 'kl_ref/token', 'value/explained_variance'],
    curves: ({ own, n }) =>
      `The reward rises from ${n(own('reward/score').first)} to ${n(own('reward/score').last)} and the judge's own score with it, from
${n(own('gold/total').first)} to ${n(own('gold/total').last)}. The KL to the reference settles near ${n(own('kl_ref/token').last)} nats a token, the value model soon explains
${n(100 * own('value/explained_variance').last)} % of what the returns vary by, and the entropy falls a little, from ${n(own('entropy/token').first)} to ${n(own('entropy/token').last)} nats a token.`,
    first: () =>
      'Nothing. This is the run that the others are compared with; they begin from the same models with the same seed.',
    rules: `The default is the plan's, and this healthy run would be stopped by it: its KL settles just there. A fixed threshold has to be
chosen from runs that you trust.`,
  },
  'reward-hacking': {
    series: ['reward/score', 'gold/total', 'kl_ref/token', 'quality/ref_perplexity'],
    curves: ({ own, well, n }) =>
      `The reward looks better than in the healthy run (${n(own('reward/score').last)} at the end against ${n(well('reward/score').last)}). The judge's own score, which no detector
sees, passes its best (${n(own('gold/total').highest.value)}) at iteration ${own('gold/total').highest.iteration} and ends at ${n(own('gold/total').last)}. The KL to the reference never settles
(${n(own('kl_ref/token').last)} nats a token at the end), and the reference finds the answers ever stranger: their perplexity goes from ${n(own('quality/ref_perplexity').first)} to
${n(own('quality/ref_perplexity').last)}. At the end every answer earns nearly the same reward, so that even the explained variance falls to ${n(own('value/explained_variance').last)}.`,
    first: () =>
      `The KL, early and slowly: without a penalty it drifts in every run, harmless or not, so it warns but proves nothing. What
proves it is a second signal that falls while the reward rises, here the perplexity of the answers under the reference.`,
    rules:
      'The rule for reward hacking needs both: the reward up, the quality down. It fires close to the best of the judge.',
  },
  'kl-explosion': {
    series: ['kl_ref/token', 'ppo/approx_kl', 'reward/score', 'gold/total'],
    curves: ({ own, well, n }) =>
      `Everything happens in the first ten iterations. One update moves the policy by ${n(own('ppo/approx_kl').first)} nats a token on average instead of
${n(well('ppo/approx_kl').first)}, the clipped share is ${n(100 * own('ppo/clip_fraction').first)} % instead of ${n(100 * well('ppo/clip_fraction').first)} %, and the KL to the reference is at ${n(own('kl_ref/token').highest.value)} nats at its
highest. The reward rises all the same, to ${n(own('reward/score').last)}; the judge's score stays near 0 (${n(own('gold/total').last)} at the end, ${n(well('gold/total').last)} in the healthy run).
The entropy ends at ${n(own('entropy/token').last)} nats: what is left is a few short answers, ${n(own('length/mean').last)} tokens on average.`,
    first: () =>
      `The KL within the update (\`ppo/approx_kl\`) and the clipped share, in the very first iteration: they measure the step itself.
The KL to the reference, the sum of the steps, follows at once.`,
    rules: 'The rule for the KL stops it early, even with a generous threshold.',
  },
  'value-failure': {
    series: ['value/explained_variance', 'loss/value', 'value/head_update_norm', 'adv/reward_corr'],
    curves: ({ own, well, n }) =>
      `The value model stays what it was: its loss stays at ${n(own('loss/value').last)} where the healthy run comes down to ${n(well('loss/value').last)}. As the policy
changes, what it knew fits less and less, and the explained variance falls from ${n(own('value/explained_variance').first)} to ${n(own('value/explained_variance').last)}: worse than a constant.
The advantages then are little more than the reward (their correlation stays at ${n(own('adv/reward_corr').last)}), so that learning goes on, only slower
and noisier: the reward ends at ${n(own('reward/score').last)} against ${n(well('reward/score').last)}. Nothing in the reward curve gives it away.`,
    first: () =>
      `The update of the value head, which is exactly 0 from the first iteration on: no statistics are needed. Trainers that do not log
it show it in the learning rate or in a value loss that never falls.`,
    rules: `The rule for the value head waits until the explained variance is 0 or less, so it comes late, and as a warning: the run is not
stopped.`,
  },
  'frozen-value-head': {
    series: ['value/explained_variance', 'value/head_update_norm', 'loss/value', 'reward/score'],
    curves: ({ own, well, n }) =>
      `A head of zeros that is never trained predicts 0 for everything, whatever the trunk behind it learns. The explained variance is
exactly ${n(own('value/explained_variance').highest.value)} throughout, while the learning rate of the value model is what it should be and its loss even moves (${n(own('loss/value').first)} to ${n(own('loss/value').last)}), because the returns do. The advantages are the reward alone, spread over the tokens (correlation
${n(own('adv/reward_corr').last)}), and the reward still rises, to ${n(own('reward/score').last)} against ${n(well('reward/score').last)}.`,
    first: () =>
      `The update of the head is exactly 0 and the explained variance exactly flat from the first iteration on. Unlike in \`value-failure\`,
the learning rate says that all is well: only the head's own update tells.`,
    rules: `The rule for the value head sees it as soon as its warm-up of 20 iterations is over, as a warning. It cannot tell a frozen head
from a bad one.`,
  },
  'entropy-collapse': {
    series: ['entropy/token', 'quality/distinct_2', 'reward/score', 'gold/total'],
    curves: ({ own, well, n }) =>
      `The entropy falls from ${n(own('entropy/token').first)} to ${n(own('entropy/token').last)} nats a token (healthy: ${n(well('entropy/token').last)}). The policy repeats the few answers that it is sure of:
of the pairs of words in an iteration, ${n(100 * own('quality/distinct_2').last)} % are different ones, against ${n(100 * well('quality/distinct_2').last)} %. To
the reference they look better than ever: their perplexity falls to ${n(own('quality/ref_perplexity').last)} (healthy: ${n(well('quality/ref_perplexity').last)}). The reward is ${n(own('reward/score').last)} at the end
(healthy: ${n(well('reward/score').last)}), the judge's score ${n(own('gold/total').last)} (healthy: ${n(well('gold/total').last)}).`,
    first: () => 'The entropy itself, within the first iterations; the sameness of the answers follows from it.',
    rules: `No rule looks at the entropy. The rule for coherence looks for a perplexity that rises, and here it falls: to that rule the run
improves. [Write a detector](guide/write-a-detector.md) has one for this.`,
  },
  'length-explosion': {
    series: ['length/mean', 'length/clip_ratio', 'quality/ref_perplexity', 'gold/total'],
    curves: ({ own, well, n }) =>
      `The answers grow from ${n(own('length/mean').first)} to ${n(own('length/mean').last)} tokens (healthy: ${n(well('length/mean').last)}), until ${n(100 * own('length/clip_ratio').last)} % of them are cut at the limit of 24.
The reward, which counts the words, rises from ${n(own('reward/score').first)} to ${n(own('reward/score').last)}; it cannot be compared with that of the healthy run, which does not. What fills the
length is worth little: the perplexity under the reference goes up, from ${n(own('quality/ref_perplexity').first)} to ${n(own('quality/ref_perplexity').last)}, and the judge's score ends at ${n(own('gold/total').last)} (healthy: ${n(well('gold/total').last)}).`,
    first: () =>
      'The mean length, from the first iterations on. Most answers are cut only later, which is what breaks a run that needs their ends.',
    rules: `No rule looks at the length. The rule for reward hacking fires all the same, and rightly: the reward rises while the reference
finds the answers stranger.`,
  },
  'sign-flip': {
    series: ['adv/reward_corr', 'reward/score', 'gold/total', 'kl_ref/token'],
    curves: ({ own, well, n }) =>
      `The policy learns what is worst. The reward falls from ${n(own('reward/score').first)} to ${n(own('reward/score').last)}, the judge's score to ${n(own('gold/total').last)}. What was a plus in the healthy
run is a minus here from the first iteration on: the correlation of advantage and logged reward is ${n(own('adv/reward_corr').first)} instead of
${n(well('adv/reward_corr').first)}.`,
    first: ({ own, well, n }) =>
      `The correlation of advantage and reward. Before the value model has learned much the advantage is mostly reward, so that it
begins near 1 in a healthy run (${n(well('adv/reward_corr').start)} in the first iteration); here it begins at ${n(own('adv/reward_corr').start)}, and one iteration is enough. Later, single
iterations of a healthy run can be below 0, too; their mean is not. The reward follows within the first ten iterations.`,
    rules: `No rule looks at the correlation, nor at a reward that falls; the KL stays below half a nat, since the penalty works as it should.`,
  },
  'stale-logprobs': {
    series: ['ppo/approx_kl_first', 'ppo/ratio_first', 'ppo/clip_fraction', 'reward/score'],
    curves: ({ own, well, n }) =>
      `Before the first step of an update the new policy is the old one, so that ratio and KL of the first minibatch are 1 and 0 but for
rounding (healthy: ${n(Math.abs(well('ppo/approx_kl_first').last))} nats). Here the KL of the first minibatch is ${n(own('ppo/approx_kl_first').first)} nats in the first ten iterations and ${n(own('ppo/approx_kl_first').last)} in the
last, most of what the whole update is said to be (\`ppo/approx_kl\`: ${n(own('ppo/approx_kl').first)} and ${n(own('ppo/approx_kl').last)}). Tokens are clipped for steps that earlier updates made: ${n(100 * own('ppo/clip_fraction').first)} % of
them instead of ${n(100 * well('ppo/clip_fraction').first)} %. Learning is slowed, not stopped: the reward ends at ${n(own('reward/score').last)} against ${n(well('reward/score').last)}.`,
    first: () =>
      `The broken identity: \`ppo/ratio_first\` is no longer 1 and \`ppo/approx_kl_first\` no longer 0, from the second iteration on. Outcomes
tell little, which makes this mistake live long.`,
    rules: 'No rule looks at the identity yet.',
  },
}
