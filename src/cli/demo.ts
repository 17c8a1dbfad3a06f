import { Command, Option } from 'commander'
import { SCENARIOS, type Scenario } from '../demo/scenarios.ts'
import { TelltaleError } from '../errors.ts'
import { integerOption, npmSwallowed } from './options.ts'

interface DemoFlags {
  readonly verbose?: true
  readonly outputDir: string
  readonly iterations: number
  readonly batchSize: number
  readonly seed: number
  readonly scenario: Scenario
  readonly earlyStop: boolean
}

/** `telltale demo`: Constitutional AI in miniature, trained for real and watched by every part of Telltale. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('Trains a small language model with PPO from AI feedback on a written constitution, and watches it.')
    .option('--verbose', 'a full panel instead of one line, and the mechanics of PPO in the report')
    .option('--output-dir <dir>', 'where log, checkpoints, plots and reports go', 'output/training_monitor')
    .option('--iterations <n>', 'PPO iterations, 1 to 10,000', integerOption(1, 10_000), 120)
    .option('--batch-size <n>', 'prompts an iteration, 2 to 256', integerOption(2, 256), 32)
    .option('--seed <n>', 'seed of everything random, 0 to 4,294,967,295', integerOption(0, 2 ** 32 - 1), 1)
    .addOption(
      new Option('--scenario <name>', 'what is wrong with the training, if anything (docs/scenarios.md)')
        .choices(SCENARIOS)
        .default('reward-hacking'),
    )
    .option('--no-early-stop', 'go on after a critical alert, to see what the stop prevents')
    .helpOption('-h, --help', 'show this help')
    .showHelpAfterError('(telltale demo --help shows the options)')
    .exitOverride()
    .allowExcessArguments(true)
    .addHelpText(
      'after',
      `
Examples:
  telltale demo                          a run that games its reward: watch it being caught
  telltale demo --scenario healthy       the same world with a KL penalty: nothing to stop
  telltale demo --scenario sign-flip     one of the mistakes that people make
  telltale demo --verbose                with tables, trends and the newest answers
  npm run demo -- --verbose              the same through npm (mind the two dashes)

docs/scenarios.md shows every scenario: its cause, its curves, and what Telltale says of it.
Ctrl-C stops after the iteration and still writes plots and a report; once more ends at once.`,
    )
    .action(async (flags: DemoFlags, command: Command) => {
      const swallowed = npmSwallowed(
        'demo',
        ['verbose', 'output-dir', 'iterations', 'batch-size', 'seed', 'scenario'],
        process.env,
      )
      if (command.args.length > 0) {
        const stray = command.args.map((argument) => JSON.stringify(argument.slice(0, 80))).join(' ')
        const hint = swallowed ?? 'Options begin with two dashes: telltale demo --help shows them.'
        throw new TelltaleError('bad-option', `unexpected argument ${stray}. ${hint}`)
      }
      if (swallowed) process.stderr.write(`telltale: ${swallowed}\n`)
      const { runDemo } = await import('../demo/run-demo.ts')
      const signal = await runDemo({ ...flags, verbose: flags.verbose ?? false })
      // The usual codes, so that a script sees that the run was cut short.
      if (signal) process.exitCode = signal === 'SIGINT' ? 130 : 143
    })
}
