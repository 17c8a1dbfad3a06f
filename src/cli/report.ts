import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { Command } from 'commander'
import { pathOfRun } from '../lookback/path-of-run.ts'
import { existingStore } from '../stores/open-store.ts'
import { plainText } from '../text/plain-text.ts'
import type { TrainerName } from '../vocabulary/vocabulary.ts'
import { type AnalyzerFlags, addAnalyzerOptions, checkAnalyzerFlags } from './analyzer-options.ts'
import { sayJson } from './json-output.ts'
import { INTERRUPTED, readPaths } from './read-paths.ts'
import { mapOption, READS, trainerOption } from './source-options.ts'

interface ReportFlags extends AnalyzerFlags {
  readonly outputDir: string
  readonly json?: true
  readonly trainer?: TrainerName
  readonly map?: ReadonlyMap<string, string>
}

/** `telltale report PATH`: plots and reports of any run. */
export function reportCommand(): Command {
  const command = new Command('report')
    .description('Draws the plots of a run and writes its report as Markdown, JSON and HTML.')
    .argument('<path>', 'a file or folder of runs, a run that is stored (its name, or @last), or - for standard input')
    .option(
      '--output-dir <folder>',
      'where the files go; with a folder of runs, a folder in it each',
      'telltale-report',
    )
    .option('--json', 'print what was written as JSON')
    .addOption(trainerOption())
    .addOption(mapOption())
  return addAnalyzerOptions(command)
    .helpOption('-h, --help', 'show this help')
    .showHelpAfterError('(telltale report --help shows the options)')
    .exitOverride()
    .addHelpText(
      'after',
      `
${READS}
A run that still goes on is reported as it is now. The run itself is only read.

Examples:
  telltale report output                               every run below output/, into telltale-report/<run>/
  telltale report train_log.jsonl --output-dir docs    one file, into docs/
  telltale report run --mode threshold                 judged by the fixed rules

Writes loss_curves, rewards, kl_divergence, quality_metrics and ppo_mechanics as PNG and SVG, training_report.md, .json and .html.
Exit code 0: written. 1: written but for figures that could not be drawn. 2: input that cannot be read, or bad usage.`,
    )
    .action(async (path: string, flags: ReportFlags) => {
      process.exitCode = await report(path, flags)
    })
}

function say(text: string): void {
  process.stderr.write(`telltale: ${plainText(text)}\n`)
}

async function report(path: string, flags: ReportFlags): Promise<number> {
  const { outputDir, json, trainer, map, ...check } = flags
  checkAnalyzerFlags(check)
  const { reportPath } = await import('../inspect/report-path.ts')
  const place = pathOfRun(path, () => existingStore(process.env, say))
  const read = await readPaths([place], {
    read: (one, how) =>
      reportPath(one, {
        check,
        trainer,
        rename: map,
        outputDir,
        folderEach: statSync(one, { throwIfNoEntry: false })?.isDirectory() ?? false,
        onReported({ run, folder, files, failures }) {
          if (json) return
          process.stdout.write(
            `${plainText(run, 80)}: ${plainText(folder, 300)}\n${files.map((file) => `  ${basename(file)}\n`).join('')}`,
          )
          for (const failure of failures)
            process.stderr.write(`telltale: ${plainText(run, 80)}: could not be drawn: ${plainText(failure, 300)}\n`)
        },
        ...how,
      }),
    unreadable: ({ checked }) => checked.unreadable,
    say: async () => {},
  })
  if (read === null) return INTERRUPTED
  const reported = read.results.flatMap((result) => result.reported)
  if (json) sayJson({ runs: reported, errors: read.errors })
  if (read.errors.length > 0) return 2
  return reported.some(({ failures }) => failures.length > 0) ? 1 : 0
}
