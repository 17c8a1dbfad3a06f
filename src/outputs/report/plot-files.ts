import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** The five figures in the order of the reports, with what each shows. */
export const PLOTS = [
  { name: 'rewards', title: 'Rewards', caption: 'Reward of each iteration with its trend, and the alerts.' },
  {
    name: 'kl_divergence',
    title: 'KL Divergence',
    caption: 'How far the policy is from its reference, in nats per token, against the threshold.',
  },
  {
    name: 'quality_metrics',
    title: 'Quality Metrics',
    caption: 'Coherence of the answers and their similarity to those of the first iterations, with the alerts.',
  },
  { name: 'loss_curves', title: 'Loss Curves', caption: 'Policy, value and total loss.' },
  { name: 'ppo_mechanics', title: 'PPO Mechanics', caption: 'Clipped share of the tokens, and the advantages.' },
] as const

/** The figures that exist in a folder; the PNG where there is one, else the SVG. */
export function existingPlots(folder: string): { file: string; title: string; caption: string }[] {
  return PLOTS.flatMap(({ name, title, caption }) => {
    const file = [`${name}.png`, `${name}.svg`].find((candidate) => existsSync(join(folder, candidate)))
    return file === undefined ? [] : [{ file, title, caption }]
  })
}
