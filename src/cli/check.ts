import { Command, Option } from 'commander'
import type { CheckedPath } from '../check/check-path.ts'
import type { AlertKind, Severity } from '../detectors/detector.ts'
import type { TrainerName } from '../vocabulary/vocabulary.ts'
import { type AnalyzerFlags, addAnalyzerOptions, checkAnalyzerFlags } from './analyzer-options.ts'
import { sayJson } from './json-output.ts'
import { INTERRUPTED, readPaths } from './read-paths.ts'
import { ignoreOption, mapOption, pathsOfRuns, READS, RUNS_ARGUMENT, STORED, trainerOption } from './source-options.ts'
import { configOption, withConfig } from './with-config.ts'

interface CheckFlags extends AnalyzerFlags {
  readonly json?: true
  readonly failOn: Severity
  readonly ignore?: ReadonlySet<AlertKind>
  readonly trainer?: TrainerName
  readonly map?: ReadonlyMap<string, string>
}

/** Exit codes: 0 clean, 1 alerts at or above `--fail-on`, 2 unreadable input or bad usage, 130 interrupted. */
const CLEAN = 0
const ALERTS = 1
const UNREADABLE = 2

/** `telltale check PATH…`: sends recorded runs through the detectors; for scripts and CI. */
export function checkCommand(): Command {
  const command = new Command('check')
    .description('Sends recorded runs through the detectors and says what they find.')
    .argument('<path...>', RUNS_ARGUMENT)
    .option('--json', 'print the runs with alerts and coverage as JSON')
    .addOption(
      new Option('--fail-on <severity>', 'exit with 1 at an alert of this severity or above')
        .choices(['info', 'warning', 'critical'])
        .default('critical'),
    )
    .addOption(ignoreOption())
    .addOption(trainerOption())
    .addOption(mapOption())
    .addOption(configOption())
  return addAnalyzerOptions(command)
    .helpOption('-h, --help', 'show this help')
    .showHelpAfterError('(telltale check --help shows the options)')
    .exitOverride()
    .addHelpText(
      'after',
      `
${READS}
${STORED}

Examples:
  telltale check output/training_monitor              one run
  telltale check .telltale/runs --mode calibrated     all runs in a folder
  telltale check output                               what a TRL run left: trainer_state.json, what it printed
  telltale check train_log.jsonl --json               a trainer's own file
  telltale check @last                                the stored run that was seen last
  zcat old-run.jsonl.gz | telltale check -            from standard input
  telltale check runs --fail-on warning && deploy     in CI
  telltale check runs --ignore length-explosion       whose muted alerts fail nothing

Exit code 0: no alert at or above --fail-on. 1: at least one. 2: input that cannot be read, or bad usage.`,
    )
    .action(async (paths: readonly string[], flags: CheckFlags & { readonly config?: string }) => {
      process.exitCode = await check(paths, withConfig(flags, { acts: false }))
    })
}

async function check(paths: readonly string[], flags: CheckFlags): Promise<number> {
  const { json, failOn, ignore, trainer, map, ...options } = flags
  checkAnalyzerFlags(options)
  const { checkPath } = await import('../check/check-path.ts')
  const { hasAlert } = await import('../check/run-check.ts')
  const read = await readPaths(pathsOfRuns(paths), {
    read: (path, how) => checkPath(path, { check: { ...options, mute: ignore }, trainer, rename: map, ...how }),
    unreadable: (result) => result.unreadable,
    say: async (result) => {
      if (!json) await say(result)
    },
  })
  if (read === null) return INTERRUPTED
  const { results: checked, errors } = read
  const runs = checked.flatMap((result) => result.runs)
  if (json) {
    const damaged = checked.flatMap((result) => result.damaged.lines)
    const damagedCount = checked.reduce((sum, result) => sum + result.damaged.count, 0)
    sayJson({ runs, damaged, damagedCount, errors })
  }
  if (errors.length > 0) return UNREADABLE
  return runs.some((run) => hasAlert(run, failOn)) ? ALERTS : CLEAN
}

async function say(result: CheckedPath): Promise<void> {
  const { checkText } = await import('./check-text.ts')
  process.stdout.write(`${checkText(result, process.stdout, process.env).join('\n')}\n`)
}
