import { Command } from 'commander'
import { TelltaleError } from '../errors.ts'
import type { WatchActions } from '../watch/watch-in-terminal.ts'
import { type AnalyzerFlags, addAnalyzerOptions, checkAnalyzerFlags } from './analyzer-options.ts'
import { bellOptions, ignoreOption, mapOption, READS, stopOnOptions, trainerOption } from './source-options.ts'
import { configOption, withConfig } from './with-config.ts'

/** What `watch` and `run` have in common. */
export type WatchFlags = AnalyzerFlags & WatchActions

/** `telltale watch PATH…`: follows every run below the paths, live. */
export function watchCommand(): Command {
  const [stopOn, noStopOn] = stopOnOptions('order a run of a Telltale client to stop at a critical alert')
  const [bell, noBell] = bellOptions()
  const command = new Command('watch')
    .description('Follows the runs below some paths while they train, shows them, and says when one goes wrong.')
    .argument('<path...>', 'files and folders of runs, folders of them, or - for standard input')
    .addOption(stopOn)
    .addOption(noStopOn)
    .option('--dry-run', 'with --stop-on: only say what would be stopped')
    .option(
      '--on-critical <command>',
      'start this at a critical alert, with the alert as JSON on its standard input (no shell)',
    )
    .option('--on-alert <command>', 'the same for every alert, and when one has passed')
    .addOption(bell)
    .addOption(noBell)
    .option('--no-store', 'keep nothing of the runs for telltale ls and show')
    .addOption(ignoreOption())
    .addOption(configOption())
    .option('--json', 'print what happens as JSON, a line each')
    .addOption(trainerOption())
    .addOption(mapOption())
  return addAnalyzerOptions(command)
    .helpOption('-h, --help', 'show this help')
    .showHelpAfterError('(telltale watch --help shows the options)')
    .exitOverride()
    .addHelpText(
      'after',
      `
${READS}
Runs that appear later are followed, too. What is seen is kept in .telltale/telltale.db of the current folder (or TELLTALE_DIR) for telltale ls and
show; beside the runs nothing is written but what --stop-on orders. The training does not notice.

Examples:
  telltale watch ./output                               beside a TRL run, whose output_dir this is
  telltale watch runs --on-critical "./page-me.sh ml"   all runs of a folder; somebody is called
  python train.py 2>&1 | tee log | telltale watch -     what it prints
  telltale watch runs --stop-on critical --dry-run      what would have been stopped

Ctrl-C ends the watching, not the training.`,
    )
    .action(async (paths: readonly string[], given: WatchFlags & { readonly config?: string }) => {
      const flags = withConfig(given, { acts: true, watched: paths })
      if (flags.dryRun && !flags.stopOn) throw new TelltaleError('bad-usage', '--dry-run needs --stop-on critical')
      if (paths.filter((path) => path === '-').length > 1)
        throw new TelltaleError('bad-usage', 'standard input (-) can be read once')
      checkAnalyzerFlags(flags)
      const { watchInTerminal } = await import('../watch/watch-in-terminal.ts')
      process.exitCode = await watchInTerminal({ paths, flags })
    })
}
