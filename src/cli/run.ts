import { Command, InvalidArgumentError, Option } from 'commander'
import { TelltaleError } from '../errors.ts'
import { addAnalyzerOptions, checkAnalyzerFlags } from './analyzer-options.ts'
import { bellOptions, ignoreOption, mapOption, stopOnOptions, trainerOption } from './source-options.ts'
import type { WatchFlags } from './watch.ts'
import { configOption, withConfig } from './with-config.ts'

interface RunFlags extends WatchFlags {
  readonly grace: number
  readonly capture?: true
  readonly path?: readonly string[]
}

/** `telltale run -- CMD…`: starts a training, watches what it writes, and passes on its exit code. */
export function runCommand(): Command {
  const [stopOn, noStopOn] = stopOnOptions(
    'end the training at a critical alert: SIGINT to all its processes, SIGTERM after the grace',
  )
  const [bell, noBell] = bellOptions()
  const command = new Command('run')
    .description('Starts a training, watches what it writes, and ends it at a critical alert if asked.')
    .argument('<command...>', 'the training and its arguments, behind two dashes')
    .option('--path <path>', 'where it writes; may be repeated (default: new runs below the current folder)', collect)
    .addOption(stopOn)
    .addOption(noStopOn)
    .addOption(
      new Option('--grace <time>', 'how long it may take to end, such as 90s or 5m')
        .argParser(duration)
        .default(120_000, '120s'),
    )
    .option('--dry-run', 'with --stop-on: only say what would be stopped')
    .option('--capture', 'send what it prints to a file, follow that, and show the run instead')
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
    .option('--json', 'print what happens as JSON lines on standard error')
    .addOption(trainerOption())
    .addOption(mapOption())
  return addAnalyzerOptions(command)
    .passThroughOptions()
    .helpOption('-h, --help', 'show this help')
    .showHelpAfterError('(telltale run --help shows the options)')
    .exitOverride()
    .addHelpText(
      'after',
      `
The training has the terminal, and no pipe stands between: if Telltale dies, it trains on. Its exit code is passed on; 128 and the number of
the signal where one ended it. Files that its output is redirected into are no runs, unless --path names them.

Examples:
  telltale run -- python train.py                              says when something goes wrong
  telltale run --stop-on critical -- accelerate launch grpo.py and ends it
  telltale run --capture --stop-on critical -- python train.py a trainer that only prints
  telltale run --path /data/run-7 --stop-on critical -- ./train.sh`,
    )
    .action(async (words: readonly string[], given: RunFlags & { readonly config?: string }) => {
      const flags = withConfig(given, { acts: true })
      if (flags.dryRun && !flags.stopOn) throw new TelltaleError('bad-usage', '--dry-run needs --stop-on critical')
      const { grace, capture, path, ...rest } = flags
      checkAnalyzerFlags(rest)
      const { runTraining } = await import('../watch/run-training.ts')
      process.exitCode = await runTraining({
        command: words,
        paths: path ?? [],
        graceMs: grace,
        capture: capture ?? false,
        flags: rest,
      })
    })
}

function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text]
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** A duration such as `120s`, in milliseconds. */
function duration(text: string): number {
  const [, count, unit = 's'] = /^(\d{1,9}(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? []
  if (count === undefined) throw new InvalidArgumentError('Expected a time such as 90s or 5m.')
  const ms = Number(count) * UNITS[unit]!
  // What a timer cannot wait for would not be waited for at all.
  if (ms > 2 ** 31 - 1) throw new InvalidArgumentError('Expected at most 24 days.')
  return ms
}
