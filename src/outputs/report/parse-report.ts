import { errorMessage, TelltaleError } from '../../errors.ts'
import type { TrainingReport } from './report.ts'

/**
 * Reads the text of a `training_report.json` and checks it against the schema; "NaN", "Infinity" and "-Infinity" become
 * numbers again.
 *
 * @throws TelltaleError `bad-format`.
 */
export async function parseTrainingReport(text: string): Promise<TrainingReport> {
  // Lazily: writing a report must not load the validator.
  const { reportSchema } = await import('./report-schema.ts')
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new TelltaleError('bad-format', `the report is no JSON: ${errorMessage(error)}`, { cause: error })
  }
  const result = reportSchema.safeParse(json)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const where = issue?.path.map(String).join('.') || 'the top'
  throw new TelltaleError(
    'bad-format',
    `the report does not fit its schema (version 1): at ${where.slice(0, 200)}, ${issue?.message ?? 'unknown'}`,
  )
}
