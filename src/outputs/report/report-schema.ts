/**
 * The schema of `training_report.json`. Loads zod: import it where a report is read, never where one is written.
 *
 * @module
 */
import { z } from 'zod'
import { ALERT_BASES, ALERT_KINDS, SEVERITIES, SIMPLE_ADVICE } from './report-names.ts'

/** A number, or one of the three that JSON cannot write. */
const number = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]).transform(Number)
const iteration = z.int().min(0)
const severity = z.enum(SEVERITIES)
const direction = z.enum(['up', 'down']).nullable()
const rollbackTo = iteration.nullable()
const pair = z.tuple([number, number])

const stop = z.object({ reason: z.string(), severity, iteration, rollbackTo })

const advice = z.discriminatedUnion('do', [
  z.object({ do: z.literal('roll-back'), to: rollbackTo }),
  z.object({ do: z.literal('raise-kl-coefficient'), from: number.nullable(), to: number.nullable() }),
  z.object({ do: z.literal('lower-learning-rate'), from: number.nullable(), to: number.nullable() }),
  z.object({ do: z.literal('raise-entropy-bonus'), from: number.nullable(), to: number.nullable() }),
  z.object({ do: z.enum(SIMPLE_ADVICE) }),
])

const metric = z.object({
  title: z.string(),
  original: z.string(),
  unit: z.string(),
  final: number,
  finalIteration: iteration,
  mean: number.nullable(),
  min: number.nullable(),
  max: number.nullable(),
  firstTenth: number.nullable(),
  lastTenth: number.nullable(),
  count: z.int().min(0),
  nonFinite: z.int().min(0),
  trend: z.object({ slope: number, interval: pair, direction: z.enum(['up', 'down', 'flat']) }).nullable(),
  badDirection: direction,
  estimator: z.enum(['k1', 'k2', 'k3']).nullable(),
  reliability: z.enum(['exact', 'biased', 'unusable']),
  why: z.string().nullable(),
})

const characters = z.int().min(0)
/** Reports of the first days do not have it. */
const charactersLeftOut = z
  .object({ prompt: characters, original: characters, updated: characters })
  .default({ prompt: 0, original: 0, updated: 0 })

const sample = z.object({
  prompt: z.string(),
  original: z.string(),
  updated: z.string(),
  baselineIteration: iteration,
  iteration,
  rewards: pair.nullable(),
  charactersLeftOut,
})

const alert = z.object({
  id: z.string(),
  detector: z.string(),
  kind: z.enum(ALERT_KINDS),
  direction,
  severity,
  state: z.enum(['open', 'resolved']),
  iteration,
  reason: z.string(),
  onset: z.object({ estimate: number, interval: pair }),
  series: z.array(z.string()),
  observed: number,
  expected: number,
  statistic: number,
  threshold: number,
  rollbackTo,
  advice: z.array(advice),
  basis: z.enum(ALERT_BASES),
  falseAlarmRate: z.number().nullable(),
  samples: z.array(sample),
  // Reports from before it was told have none.
  replaces: z.string().nullable().default(null),
  muted: z.literal(true).optional(),
})

const comparison = z.object({
  iteration,
  source: z.enum(['regenerated', 'paired']),
  driftKind: z.enum(['semantic', 'lexical']),
  metrics: z.record(z.string(), number),
  pairs: z.array(
    z.object({
      prompt: z.string(),
      original: z.string(),
      updated: z.string(),
      charactersLeftOut,
      baselineIteration: iteration,
      similarity: number,
      drift: number,
      charactersAdded: z.int().min(0),
      charactersRemoved: z.int().min(0),
      linesAdded: z.int().min(0),
      linesRemoved: z.int().min(0),
      words: z.array(z.object({ kind: z.enum(['kept', 'removed', 'added']), text: z.string() })),
      measures: z.record(z.string(), z.object({ original: number, updated: number })),
    }),
  ),
})

/** Version 1 of the report. */
export const reportSchema = z.object({
  schemaVersion: z.literal(1),
  run: z.object({
    id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
    project: z.string(),
    name: z.string(),
    status: z.enum(['running', 'completed', 'stopped', 'failed']),
    iterations: z.int().min(0),
    // Reports from before these were there have none.
    loggedIterations: z.int().min(0).nullable().default(null),
    live: z.boolean().default(true),
    lastIteration: iteration.nullable().default(null),
    totalIterations: number.nullable(),
    startedUnixSeconds: number.nullable(),
    // 0 in reports from before it could be null, with a null for the start.
    elapsedMs: number.nullable(),
    attempts: z.array(z.object({ attempt: z.int().min(1), fromIteration: iteration })),
    checkpoints: z.array(iteration),
    error: z.string().nullable(),
  }),
  summary: z.object({ text: z.array(z.string()).min(1) }),
  stop: stop.nullable(),
  laterStops: z.array(stop),
  metrics: z.record(z.string(), metric),
  alerts: z.array(alert),
  sample_changes: z.array(comparison),
  forgetting: z
    .object({ detected: z.boolean(), measure: z.string(), meanChange: number, interval: pair, pairs: z.int().min(0) })
    .nullable(),
  ppoMechanics: z
    .object({
      summary: z.record(z.string(), number.nullable()),
      history: z.array(z.record(z.string(), number)),
    })
    .nullable(),
  configuration: z.object({
    verbosity: z.string(),
    detection: z.object({ mode: z.string(), thresholds: z.record(z.string(), number) }).nullable(),
    training: z.record(z.string(), z.unknown()),
  }),
  coverage: z
    .array(
      z.object({
        detector: z.string(),
        kind: z.enum(ALERT_KINDS),
        kinds: z.array(z.enum(ALERT_KINDS)).optional(),
        needs: z.array(z.string()),
        missing: z.array(z.string()),
        unfit: z.array(z.object({ series: z.string(), why: z.string() })).optional(),
      }),
    )
    .nullable(),
  plots: z.array(z.object({ file: z.string(), title: z.string(), caption: z.string() })),
  counters: z.record(z.string(), z.int().min(0)),
  callbackFailures: z.array(z.object({ callback: z.string(), problem: z.string(), count: z.int().min(0) })),
  versions: z.record(z.string(), z.string()),
  leftOut: z.object({
    metrics: z.int().min(0),
    comparisons: z.int().min(0),
    pairs: z.int().min(0),
    characters: z.int().min(0),
    configuration: z.boolean(),
  }),
})

/** The same as JSON Schema (draft 2020-12), for readers in any language. */
export function reportJsonSchema(): object {
  return {
    title: 'Telltale training report',
    description:
      'training_report.json, version 1. "NaN", "Infinity" and "-Infinity" stand for the numbers of that name.',
    ...z.toJSONSchema(reportSchema, { io: 'input' }),
  }
}
