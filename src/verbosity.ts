/**
 * How much a display shows: `SIMPLE` is one line that updates in place, `VERBOSE` a full panel with tables, trends and
 * the mechanics of PPO.
 */
export const VerbosityLevel = {
  SIMPLE: 'simple',
  VERBOSE: 'verbose',
} as const

/** One of the values of {@link VerbosityLevel}. */
export type VerbosityLevel = (typeof VerbosityLevel)[keyof typeof VerbosityLevel]
