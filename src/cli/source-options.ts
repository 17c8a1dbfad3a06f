import { InvalidArgumentError, Option } from 'commander'
import { ALERT_KINDS, type AlertKind } from '../detectors/detector.ts'
import { pathOfRun } from '../lookback/path-of-run.ts'
import { existingStore } from '../stores/open-store.ts'
import { TRAINERS } from '../vocabulary/vocabulary.ts'
import { say } from './say.ts'

/** What Telltale reads, for the help of the verbs that do. */
export const READS = `Reads Telltale's own logs, JSON lines such as {"step":3,"loss":0.1} or verl's {"step":3,"data":{…}}, trainer_state.json,
CSV with a step column, what TRL, verl and OpenRLHF print, TensorBoard's event files, W&B's .wandb files, databases of trackio and
MLflow, MLflow's mlruns folders, and the answers that TRL and verl save. What a path is, its content tells.`

/** How the verbs that read runs name them. */
export const RUNS_ARGUMENT =
  'files and folders of runs, runs that are stored (a name, or @last), or - for standard input'

/** More about {@link RUNS_ARGUMENT}, for the help. */
export const STORED = `What is no path is a run that is stored, read again from where it stands: its id, its name, the beginning of one of them that fits no other,
or @last.`

/** Paths as they are, and the places of stored runs that are named. @throws TelltaleError `bad-usage` where several runs fit a name. */
export function pathsOfRuns(texts: readonly string[]): readonly string[] {
  return texts.map((text) => pathOfRun(text, () => existingStore(process.env, say)))
}

/** `--trainer NAME`. */
export function trainerOption(): Option {
  return new Option('--trainer <name>', 'whose names the metrics have (default: told from the names)').choices(TRAINERS)
}

/** `--map OLD=NEW`, as often as wanted. */
export function mapOption(): Option {
  return new Option(
    '--map <old=new>',
    'reads the metric OLD as NEW, such as my_kl=kl_ref/token; may be repeated',
  ).argParser((text: string, before: ReadonlyMap<string, string> | undefined) => {
    const [old, name, ...rest] = text.split('=')
    if (!old || !name || rest.length > 0) throw new InvalidArgumentError('Expected OLD=NEW.')
    return new Map([...(before ?? []), [old, name]])
  })
}

/** `--ignore KIND`, as often as wanted. Alerts of these kinds are kept, marked as muted. */
export function ignoreOption(): Option {
  return new Option(
    '--ignore <kind>',
    'mute alerts of this kind: kept and marked, but they stop nothing and call nobody; may be repeated',
  ).argParser((text: string, before: ReadonlySet<AlertKind> | undefined) => {
    const kind = ALERT_KINDS.find((one) => one === text)
    if (!kind) throw new InvalidArgumentError(`Expected one of ${ALERT_KINDS.join(', ')}.`)
    return new Set([...(before ?? []), kind])
  })
}

/** `--stop-on critical`, and what turns it off where the configuration says it. */
export function stopOnOptions(what: string): readonly [on: Option, off: Option] {
  return [
    new Option('--stop-on <severity>', what).choices(['critical']),
    new Option('--no-stop-on', 'stop nothing, whatever the configuration says'),
  ]
}

/** `--bell`, and what turns it off where the configuration says it. */
export function bellOptions(): readonly [on: Option, off: Option] {
  return [
    new Option('--bell', 'make a sound at a critical alert'),
    new Option('--no-bell', 'make none, whatever the configuration says'),
  ]
}
