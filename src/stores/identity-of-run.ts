import { type FoundRun, keyOfPart, placeOf } from '../sources/find-runs.ts'
import { runIdOf } from '../sources/run-name.ts'
import { inPreference } from '../sources/run-reader.ts'
import type { RunIdentity } from './store.ts'

/**
 * Who a run is to a store, whichever verb meets it: its name may change when another one of the same name begins, and the files that are known of it
 * while it writes them.
 *
 * @param run id and name of one of the runs that its place holds, and the format that its numbers came from, as far as that is known already.
 */
export function identityOfRun(
  found: FoundRun,
  { id, name, source }: { readonly id: string; readonly name: string; readonly source?: string | undefined },
): RunIdentity {
  const [numbers] = inPreference(found)
  return {
    key: keyOf(found, id),
    run: id,
    name,
    path: placeOf(found),
    source: source ?? numbers?.format.name ?? 'jsonl',
    earlierKeys: found.parts.length > 1 ? found.parts.map(keyOfPart).flatMap((part) => [part, `${part} ${id}`]) : [],
    wholeKeys: found.wholeKey === undefined ? [] : [found.wholeKey, `${found.wholeKey} ${id}`],
  }
}

/** Where the run stands, and which of those there it is: a log of our own holds all of its run, whatever other files come to lie beside it and go. */
function keyOf(found: FoundRun, id: string): string {
  const ours = found.parts.find(({ format }) => format.name === 'telltale')
  if (ours) return `${keyOfPart(ours)} ${id}`
  // The id of another trainer's run is made of its name. Only files of our own lines hold several.
  return id === runIdOf(found.name) ? found.key : `${found.key} ${id}`
}
