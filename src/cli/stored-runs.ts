import { spawnSync } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Unreadable } from '../check/check-path.ts'
import type { CheckedRun } from '../check/run-check.ts'
import { errorMessage, TelltaleError } from '../errors.ts'
import { isAlive } from '../log/process-info.ts'
import { EXPORT_FORMATS, type ExportFormat, exportRun } from '../lookback/export-run.ts'
import type { ImportOptions } from '../lookback/import-runs.ts'
import { type RunOrder, SORTS } from '../lookback/run-order.ts'
import { iterationsWords } from '../outputs/run-words.ts'
import { alertCountWords, countAlerts } from '../outputs/terminal/status-words.ts'
import { markCrashed } from '../stores/mark-crashed.ts'
import { openStore, storePath } from '../stores/open-store.ts'
import type { RunStore, StoredRun } from '../stores/store.ts'
import { plainText } from '../text/plain-text.ts'
import { systemClock } from '../time.ts'
import type { TrainerName } from '../vocabulary/vocabulary.ts'
import { type AnalyzerFlags, addAnalyzerOptions, checkAnalyzerFlags } from './analyzer-options.ts'
import { drawComparison } from './draw-comparison.ts'
import { sayJson } from './json-output.ts'
import { integerOption } from './options.ts'
import { INTERRUPTED, readPaths } from './read-paths.ts'
import { say } from './say.ts'
import { mapOption, pathsOfRuns, READS, RUNS_ARGUMENT, STORED, trainerOption } from './source-options.ts'

const STORE = `The store is telltale.db in .telltale of the current folder; TELLTALE_DIR names another folder. Where that is on a network file system, the store is
in the folder for caches of this machine, as is said then. It is made of the runs, and can be made again from them: telltale import PATH.`

const NAMED = `A run is named by its id, its name, its path, the beginning of one of them that fits no other, or @last.`

/** The verbs that look back at what is stored. */
export function storedRunsCommands(): readonly Command[] {
  return [
    importCommand(),
    listCommand(),
    showCommand(),
    compareCommand(),
    exportCommand(),
    queryCommand(),
    samplesCommand(),
    tagCommand(),
    noteCommand(),
    pruneCommand(),
    removeCommand(),
    verifyCommand(),
    rebuildCommand(),
  ]
}

function verb(name: string, description: string, help: string): Command {
  return new Command(name)
    .description(description)
    .helpOption('-h, --help', 'show this help')
    .showHelpAfterError(`(telltale ${name} --help shows the options)`)
    .exitOverride()
    .addHelpText('after', `\n${help}\n\n${STORE}`)
}

/** Opens the store, does something, and closes it. */
async function withStore<Result>(work: (store: RunStore) => Result | Promise<Result>): Promise<Result> {
  const store = openStore(process.env, say)
  try {
    markCrashed(store, isAlive)
    return await work(store)
  } finally {
    store.close()
  }
}

interface ImportFlags extends AnalyzerFlags {
  readonly json?: true
  readonly trainer?: TrainerName
  readonly map?: ReadonlyMap<string, string>
}

function importCommand(): Command {
  const command = verb(
    'import',
    'Puts recorded runs of any format into the store, judged as telltale check judges them.',
    `${READS}
${STORED}

Examples:
  telltale import runs output              all runs below two folders
  telltale import @last --mode threshold   the run that was seen last once more, judged by the fixed rules`,
  )
    .argument('<path...>', RUNS_ARGUMENT)
    .option('--json', 'print what was stored as JSON')
    .addOption(trainerOption())
    .addOption(mapOption())
  return addAnalyzerOptions(command).action(async (paths: readonly string[], flags: ImportFlags) => {
    const { json, trainer, map, ...check } = flags
    checkAnalyzerFlags(check)
    const places = pathsOfRuns(paths)
    await withStore(async (store) => {
      const imported = await importAll(places, { store, check, trainer, rename: map }, (run) => {
        if (!json)
          process.stdout.write(
            `${plainText(run.run, 80)}: ${iterationsWords(run)}, ${alertCountWords(countAlerts(run.alerts)) || 'no alerts'}\n`,
          )
      })
      if (imported === null) return
      if (json) sayJson({ store: storePath(process.env), ...imported })
      process.exitCode = imported.errors.length > 0 ? 2 : 0
    })
  })
}

/** Puts the runs of all paths into the store; null where Ctrl-C ended it, which the exit code says then. */
async function importAll(
  paths: readonly string[],
  options: Pick<ImportOptions, 'store' | 'check' | 'trainer' | 'rename'>,
  sayRun: (run: CheckedRun) => void,
): Promise<{ readonly runs: readonly CheckedRun[]; readonly errors: readonly Unreadable[] } | null> {
  const { importRuns } = await import('../lookback/import-runs.ts')
  const read = await readPaths(paths, {
    read: (path, how) => importRuns(path, { ...options, now: systemClock.unixSeconds, say, ...how }),
    unreadable: (result) => result.unreadable,
    say: async ({ runs }) => runs.forEach(sayRun),
  })
  if (read !== null) return { runs: read.results.flatMap(({ runs }) => runs), errors: read.errors }
  process.exitCode = INTERRUPTED
  return null
}

function listCommand(): Command {
  return verb('ls', 'Lists the runs that were watched or imported, those with critical alerts first.', NAMED)
    .argument('[text]', 'only runs whose name, id, path, project or settings hold this')
    .option('--status <status>', 'only runs that are running, completed, stopped, failed or crashed')
    .option('--tag <tag>', 'only runs with this tag')
    .addOption(new Option('--sort <by>', 'of the rows').choices(SORTS))
    .option('--json', 'print them as JSON, those that were seen last first')
    .action(async (text: string | undefined, flags: ListFlags) => {
      const { status, tag, sort, json } = flags
      if (status !== undefined && !['running', 'completed', 'stopped', 'failed', 'crashed'].includes(status))
        throw new TelltaleError(
          'bad-option',
          `--status is ${JSON.stringify(plainText(status, 40))}; expected running, completed, stopped, failed or crashed`,
        )
      const { listText, sortRuns } = await import('../lookback/list-text.ts')
      await withStore((store) => {
        const all = store.runs()
        const chosen = all.filter(
          (run) =>
            (status === undefined || run.status === status) &&
            (tag === undefined || run.tags.includes(tag)) &&
            (text === undefined || holds(run, text.toLowerCase())),
        )
        const runs = sort === undefined ? chosen : sortRuns(chosen, store, sort)
        if (json) sayJson({ runs })
        else if (runs.length === 0)
          process.stdout.write(
            all.length === 0
              ? 'No runs: telltale watch and telltale import store them.\n'
              : `No runs: none of ${all.length} is such a one.\n`,
          )
        else
          process.stdout.write(
            `${listText(runs, store, systemClock.unixSeconds(), process.stdout, process.env, sort !== undefined).join('\n')}\n`,
          )
      })
    })
}

interface ListFlags {
  readonly status?: string
  readonly tag?: string
  readonly sort?: RunOrder
  readonly json?: true
}

function holds({ name, run, path, project, config }: StoredRun, text: string): boolean {
  return [name, run, path, project, JSON.stringify(config)].some((one) => one.toLowerCase().includes(text))
}

function showCommand(): Command {
  return verb(
    'show',
    'Shows a run that is stored: how it went, its alerts, its series with their curves, its settings.',
    `${NAMED}

Of a run with an alert it says how long it went on after the onset of the first critical one (or else the first), by the times of the iterations where
they are logged, and about, as if all had taken the same, where not. The number of GPUs is taken from the settings (world_size, num_processes,
n_gpus_per_node × nnodes, gpus, …) where they say it.`,
  )
    .argument('<run>', 'which run')
    .option('--gpus <n>', 'how many GPUs the run had, for GPU-hours after the onset', integerOption(1, 1_000_000))
    .option('--json', 'print it as JSON, with every series in at most 1,000 buckets')
    .action(async (name: string, { json, gpus }: { json?: true; gpus?: number }) => {
      const { findStoredRun } = await import('../lookback/find-stored-run.ts')
      const { afterOnset } = await import('../lookback/after-onset.ts')
      const { showText } = await import('../lookback/show-text.ts')
      await withStore((store) => {
        const run = findStoredRun(store.runs(), name)
        if (!json) {
          process.stdout.write(
            `${showText(run, store, systemClock.unixSeconds(), process.stdout, process.env, gpus).join('\n')}\n`,
          )
          return
        }
        const series = store.series(run.key).map((one) => ({ ...one, buckets: store.zoom(run.key, one.name) }))
        sayJson({
          ...{
            run,
            alerts: store.alerts(run.key),
            afterOnset: afterOnset(run, store, gpus),
            events: store.events(run.key),
          },
          ...{ series, samples: store.samples(run.key, 20) },
        })
      })
    })
}

interface CompareFlags {
  readonly png?: string
  readonly series: readonly string[]
  readonly width: number
  readonly json?: true
}

function compareCommand(): Command {
  return verb(
    'compare',
    'Puts runs beside each other: settings that differ, series with their curves, alerts, answers to the same prompts.',
    `${NAMED}

A series' level is its mean over the last third of a run. It is marked where it differs from the first run's beyond what chance brings, by the means of eight
blocks of it.

--png draws the curves of up to eight runs, a panel a series, with the alerts of each run; a name that ends in .svg gives an SVG. Drawn are up to nine
series, those first that all of the runs have; --series draws others.

Examples:
  telltale compare baseline new-reward
  telltale compare baseline new-reward @last --png runs.png
  telltale compare baseline @last --png kl.png --series kl_ref/token --series reward/score --width 10`,
  )
    .argument('<run...>', 'two runs or more')
    .option('--png <file>', 'draw the curves into a file, PNG or SVG by the end of its name')
    .option(
      '--series <name>',
      'draw this series; may be repeated',
      (name: string, before: readonly string[]) => [...before, name],
      [],
    )
    .option('--width <inches>', 'of the figure, of 150 dots each', integerOption(5, 40), 15)
    .option('--json', 'print it as JSON, with 95 % intervals of the differences to the first run')
    .action(async (names: readonly string[], flags: CompareFlags) => {
      if (names.length < 2) throw new TelltaleError('bad-usage', 'expected two runs or more; telltale show is for one')
      const { findStoredRun } = await import('../lookback/find-stored-run.ts')
      const { compareRuns } = await import('../lookback/compare-runs.ts')
      const { compareText } = await import('../lookback/compare-text.ts')
      await withStore(async (store) => {
        const all = store.runs()
        const runs = names.map((name) => findStoredRun(all, name))
        const drawn = flags.png === undefined ? null : await drawComparison(store, runs, flags.png, flags)
        const comparison = compareRuns(store, runs)
        if (flags.json) sayJson({ ...comparison, ...(drawn ? { drawn } : {}) })
        else {
          process.stdout.write(
            `${compareText(comparison, systemClock.unixSeconds(), process.stdout, process.env).join('\n')}\n`,
          )
          if (drawn)
            process.stdout.write(
              `\n${plainText(drawn.file, 300)}: ${drawn.series.length} series${drawn.left > 0 ? `; --series NAME draws one of the ${drawn.left} others` : ''}\n`,
            )
        }
      })
    })
}

function exportCommand(): Command {
  return verb(
    'export',
    'Writes the series of a stored run for other tools.',
    `${NAMED}

Formats: jsonl, a line an iteration, which Telltale reads again; csv, a row an iteration; tensorboard, an event file, whose values are of single precision;
parquet, a row a value: run, series, iteration, attempt, superseded (a later attempt did the iteration again), value. NaN and infinities are values there.

Examples:
  telltale export @last --format csv > run.csv
  telltale export @last --format parquet --out run.parquet
  telltale export @last --format tensorboard --output runs/copy/events.out.tfevents.1.copy`,
  )
    .argument('<run>', 'which run')
    .addOption(new Option('--format <format>', 'of the file').choices(EXPORT_FORMATS).default('jsonl'))
    .option('--out, --output <file>', 'where it goes; standard output by default')
    .action(async (name: string, { format, output }: { format: ExportFormat; output?: string }) => {
      const { findStoredRun } = await import('../lookback/find-stored-run.ts')
      if (output === undefined && (format === 'tensorboard' || format === 'parquet') && process.stdout.isTTY)
        throw new TelltaleError('bad-usage', `a file of ${format} is nothing for a terminal: say --output FILE`)
      await withStore(async (store) => {
        const run = findStoredRun(store.runs(), name)
        const stream = output === undefined ? process.stdout : createWriteStream(output)
        try {
          const pieces = await piecesOf(store, run, format, output === undefined && process.stdout.isTTY)
          await pipeline(Readable.from(pieces), stream, { end: output !== undefined })
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'EPIPE') return
          throw new TelltaleError(
            'not-writable',
            `${output ?? 'standard output'} cannot be written: ${errorMessage(error)}`,
          )
        }
      })
    })
}

/** Values from which on it is shown how far an export is: the time that they take is worth a line. */
const MANY_VALUES = 2_000_000

/** @param onTerminal whether the file goes to the terminal, on which nothing else is shown then. */
async function piecesOf(
  store: RunStore,
  run: StoredRun,
  format: ExportFormat,
  onTerminal: boolean,
): Promise<Iterable<Buffer>> {
  const { exportParquet } =
    format === 'parquet' ? await import('../lookback/export-parquet.ts') : { exportParquet: null }
  const pieces = (onValues?: (values: number) => void) =>
    format === 'parquet' ? exportParquet!(store, run, onValues) : exportRun(store, run, format, { onValues })
  const total = store.series(run.key).reduce((sum, { count }) => sum + count, 0)
  if (!process.stderr.isTTY || onTerminal || total < MANY_VALUES) return pieces()
  const { createProgress } = await import('../outputs/terminal/progress.ts')
  const progress = createProgress({ stream: process.stderr })
  let written = 0
  return (function* () {
    progress.start(`Writing ${plainText(run.name, 80)}`, total)
    try {
      yield* pieces((values) => {
        written += values
        progress.update(written, 'values')
      })
      progress.done(`${written.toLocaleString('en')} values`)
    } finally {
      progress.close()
    }
  })()
}

function queryCommand(): Command {
  return verb(
    'query',
    'Asks the store a question in SQL; it can only be read.',
    `Tables: runs, series, chunks, chunk_values, samples, alerts, events; the view points has single values (run_key, run, series, attempt, iteration, value),
the view artifacts the checkpoints (run_key, run, iteration, kind, path).

Examples:
  telltale query "SELECT name, status, iterations FROM runs"
  telltale query "SELECT run, max(value) FROM points WHERE series = 'kl_ref/token' GROUP BY run" --json`,
  )
    .argument('<sql>', 'one SELECT')
    .option('--rows <count>', 'rows at the most', count, 10_000)
    .option('--timeout <seconds>', 'after which it is ended', count, 30)
    .option('--json', 'print the rows as JSON; else as lines of values with tabs between them')
    .addOption(new Option('--here').hideHelp())
    .action(async (sql: string, flags: { rows: number; timeout: number; json?: true; here?: true }) => {
      const { rows: most, timeout, json, here } = flags
      if (!here) {
        process.exitCode = askElsewhere(sql, most, timeout, json === true)
        return
      }
      const { askStore } = await import('../lookback/ask-store.ts')
      const { columns, rows, more } = askStore(storePath(process.env, say), sql, most)
      if (json) sayJson({ columns, rows, more })
      else
        process.stdout.write(
          [columns, ...rows]
            .map((row) => `${row.map((cell) => plainText(String(cell ?? ''), 500)).join('\t')}\n`)
            .join(''),
        )
      if (more && !json) say(`there are more than ${most} rows: --rows asks for more`)
    })
}

/** Asks in a process of its own: only that can be ended while SQLite works. */
function askElsewhere(sql: string, most: number, timeoutSeconds: number, json: boolean): number {
  const args = ['query', '--here', '--rows', String(most), ...(json ? ['--json'] : []), '--', sql]
  const { status, error } = spawnSync(process.execPath, [process.argv[1]!, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: 1000 * timeoutSeconds,
    killSignal: 'SIGKILL',
  })
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT')
    throw new TelltaleError(
      'bad-usage',
      `the question was ended after ${timeoutSeconds} seconds without an answer: ask for less of the view points (WHERE run_key = … AND series = …), or say --timeout`,
    )
  return status ?? INTERRUPTED
}

interface SampleFlags {
  readonly prompt?: string
  readonly worst?: true
  readonly diff?: true
  readonly limit: number
  readonly json?: true
}

function samplesCommand(): Command {
  return verb('samples', 'Shows answers that were kept of a run, with their prompts and rewards.', NAMED)
    .argument('<run>', 'which run')
    .option('--prompt <text>', 'only answers to prompts that hold this')
    .addOption(new Option('--worst', 'those with the smallest rewards first, instead of the newest').conflicts('diff'))
    .option(
      '--diff',
      'how the newest answer to each prompt differs from the earliest one, those that changed most first',
    )
    .option('--limit <count>', 'answers at the most', count, 10)
    .option('--json', 'print them as JSON')
    .action(async (name: string, flags: SampleFlags) => {
      const { findStoredRun } = await import('../lookback/find-stored-run.ts')
      const { answerChanges } = await import('../lookback/answer-changes.ts')
      const { changesText } = await import('../lookback/changes-text.ts')
      const { chooseSamples, samplesText } = await import('../lookback/samples-text.ts')
      await withStore((store) => {
        const all = store.samples(findStoredRun(store.runs(), name).key)
        if (flags.diff) {
          const changes = answerChanges(all, flags)
          if (flags.json) sayJson({ changes })
          else if (changes.length === 0)
            process.stdout.write('No prompt has answers of two iterations, or none that is asked for.\n')
          else process.stdout.write(`${changesText(changes, process.stdout, process.env).join('\n')}\n`)
          return
        }
        const samples = chooseSamples(all, flags)
        if (flags.json) sayJson({ samples })
        else if (samples.length === 0) process.stdout.write('No answers are kept, or none that is asked for.\n')
        else process.stdout.write(`${samplesText(samples, process.stdout, process.env).join('\n')}\n`)
      })
    })
}

const MAX_TAG = 64
const MAX_NOTE = 4000

function tagCommand(): Command {
  return verb('tag', 'Puts tags on a stored run; telltale ls --tag finds it by them.', NAMED)
    .argument('<run>', 'which run')
    .argument('[tag...]', 'tags to put on')
    .option('--remove <tag>', 'a tag to take off; may be repeated', (tag: string, before: string[] = []) => [
      ...before,
      tag,
    ])
    .option('--json', 'print its tags as JSON')
    .action(async (name: string, tags: readonly string[], flags: { remove?: string[]; json?: true }) => {
      const { remove = [], json } = flags
      const odd = tags.find((tag) => !/^[\p{L}\p{N}._:/+-]+$/u.test(tag) || tag.length > MAX_TAG)
      if (odd !== undefined)
        throw new TelltaleError(
          'bad-option',
          `the tag ${JSON.stringify(plainText(odd, 80))}: expected at most ${MAX_TAG} letters, digits and . _ : / + -`,
        )
      const { findStoredRun } = await import('../lookback/find-stored-run.ts')
      await withStore((store) => {
        const { key } = findStoredRun(store.runs(), name)
        store.tag(key, tags, remove)
        const run = store.runs().find((one) => one.key === key)!
        if (json) sayJson({ run: run.run, name: run.name, tags: run.tags })
        else
          process.stdout.write(
            `${plainText(run.name, 80)}: ${run.tags.length === 0 ? 'no tags' : run.tags.join(', ')}\n`,
          )
      })
    })
}

function noteCommand(): Command {
  return verb('note', 'Keeps a note about a stored run; telltale show shows it.', NAMED)
    .argument('<run>', 'which run')
    .argument('<text>', 'the note')
    .option('--json', 'print its notes as JSON')
    .action(async (name: string, text: string, { json }: { json?: true }) => {
      if (text.trim() === '' || text.length > MAX_NOTE)
        throw new TelltaleError('bad-option', `the note has ${text.length} characters; expected 1 to ${MAX_NOTE}`)
      const { findStoredRun } = await import('../lookback/find-stored-run.ts')
      await withStore((store) => {
        const { key } = findStoredRun(store.runs(), name)
        store.note(key, text, systemClock.unixSeconds())
        const run = store.runs().find((one) => one.key === key)!
        if (json) sayJson({ run: run.run, name: run.name, notes: run.notes })
      })
    })
}

function pruneCommand(): Command {
  return verb(
    'prune',
    'Forgets runs that were seen last long ago.',
    `Runs with tags or notes stay: somebody wanted to keep them. The runs themselves are not touched.

Examples:
  telltale prune --older-than 30d --dry-run
  telltale prune --older-than 30d --keep-alerts`,
  )
    .requiredOption('--older-than <time>', 'such as 30d, 12h', age)
    .option('--keep-alerts', 'keep runs that have an alert')
    .option('--dry-run', 'only say which')
    .option('--json', 'print which as JSON')
    .action(async (flags: { olderThan: number; keepAlerts?: true; dryRun?: true; json?: true }) => {
      const { olderThan, keepAlerts, dryRun = false, json } = flags
      await withStore((store) => {
        const before = systemClock.unixSeconds() - olderThan
        const old = store
          .runs()
          .filter(
            ({ seenUnixSeconds, alerts, tags, notes }) =>
              seenUnixSeconds < before && !(keepAlerts && alerts > 0) && tags.length + notes.length === 0,
          )
        for (const { key, name } of old) {
          if (!dryRun) store.remove(key)
          if (!json) process.stdout.write(`${dryRun ? 'would be forgotten' : 'forgotten'}: ${plainText(name, 80)}\n`)
        }
        if (json) sayJson({ dryRun, forgotten: old.map(named) })
        else process.stdout.write(`${old.length} runs\n`)
      })
    })
}

/** Seconds. */
function age(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([dhm])$/.exec(text) ?? []
  if (number === undefined) throw new InvalidArgumentError('Expected a time such as 30d, 12h or 90m.')
  return Number(number) * { d: 86_400, h: 3600, m: 60 }[unit as 'd' | 'h' | 'm']
}

function removeCommand(): Command {
  return verb(
    'rm',
    'Forgets runs that are stored; the runs themselves are not touched, and come back when they are watched again.',
    NAMED,
  )
    .argument('<run...>', 'which runs')
    .option('--json', 'print which as JSON')
    .action(async (names: readonly string[], { json }: { json?: true }) => {
      const { findStoredRun } = await import('../lookback/find-stored-run.ts')
      await withStore((store) => {
        // All are looked up first: a misspelt one removes none.
        const runs = names.map((name) => findStoredRun(store.runs(), name))
        for (const { key, name } of runs) {
          store.remove(key)
          if (!json) process.stdout.write(`forgotten: ${plainText(name, 80)}\n`)
        }
        if (json) sayJson({ forgotten: runs.map(named) })
      })
    })
}

/** A run as a program knows it. */
function named({ run, name, path }: StoredRun) {
  return { run, name, path }
}

function rebuildCommand(): Command {
  const command = verb(
    'rebuild',
    'Makes the store anew from the runs themselves: those that it has, or those below some paths.',
    `Runs whose files are gone stay as they are stored, and are named. Tags and notes stay. What cannot be made again (tags and notes of a store that was
damaged) is in the file that was set aside.`,
  )
    .argument('[path...]', 'files and folders of runs; without them, those of the runs that are stored')
    .option('--json', 'print what was stored as JSON')
  return addAnalyzerOptions(command).action(
    async (given: readonly string[], flags: AnalyzerFlags & { json?: true }) => {
      const { json, ...check } = flags
      checkAnalyzerFlags(check)
      await withStore(async (store) => {
        const paths = given.length > 0 ? given : [...new Set(store.runs().map(({ path }) => path))]
        if (paths.length === 0)
          throw new TelltaleError('bad-usage', 'no run is stored: say where the runs are, as for telltale import')
        const imported = await importAll(paths, { store, check }, ({ run }) => {
          if (!json) process.stdout.write(`${plainText(run, 80)}\n`)
        })
        if (imported === null) return
        const problems = store.verify()
        if (json) sayJson({ ...imported, problems })
        else
          process.stdout.write(
            `${store.runs().length} runs, ${problems.length === 0 ? 'sound' : problems.join('; ')}\n`,
          )
        process.exitCode = imported.errors.length > 0 || problems.length > 0 ? 2 : 0
      })
    },
  )
}

function verifyCommand(): Command {
  return verb(
    'verify',
    'Looks whether the store is sound, and names the runs whose logs have holes.',
    `A hole is a sequence number of a log of ours whose line never came: it was dropped when the disk was full, or cut out since. The store is sound all the same.

Exit code 0: sound. 1: not.`,
  )
    .option('--json', 'print the problems and the holes as JSON')
    .action(async ({ json }: { json?: true }) => {
      await withStore((store) => {
        const problems = store.verify()
        process.exitCode = problems.length === 0 ? 0 : 1
        if (json) {
          const runs = problems.length === 0 ? store.runs() : []
          const holes = runs.filter(({ missingLines }) => missingLines > 0)
          sayJson({ problems, holes: holes.map((run) => ({ ...named(run), missingLines: run.missingLines })) })
          return
        }
        for (const problem of problems) process.stdout.write(`${plainText(problem)}\n`)
        for (const { name, path, missingLines } of problems.length === 0 ? store.runs() : [])
          if (missingLines > 0)
            process.stdout.write(
              `${plainText(name, 80)} (${plainText(path, 200)}): ${missingLines.toLocaleString('en')} ${missingLines === 1 ? 'line' : 'lines'} of its log never came\n`,
            )
        process.stdout.write(
          problems.length === 0
            ? `sound: ${store.runs().length} runs\n`
            : 'not sound: move it away, and say telltale rebuild PATH\n',
        )
      })
    })
}

function count(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new InvalidArgumentError('Expected a whole number above 0.')
}
