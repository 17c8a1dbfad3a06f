/**
 * Wire format v1 as it comes in: every line is checked here, at the boundary, and nowhere else.
 *
 * @module
 */
import { z } from 'zod'
import { errorMessage } from '../errors.ts'
import { TRAINING_PHASES } from '../events.ts'

/** A number on the wire: non-finite ones are strings. */
const wireNumber = z.union([
  z.number(),
  z.literal('NaN').transform(() => Number.NaN),
  z.literal('Infinity').transform(() => Number.POSITIVE_INFINITY),
  z.literal('-Infinity').transform(() => Number.NEGATIVE_INFINITY),
])

const iteration = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)

const envelope = {
  v: z.literal(1),
  run: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  writer: z.string().min(1).max(64),
  seq: z.number().int().min(1),
  time: z.number(),
}

/** One line of a run's log. Unknown fields are kept. */
export const wireLine = z.discriminatedUnion('type', [
  z.looseObject({
    ...envelope,
    type: z.literal('run'),
    project: z.string().optional(),
    name: z.string().optional(),
    attempt: z.number().int().min(1).optional(),
    trainer: z.string().optional(),
    earlyStop: z.enum(['critical', 'off']).optional(),
    // Whoever wants it checks it: a log is worth reading whatever stands there.
    process: z.unknown().optional(),
  }),
  z.looseObject({
    ...envelope,
    type: z.literal('event'),
    phase: z.enum(TRAINING_PHASES as [string, ...string[]]),
    iteration,
    // Names are checked by hand: a validator's record type may treat a metric named __proto__ as something else.
    metrics: z.custom<Record<string, number | string>>((value) => value === undefined || isRecord(value)).optional(),
    metadata: z.custom<Record<string, unknown>>((value) => value === undefined || isRecord(value)).optional(),
    samples: z.number().int().min(1).optional(),
  }),
  z.looseObject({
    ...envelope,
    type: z.literal('samples'),
    iteration,
    of: z.number().int().min(1).optional(),
    prompts: z.array(z.string()).optional(),
    responses: z.array(z.string()).optional(),
    rewards: z.array(wireNumber).optional(),
  }),
  z.looseObject({ ...envelope, type: z.literal('announce'), what: z.string() }),
  z.looseObject({ ...envelope, type: z.literal('tick') }),
  z.looseObject({ ...envelope, type: z.literal('alert'), alert: z.unknown() }),
  z.looseObject({
    ...envelope,
    type: z.literal('stop'),
    reason: z.string(),
    severity: z.enum(['info', 'warning', 'critical']),
    iteration,
    rollbackTo: iteration.nullable(),
  }),
  // Ours say as well how many of the lines held answers (`samples`) and numbers (`numbers`), `since` when, and `why`, such as ENOSPC.
  z.looseObject({ ...envelope, type: z.literal('gap'), dropped: z.number().optional() }),
  z.looseObject({ ...envelope, type: z.literal('end'), status: z.enum(['completed', 'stopped', 'failed']) }),
])

/** One checked line. */
export type WireLine = z.infer<typeof wireLine>

/** A line that is in order, or why it is not. */
export type ParsedLine = { readonly line: WireLine } | { readonly problem: string }

/** Checks one line of a log; never throws. */
export function parseLine(text: string): ParsedLine {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return { problem: `not JSON: ${errorMessage(error)}` }
  }
  return checkLine(value)
}

/** Checks a line that is JSON already. */
export function checkLine(value: unknown): ParsedLine {
  const parsed = wireLine.safeParse(value)
  if (parsed.success) return { line: parsed.data }
  const issue = parsed.error.issues[0]
  return { problem: `${issue?.path.join('.') || 'line'}: ${issue?.message ?? 'not a line of wire format v1'}` }
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
