import { TelltaleError } from '../errors.ts'
import { realPath } from '../real-path.ts'
import type { StoredRun } from '../stores/store.ts'
import { plainText } from '../text/plain-text.ts'

const MAX_SHOWN = 8

/**
 * The run that somebody means: `@last` is the one that was seen last; else its id, its name, or the beginning of one of them that fits no other.
 *
 * @param runs those that were seen last first.
 * @throws TelltaleError `bad-usage` where none fits, or several do, naming them.
 */
export function findStoredRun(runs: readonly StoredRun[], text: string): StoredRun {
  const wrong = (what: string) => new TelltaleError('bad-usage', what)
  if (runs.length === 0) throw wrong('no run is stored yet: telltale watch and telltale import store them')
  const fitting = fittingRuns(runs, text)
  const [one, ...others] = fitting
  if (!one) throw wrong(`no stored run is called ${JSON.stringify(plainText(text, 80))}: telltale ls shows them`)
  if (others.length === 0) return one
  // The same run may be stored from several files; of runs with the same name the place tells them apart.
  const shown = fitting.slice(0, MAX_SHOWN).map((run) => `${plainText(run.name, 60)} (${plainText(run.path, 120)})`)
  throw wrong(
    `${JSON.stringify(plainText(text, 80))} fits ${fitting.length} runs: ${shown.join(', ')}. Give more of the name, or its path.`,
  )
}

/** All runs that a name fits, as {@link findStoredRun} takes it. */
export function fittingRuns(runs: readonly StoredRun[], text: string): readonly StoredRun[] {
  if (text === '@last') return runs.slice(0, 1)
  const place = realPath(text)
  const same = runs.filter((run) => run.run === text || run.name === text || run.path === place)
  return same.length > 0 ? same : runs.filter((run) => run.run.startsWith(text) || run.name.startsWith(text))
}
