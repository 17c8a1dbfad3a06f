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
  const isOurs = found.parts.every(({ format }) => format.name === 'telltale')
  return {
    // The id of another trainer's run is made of its name. Only our own logs, and files of such lines, hold several.
    key: !isOurs && id === runIdOf(found.name) ? found.key : `${found.key} ${id}`,
    run: id,
    name,
    path: placeOf(found),
    source: source ?? numbers?.format.name ?? 'jsonl',
    earlierKeys: found.parts.length > 1 ? found.parts.map(keyOfPart) : [],
  }
}
