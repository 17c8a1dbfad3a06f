import { Command, Option } from 'commander'
import type { CheckedPath, Unreadable } from '../check/check-path.ts'
import type { Severity } from '../detectors/detector.ts'
import { TelltaleError } from '../errors.ts'
import { createProgress } from '../outputs/terminal/progress.ts'
import { plainText } from '../text/plain-text.ts'
import type { TrainerName } from '../vocabulary/vocabulary.ts'
import { type AnalyzerFlags, addAnalyzerOptions, checkAnalyzerFlags } from './analyzer-options.ts'
import { mapOption, READS, trainerOption } from './source-options.ts'

interface CheckFlags extends AnalyzerFlags {
  readonly json?: true
  readonly failOn: Severity
  readonly trainer?: TrainerName
  readonly map?: ReadonlyMap<string, string>
}

/** Exit codes: 0 clean, 1 alerts at or above `--fail-on`, 2 unreadable input or bad usage, 130 interrupted. */
const CLEAN = 0
const ALERTS = 1
const UNREADABLE = 2
const INTERRUPTED = 130

/** Inputs from this size on show how far they are. */
const LONG_INPUT_BYTES = 4 * 1024 * 1024

/** `telltale check PATH…`: sends recorded runs through the detectors; for scripts and CI. */
export function checkCommand(): Command {
  const command = new Command('check')
    .description('Sends recorded runs through the detectors and says what they find.')
    .argument('<path...>', 'files and folders of runs, folders of them, or - for standard input')
    .option('--json', 'print the runs with alerts and coverage as JSON')
    .addOption(
      new Option('--fail-on <severity>', 'exit with 1 at an alert of this severity or above')
        .choices(['info', 'warning', 'critical'])
        .default('critical'),
    )
    .addOption(trainerOption())
    .addOption(mapOption())
  return addAnalyzerOptions(command)
    .helpOption('-h, --help', 'show this help')
    .showHelpAfterError('(telltale check --help shows the options)')
    .exitOverride()
    .addHelpText(
      'after',
      `
${READS}

Examples:
  telltale check output/training_monitor              one run
  telltale check .telltale/runs --mode calibrated     all runs in a folder
  telltale check output                               what a TRL run left: trainer_state.json, what it printed
  telltale check train_log.jsonl --json               a trainer's own file
  zcat old-run.jsonl.gz | telltale check -            from standard input
  telltale check runs --fail-on warning && deploy     in CI

Exit code 0: no alert at or above --fail-on. 1: at least one. 2: input that cannot be read, or bad usage.`,
    )
    .action(async (paths: readonly string[], flags: CheckFlags) => {
      process.exitCode = await check(paths, flags)
    })
}

async function check(paths: readonly string[], flags: CheckFlags): Promise<number> {
  if (paths.filter((path) => path === '-').length > 1) {
    throw new TelltaleError('bad-usage', 'standard input (-) can be read once')
  }
  const { json, failOn, trainer, map, ...options } = flags
  checkAnalyzerFlags(options)
  const { checkPath } = await import('../check/check-path.ts')
  const { hasAlert } = await import('../check/run-check.ts')
  const controller = new AbortController()
  const onInterrupt = () => controller.abort()
  process.once('SIGINT', onInterrupt)
  const checked: CheckedPath[] = []
  const errors: Unreadable[] = []
  const refuse = (one: Unreadable) => {
    errors.push(one)
    process.stderr.write(`telltale: ${plainText(one.problem)} [not-readable]\n`)
  }
  try {
    for (const path of paths) {
      let progress: ReturnType<typeof progressFor> = null
      try {
        const result = await checkPath(path, {
          check: options,
          trainer,
          rename: map,
          onSize: (bytes) => {
            progress = progressFor(path, bytes)
          },
          stdin: process.stdin,
          signal: controller.signal,
          onBytes: (bytes) => progress?.add(bytes),
        })
        ended(progress, 'done')
        checked.push(result)
        if (!json) await say(result)
        for (const one of result.unreadable) refuse(one)
      } catch (error) {
        ended(progress, 'close')
        if (controller.signal.aborted) {
          process.stderr.write('telltale: interrupted; nothing was changed\n')
          return INTERRUPTED
        }
        if (!(error instanceof TelltaleError && error.code === 'not-readable')) throw error
        refuse({ path, problem: error.message })
      }
    }
  } finally {
    process.off('SIGINT', onInterrupt)
  }
  const runs = checked.flatMap((result) => result.runs)
  if (json) {
    const damaged = checked.flatMap((result) => result.damaged.lines)
    const damagedCount = checked.reduce((sum, result) => sum + result.damaged.count, 0)
    process.stdout.write(`${harmless(JSON.stringify({ runs, damaged, damagedCount, errors }, finite, 2))}\n`)
  }
  if (errors.length > 0) return UNREADABLE
  return runs.some((run) => hasAlert(run, failOn)) ? ALERTS : CLEAN
}

async function say(result: CheckedPath): Promise<void> {
  const { checkText } = await import('./check-text.ts')
  process.stdout.write(`${checkText(result, process.stdout, process.env).join('\n')}\n`)
}

/** The progress is made in a callback, which the type checker does not see. */
function ended(progress: ReturnType<typeof progressFor>, how: 'done' | 'close'): void {
  progress?.[how]()
}

/** How far a long input is, on a terminal. */
function progressFor(path: string, bytes: number): { add(bytes: number): void; done(): void; close(): void } | null {
  if (!process.stderr.isTTY || bytes < LONG_INPUT_BYTES) return null
  const megabytes = (count: number) => Math.round(count / 1e6)
  const progress = createProgress({ stream: process.stderr })
  let read = 0
  progress.start(`Reading ${path}`, megabytes(bytes))
  return {
    add(more) {
      read += more
      progress.update(megabytes(read), 'MB')
    },
    done() {
      progress.done(`${megabytes(read)} MB`)
      progress.close()
    },
    close: () => progress.close(),
  }
}

/** JSON has no infinite numbers and no NaN: they are written as texts, as in the log. */
function finite(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

/** The same JSON, without characters that a terminal would act on or that would hide what it says. */
function harmless(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
