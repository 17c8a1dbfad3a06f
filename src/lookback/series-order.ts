/**
 * Which series of runs come first where not all can be shown.
 *
 * @module
 */
import { CANONICAL_METRICS } from '../vocabulary/canonical.ts'

/** Groups in the order in which people look at them. */
const HEADLINES = ['reward/', 'kl_ref/', 'quality/', 'entropy/', 'length/', 'loss/', 'value/', 'grad/', 'ppo/']

const CANONICAL_PLACE: ReadonlyMap<string, number> = new Map(Object.keys(CANONICAL_METRICS).map((name, i) => [name, i]))

/** Those of the groups that people look at first, and the others as they come. */
export function headlinesFirst<Series extends { readonly name: string }>(series: readonly Series[]): Series[] {
  return series.toSorted((a, b) => groupOf(a) - groupOf(b))
}

/**
 * As many as there is room for, of as many groups as there are: the first of each group, then the second of each, and so on; in a group those first
 * that Telltale has a meaning for. They come back as {@link headlinesFirst} puts them.
 */
export function mostTelling<Series extends { readonly name: string }>(
  series: readonly Series[],
  most: number,
): Series[] {
  const place = ({ name }: Series) => CANONICAL_PLACE.get(name) ?? CANONICAL_PLACE.size
  const ordered = headlinesFirst(series.toSorted((a, b) => place(a) - place(b)))
  const counts = new Map<number, number>()
  const turns = new Map<Series, number>()
  for (const one of ordered) {
    const group = groupOf(one)
    // Of what is in no group, all wait for those that are.
    const turn = group === HEADLINES.length ? ordered.length : (counts.get(group) ?? 0)
    counts.set(group, turn + 1)
    turns.set(one, turn)
  }
  return headlinesFirst(ordered.toSorted((a, b) => turns.get(a)! - turns.get(b)!).slice(0, most))
}

function groupOf({ name }: { readonly name: string }): number {
  const at = HEADLINES.findIndex((group) => name.startsWith(group))
  return at < 0 ? HEADLINES.length : at
}
