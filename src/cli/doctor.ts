import { Command } from 'commander'
import { systemClock } from '../time.ts'
import type { TrainerName } from '../vocabulary/vocabulary.ts'
import { sayJson } from './json-output.ts'
import { INTERRUPTED, readPaths } from './read-paths.ts'
import { mapOption, pathsOfRuns, READS, RUNS_ARGUMENT, STORED, trainerOption } from './source-options.ts'

interface DoctorFlags {
  readonly json?: true
  readonly trainer?: TrainerName
  readonly map?: ReadonlyMap<string, string>
}

/** `telltale doctor [PATH…]`: what can be seen, and what would have to be logged to see more. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'Says what a run logs, what can be judged of it, and how to log the rest; without a path, looks at this machine.',
    )
    .argument('[path...]', RUNS_ARGUMENT)
    .option('--json', 'print it as JSON')
    .addOption(trainerOption())
    .addOption(mapOption())
    .helpOption('-h, --help', 'show this help')
    .showHelpAfterError('(telltale doctor --help shows the options)')
    .exitOverride()
    .addHelpText(
      'after',
      `
${READS}
${STORED}

Examples:
  telltale doctor            this machine: Node, libraries, the terminal, the data folder, the Python client
  telltale doctor output     what was found, whose run it is, which failures can be seen, and the trainer's options for the others
  telltale doctor @last      the same of the stored run that was seen last

Exit code 0: looked. 1: something of this machine does not work. 2: input that cannot be read, or bad usage.`,
    )
    .action(async (paths: readonly string[], flags: DoctorFlags) => {
      process.exitCode = paths.length === 0 ? await machine(flags) : await runs(paths, flags)
    })
}

async function machine({ json }: DoctorFlags): Promise<number> {
  const { doctorMachine } = await import('../inspect/doctor-machine.ts')
  const { machineText } = await import('../inspect/doctor-text.ts')
  const checks = await doctorMachine({ env: process.env, stream: process.stdout, clock: systemClock })
  if (json) sayJson({ machine: checks })
  else process.stdout.write(`${machineText(checks, process.stdout, process.env).join('\n')}\n`)
  return checks.some(({ state }) => state === 'problem') ? 1 : 0
}

async function runs(paths: readonly string[], { json, trainer, map }: DoctorFlags): Promise<number> {
  const { doctorPath } = await import('../inspect/doctor-path.ts')
  const { runsText } = await import('../inspect/doctor-text.ts')
  const read = await readPaths(pathsOfRuns(paths), {
    read: (path, how) => doctorPath(path, { check: {}, trainer, rename: map, ...how }),
    unreadable: ({ checked }) => checked.unreadable,
    say: async (result) => {
      if (!json) process.stdout.write(`${runsText(result.runs, process.stdout, process.env).join('\n')}\n`)
    },
  })
  if (read === null) return INTERRUPTED
  if (json) {
    const found = read.results.flatMap((result) => result.runs)
    sayJson({
      runs: found.map(({ run: { run, path, source, iterations, status, preset }, ...rest }) => ({
        ...{ run, path, source, iterations, status, preset },
        ...rest,
      })),
      errors: read.errors,
    })
  }
  return read.errors.length > 0 ? 2 : 0
}
