import { Argument, Command } from 'commander'
import { ALERT_KINDS, type AlertKind } from '../detectors/detector.ts'
import type { TrainerName } from '../vocabulary/vocabulary.ts'
import { type AnalyzerFlags, addAnalyzerOptions, checkAnalyzerFlags } from './analyzer-options.ts'
import { sayJson } from './json-output.ts'
import { INTERRUPTED, readPaths } from './read-paths.ts'
import { mapOption, pathsOfRuns, READS, STORED, trainerOption } from './source-options.ts'

interface ExplainFlags extends Omit<AnalyzerFlags, 'mode'> {
  readonly json?: true
  readonly trainer?: TrainerName
  readonly map?: ReadonlyMap<string, string>
}

/** `telltale explain PATH [KIND]`: why there is an alert, or none. */
export function explainCommand(): Command {
  const command = new Command('explain')
    .description('Says why there is an alert in a run, or none: what the detectors compared, over the whole run.')
    .argument('<path>', 'a file or folder of runs, a run that is stored (a name, or @last), or - for standard input')
    .addArgument(new Argument('[kind]', 'only this kind of failure, with a chart').choices(ALERT_KINDS))
    .option('--json', 'print the statistics with their thresholds as JSON')
    .addOption(trainerOption())
    .addOption(mapOption())
  return addAnalyzerOptions(command, { mode: false })
    .helpOption('-h, --help', 'show this help')
    .showHelpAfterError('(telltale explain --help shows the options)')
    .exitOverride()
    .addHelpText(
      'after',
      `
${READS}
${STORED}

The detectors of mode calibrated compare a statistic, in standard errors, with thresholds that follow from the rate of false alarms
(--false-alarm-rate); exact rules count iterations in a row.

Examples:
  telltale explain output                            every kind of failure, a line or two each
  telltale explain output kl-explosion               one of them, with its curve
  telltale explain @last                             the stored run that was seen last
  telltale explain output --false-alarm-rate 0.1     nearer to what a bolder setting would say
  telltale explain output --json | jq '.runs[].kinds[].statistics'

Exit code 0: explained. 2: input that cannot be read, or bad usage.`,
    )
    .action(async (path: string, kind: AlertKind | undefined, flags: ExplainFlags) => {
      process.exitCode = await explain(path, kind ?? null, flags)
    })
}

async function explain(path: string, kind: AlertKind | null, flags: ExplainFlags): Promise<number> {
  const { json, trainer, map, ...check } = flags
  checkAnalyzerFlags({ ...check, mode: 'calibrated' })
  const { explainPath } = await import('../inspect/explain-path.ts')
  const { explainText } = await import('../inspect/explain-text.ts')
  const read = await readPaths(pathsOfRuns([path]), {
    read: (one, how) => explainPath(one, { check, trainer, rename: map, ...how }, kind),
    unreadable: ({ checked }) => checked.unreadable,
    say: async ({ runs }) => {
      if (!json) process.stdout.write(`${explainText(runs, kind !== null, process.stdout, process.env).join('\n')}\n`)
    },
  })
  if (read === null) return INTERRUPTED
  if (json) {
    const runs = read.results.flatMap((result) => result.runs)
    sayJson({
      runs: runs.map(
        ({
          run: { run, path: place, source, trainer: whose, iterations, loggedIterations, preset, coverage },
          kinds,
        }) => ({
          ...{ run, path: place, source, trainer: whose, iterations, loggedIterations, preset },
          kinds,
          coverage,
        }),
      ),
      errors: read.errors,
    })
  }
  return read.errors.length > 0 ? 2 : 0
}
