import { ppoTables } from './content/ppo.ts'
import { markdownTable } from './markdown-table.ts'
import type { TrainingReport } from './report.ts'

/** "PPO Mechanics": the tracker's summary with what each number means, and an excerpt of its history. */
export function ppoSection(mechanics: NonNullable<TrainingReport['ppoMechanics']>): string {
  const { summary, history } = ppoTables(mechanics)
  return ['## PPO Mechanics', markdownTable(summary), ...(history ? [markdownTable(history)] : [])].join('\n\n')
}
