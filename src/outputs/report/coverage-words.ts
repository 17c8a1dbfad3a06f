/**
 * What is not watched and why, in words: an alert that cannot come must not pass for health.
 *
 * @module
 */
import type { AlertKind, Coverage } from './report-input.ts'
import { KIND_TITLES } from './words.ts'

/** Kinds that share a reason not to be watched. */
export interface Unwatched {
  readonly kinds: readonly AlertKind[]
  readonly missing: readonly string[]
  readonly unfit: NonNullable<Coverage['unfit']>
}

/** Kinds that at least one detector watches. */
export function watchedKinds(coverage: readonly Coverage[]): readonly AlertKind[] {
  return [...new Set(coverage.filter(({ missing }) => missing.length === 0).flatMap(kindsOf))]
}

/** Kinds that no detector watches, with what the first of their detectors lacks. */
export function unwatchedKinds(coverage: readonly Coverage[]): readonly Unwatched[] {
  const told = new Set(watchedKinds(coverage))
  const found: Unwatched[] = []
  for (const entry of coverage) {
    const kinds = kindsOf(entry).filter((kind) => !told.has(kind))
    if (kinds.length === 0) continue
    for (const kind of kinds) told.add(kind)
    found.push({ kinds, missing: entry.missing, unfit: entry.unfit ?? [] })
  }
  return found
}

/** Why kinds are not watched, and where it is not plain what to log. */
export function whyUnwatched({ kinds, missing, unfit }: Unwatched): string {
  const reasons = missing.map((group) => {
    if (group.startsWith('quality/fixed_'))
      return 'no answers to the same prompts again: register a generator, or log an evaluation'
    if (group.startsWith('quality/')) {
      const what = kinds.includes('reward-hacking') ? 'reward-hacking' : kinds[0]!
      return `no quality signal: ${KIND_TITLES[what].toLowerCase()} cannot be seen; log completions or a held-out reward`
    }
    if (group === 'time/silence')
      return 'it shows only while a run is watched live, or where its loop calls monitor.tick()'
    return `no ${bestOf(group)}`
  })
  return [...reasons, ...unfit.map(({ series, why }) => `${series} is logged, but ${why}`)].join(', ')
}

/** One line: `Entropy collapse: no entropy/token`. */
export function unwatchedWords(entry: Unwatched): string {
  return `${entry.kinds.map((kind) => KIND_TITLES[kind]).join(', ')}: ${whyUnwatched(entry)}`
}

function kindsOf({ kind, kinds }: Coverage): readonly AlertKind[] {
  return kinds ?? [kind]
}

/** The best of the alternatives by name; the others only as their number. */
function bestOf(group: string): string {
  const [first = '', ...others] = group.split(' | ')
  if (others.length === 0) return first
  return `${first} or ${others.length === 1 ? others[0] : `${others.length} others`}`
}
