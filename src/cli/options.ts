import { InvalidArgumentError } from 'commander'

/** A parser for an option that is an integer within bounds, for commander; it says what came and what was expected. */
export function integerOption(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
    if (Number.isSafeInteger(value) && value >= min && value <= max) return value
    throw new InvalidArgumentError(
      `Expected an integer from ${min.toLocaleString('en')} to ${max.toLocaleString('en')}.`,
    )
  }
}

/**
 * What npm kept for itself when an option was written without the `--` that passes it on: `npm run demo --iterations 5`
 * reaches the program as a stray `5` at most.
 *
 * @param options long names without the dashes.
 * @returns a line that says how to write it, or null.
 */
export function npmSwallowed(verb: string, options: readonly string[], env: NodeJS.ProcessEnv): string | null {
  if (env.npm_lifecycle_event !== verb) return null
  const taken = options.filter((option) => env[`npm_config_${option.replaceAll('-', '_')}`] !== undefined)
  if (options.includes('verbose') && env.npm_config_loglevel === 'verbose') taken.push('verbose')
  if (taken.length === 0) return null
  const flags = [...new Set(taken)].map((option) => `--${option}`).join(' ')
  return `npm kept ${flags} for itself. Options for the ${verb} go behind two dashes: npm run ${verb} -- ${flags}`
}
