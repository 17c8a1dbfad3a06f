/**
 * What a `telltale.config.json` may say. The JSON schema for editors, and the page about it, are made of this.
 *
 * @module
 */
import { z } from 'zod'
import { ANALYZER_MODES, DEFAULT_MODE } from '../decision/quality-analyzer.ts'
import { PRESETS } from '../detectors/calibrated/preset.ts'
import { DEFAULT_FALSE_ALARM_RATE } from '../detectors/calibrated/thresholds.ts'
import { ALERT_KINDS } from '../detectors/detector.ts'
import { WEBHOOK_FORMS } from '../outputs/webhook/forms.ts'
import { TRAINERS, type TrainerName } from '../vocabulary/vocabulary.ts'

/** Severities at which a run can be stopped. */
export const STOP_SEVERITIES = ['critical'] as const
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
  mode: z.enum(ANALYZER_MODES).optional().meta({
    description:
      'As --mode: how runs are judged, by fixed rules (threshold) or with a known rate of false alarms (calibrated).',
    default: DEFAULT_MODE,
  }),
  preset: z
    .enum(PRESETS)
    .optional()
    .describe('As --preset: sort of training, in mode calibrated; told from what the run logs where it is left out.'),
  falseAlarmRate: z.number().gt(0).max(0.5).optional().meta({
    description: 'As --false-alarm-rate: share of healthy runs with a critical alert, in mode calibrated.',
    default: DEFAULT_FALSE_ALARM_RATE,
  }),
  klThreshold: z
    .number()
    .gt(0)
    .optional()
    .describe(
      'As --kl-threshold: nats per token of kl_ref/token above which it is critical. Where it is left out, 0.1 in mode threshold and none in mode calibrated.',
    ),
  trainer: z
    .enum([firstTrainer as TrainerName, ...otherTrainers])
    .optional()
    .describe('As --trainer: whose names the metrics have; told from the names where it is left out.'),
  map: z
    .record(z.string(), z.string())
    .optional()
    .describe('As --map: names of your metrics, and what each means. Those of the flag are added.'),
  ignore: z
    .array(z.enum(ALERT_KINDS))
    .optional()
    .describe(
      'As --ignore: kinds of alerts that are muted. They are kept and marked, but neither sent nor acted on, and no check fails on them. Those of the flag are added.',
    ),
  stopOn: z
    .enum(STOP_SEVERITIES)
    .optional()
    .describe(
      'As --stop-on: severity of the alert at which a training is stopped: run ends its own, watch orders one that writes with a client of Telltale to. --no-stop-on turns it off, --dry-run only says what would be stopped.',
    ),
  webhooks: z
    .array(webhook)
    .max(16)
    .optional()
    .describe('Who is told of alerts while watch or run follows a training.'),
  onAlert: z
    .string()
    .min(1)
    .optional()
    .describe(
      'As --on-alert: a program that is started at an alert, three times at the most of a failure that comes and goes, and when one has passed.',
    ),
  onCritical: z
    .string()
    .min(1)
    .optional()
    .describe(
      'As --on-critical: a program that is started at a critical alert, three times at the most of a failure that comes and goes.',
    ),
  bell: z.boolean().optional().meta({
    description: 'As --bell: a sound in the terminal at a critical alert. --no-bell turns it off.',
    default: false,
  }),
})

/** A configuration. */
export type TelltaleConfig = z.infer<typeof configSchema>

/** The schema as JSON Schema, for editors. */
export function configJsonSchema(): object {
  return z.toJSONSchema(configSchema, { io: 'input' })
}
