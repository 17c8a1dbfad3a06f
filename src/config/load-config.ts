/**
 * Reads `telltale.config.json` from the current folder, or a file that was named; never from anywhere else, such as beside a run.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { z } from 'zod'
import { errorMessage, TelltaleError } from '../errors.ts'
import { plainText } from '../text/plain-text.ts'
import { configSchema, type TelltaleConfig } from './schema.ts'

/** What is looked for where nothing is named. */
export const CONFIG_FILE = 'telltale.config.json'

/** A configuration and where it stands; the file is null where there is none. */
export interface LoadedConfig {
  readonly file: string | null
  readonly config: TelltaleConfig
}

/**
 * @param file as `--config` names it; without it the file in the current folder, which need not be there.
 * @throws TelltaleError `bad-option` naming the file, the key, what was expected and what came; `not-readable` for a named file that is not there.
 */
export function loadConfig(file: string | undefined, folder = process.cwd()): LoadedConfig {
  const path = resolve(folder, file ?? CONFIG_FILE)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (file === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') return { file: null, config: {} }
    throw new TelltaleError('not-readable', `${path} cannot be read: ${errorMessage(error)}`, { cause: error })
  }
  let json: unknown
  try {
    json = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (error) {
    throw new TelltaleError(
      'bad-option',
      `${path} is no JSON: ${plainText(withoutQuote(errorMessage(error), text), 200)}`,
    )
  }
  const parsed = configSchema.safeParse(json)
  if (parsed.success) return { file: path, config: parsed.data }
  throw new TelltaleError('bad-option', `${path}: ${problemsIn(parsed.error.issues, json).join('; ')}`)
}

type Issue = z.core.$ZodIssue

function problemsIn(issues: readonly Issue[], json: unknown): readonly string[] {
  return issues.slice(0, 5).map((issue) => {
    if (issue.code === 'unrecognized_keys') {
      const keys = issue.keys.map((key) => `${pathOf([...issue.path, key])} is unknown${hintFor(key, issue.path)}`)
      return keys.join('; ')
    }
    const value = valueAt(json, issue.path)
    if (issue.path.at(-1) === 'urlFrom' && isSecret(value))
      return `${pathOf(issue.path)} holds an address; expected the name of an environment variable that holds it, since a configuration is shared and an address is a secret`
    const came = isSecret(value) ? 'something with an address, which is a secret and not said again' : shown(value)
    return `${pathOf(issue.path)} is ${came}; ${expected(issue)}`
  })
}

function expected(issue: Issue): string {
  if (issue.code === 'invalid_value') return `expected one of ${issue.values.map(String).join(', ')}`
  if (issue.code === 'invalid_type') return `expected ${issue.expected}`
  if (issue.code === 'too_small') return `expected more than ${String(issue.minimum)}`
  if (issue.code === 'too_big') return `expected at most ${String(issue.maximum)}`
  if (issue.code === 'invalid_format') return 'expected a name of letters, digits and underscores'
  return plainText(issue.message, 200)
}

/** Where a key stands, such as `webhooks[0].severity`. */
function pathOf(path: readonly PropertyKey[]): string {
  const text = path
    .map((key) =>
      typeof key === 'number' ? `[${key}]` : `.${isSecret(key) ? '(an address)' : plainText(String(key), 80)}`,
    )
    .join('')
  return text === '' ? 'the whole' : text.replace(/^\./, '')
}

function valueAt(json: unknown, path: readonly PropertyKey[]): unknown {
  let value = json
  for (const key of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key]
  return value
}

/** Whether a value has an address in it, with or without its beginning: whoever reads a message must not learn it. */
function isSecret(value: unknown): boolean {
  return /:\/\/|[\w-]\.[\w.-]+\//.test(JSON.stringify(value) ?? '')
}

/** The parser quotes the text around the mistake, which may be an address; the line says the same. */
function withoutQuote(message: string, text: string): string {
  const [, quoted] = /"([\s\S]+)"(?:\.\.\.)? is not valid JSON$/.exec(message) ?? []
  if (quoted === undefined) return message
  const at = text.indexOf(quoted)
  const line = text.slice(0, Math.max(0, at) + Math.floor(quoted.length / 2)).split('\n').length
  return `${message.slice(0, message.indexOf(', '))} in line ${line}`
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : plainText(JSON.stringify(value), 80)
}

/** The known key that is nearest to a misspelt one. */
function hintFor(key: string, path: readonly PropertyKey[]): string {
  const known = path.length === 0 ? Object.keys(configSchema.shape) : ['urlFrom', 'form', 'severity']
  if (key === 'url')
    return ': write urlFrom and the name of an environment variable; an address in a file is a secret given away'
  const near = known
    .map((one) => [one, distance(one.toLowerCase(), key.toLowerCase().replaceAll(/[-_]/g, ''))] as const)
    .sort((a, b) => a[1] - b[1])[0]
  if (near && near[1] <= 3) return `: did you mean ${near[0]}?`
  return `; known are ${known.filter((one) => one !== '$schema').join(', ')}`
}

/** Letters to put in, take out or change (Levenshtein). */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 3 || b.length > 64) return 99
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
