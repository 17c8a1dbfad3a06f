/**
 * What a `telltale.config.json` may say. The JSON schema for editors, and the page about it, are made of this.
 *
 * @module
 */
import { z } from 'zod'
import { ANALYZER_MODES } from '../decision/quality-analyzer.ts'
import { PRESETS } from '../detectors/calibrated/preset.ts'
import { ALERT_KINDS } from '../detectors/detector.ts'
import { WEBHOOK_FORMS } from '../outputs/webhook/forms.ts'
import { TRAINERS, type TrainerName } from '../vocabulary/vocabulary.ts'

const SEVERITIES = ['info', 'warning', 'critical'] as const
const [firstTrainer, ...otherTrainers] = TRAINERS

const webhook = z
  .strictObject({
    urlFrom: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
      .describe(
        'Name of the environment variable that holds the address. Never the address itself: whoever has it can write to the channel.',
      ),
    form: z
      .enum(WEBHOOK_FORMS)
      .optional()
      .describe(
        'How the body looks. Told from the address by default: Slack’s and Discord’s are known, any other gets plain JSON.',
      ),
    severity: z.enum(SEVERITIES).default('warning').describe('The least severity that is sent.'),
  })
  .describe('One webhook.')

/** The schema of the configuration. */
export const configSchema = z.strictObject({
  $schema: z.string().optional().describe('For editors; Telltale does not read it.'),
  mode: z.enum(ANALYZER_MODES).optional().describe('As --mode.'),
  preset: z.enum(PRESETS).optional().describe('As --preset.'),
  falseAlarmRate: z.number().gt(0).max(0.5).optional().describe('As --false-alarm-rate.'),
  klThreshold: z.number().gt(0).optional().describe('As --kl-threshold, in nats per token.'),
  trainer: z
    .enum([firstTrainer as TrainerName, ...otherTrainers])
    .optional()
    .describe('As --trainer.'),
  map: z.record(z.string(), z.string()).optional().describe('As --map: names of your metrics, and what each means.'),
  ignore: z
    .array(z.enum(ALERT_KINDS))
    .optional()
    .describe(
      'As --ignore: kinds of alerts that are muted. They are kept and marked, but neither sent nor acted on, and no check fails on them.',
    ),
  webhooks: z
    .array(webhook)
    .max(16)
    .optional()
    .describe('Who is told of alerts while watch or run follows a training.'),
  onAlert: z.string().min(1).optional().describe('As --on-alert: a program that is started at every alert.'),
  onCritical: z
    .string()
    .min(1)
    .optional()
    .describe('As --on-critical: a program that is started at every critical alert.'),
  bell: z.boolean().optional().describe('As --bell.'),
})

/** A configuration. */
export type TelltaleConfig = z.infer<typeof configSchema>

/** The schema as JSON Schema, for editors. */
export function configJsonSchema(): object {
  return z.toJSONSchema(configSchema, { io: 'input' })
}
