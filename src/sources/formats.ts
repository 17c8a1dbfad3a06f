/**
 * All formats, a line each: the more telling ones first, since the first that recognises a path takes it.
 *
 * @module
 */

import { completionsFormat } from './completions.ts'
import { consoleFormat } from './console.ts'
import { csvFormat } from './csv.ts'
import { jsonlFormat } from './jsonl.ts'
import { mlflowDatabaseFormat } from './mlflow-database.ts'
import { mlflowFilesFormat } from './mlflow-files.ts'
import type { SourceFormat, SourceName } from './source.ts'
import { telltaleFormat } from './telltale-run.ts'
import { tfeventsFormat } from './tfevents.ts'
import { trackioFormat } from './trackio.ts'
import { trackioInboxFormat } from './trackio-inbox.ts'
import { trainerStateFormat } from './trainer-state.ts'
import { verlRolloutsFormat } from './verl-rollouts.ts'
import { wandbFormat } from './wandb.ts'

/** The formats, in the order in which they are asked. */
export const SOURCE_FORMATS: readonly SourceFormat[] = [
  telltaleFormat,
  tfeventsFormat,
  wandbFormat,
  trainerStateFormat,
  trackioFormat,
  trackioInboxFormat,
  mlflowDatabaseFormat,
  mlflowFilesFormat,
  completionsFormat,
  verlRolloutsFormat,
  csvFormat,
  jsonlFormat,
  consoleFormat,
]

/**
 * Whose numbers are taken where several files of one run have them: those that say most, and earliest, first. A checkpoint's state comes late,
 * and what is printed is rounded.
 */
export const NUMBERS_FROM: readonly SourceName[] = [
  'telltale',
  'jsonl',
  'tfevents',
  'wandb',
  'trackio',
  'mlflow',
  'csv',
  'console',
  'trainer-state',
  'verl',
  'completions',
]
