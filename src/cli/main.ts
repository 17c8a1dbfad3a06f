#!/usr/bin/env node
/**
 * The `telltale` command: one file a verb, loaded when it is asked for.
 *
 * Exit codes: 0 all right, 1 the thing asked for failed (or a check found alerts), 2 bad usage, 130 and 143 ended by a signal.
 *
 * @module
 */
import { Command, CommanderError } from 'commander'
import { errorMessage, TelltaleError } from '../errors.ts'
import { TELLTALE_VERSION } from '../version.ts'
import { checkCommand } from './check.ts'
import { demoCommand } from './demo.ts'
import { doctorCommand } from './doctor.ts'
import { explainCommand } from './explain.ts'
import { mcpCommand } from './mcp.ts'
import { notifyCommand } from './notify.ts'
import { reportCommand } from './report.ts'
import { runCommand } from './run.ts'
import { storedRunsCommands } from './stored-runs.ts'
import { watchCommand } from './watch.ts'

/** Error codes that mean that the user asked for something that cannot be. */
const USAGE_CODES: ReadonlySet<string> = new Set(['bad-option', 'bad-usage', 'not-writable', 'not-readable'])

function program(): Command {
  const command = new Command('telltale')
    .description(
      'Watches RLHF and Constitutional AI training, says early when quality degrades, and stops the run when it must.',
    )
    .version(TELLTALE_VERSION, '--version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .enablePositionalOptions()
    .helpCommand(false)
    .showHelpAfterError('(telltale --help shows what there is)')
    .addCommand(demoCommand())
    .addCommand(watchCommand())
    .addCommand(runCommand())
    .addCommand(checkCommand())
    .addCommand(doctorCommand())
    .addCommand(explainCommand())
    .addCommand(reportCommand())
    .addCommand(notifyCommand())
    .exitOverride()
  for (const one of [...storedRunsCommands(), mcpCommand()]) command.addCommand(one)
  return command
}

async function main(): Promise<number> {
  const command = program()
  try {
    // A bare `telltale` is somebody who wants to know what there is.
    if (process.argv.length <= 2) {
      command.outputHelp()
      return 0
    }
    await command.parseAsync(process.argv)
    return process.exitCode === undefined ? 0 : Number(process.exitCode)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (error instanceof TelltaleError) {
      process.stderr.write(`telltale: ${printable(error.message)} [${error.code}]\n`)
      return USAGE_CODES.has(error.code) ? 2 : 1
    }
    process.stderr.write(`telltale: ${printable(errorMessage(error))}\n`)
    if (error instanceof Error && error.stack && process.env.TELLTALE_DEBUG) process.stderr.write(`${error.stack}\n`)
    return 1
  }
}

/** Messages may quote what came from outside; they must not write terminal escapes. */
function printable(message: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this takes out
  return message.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '?')
}

/** `telltale … | head` is no failure; a full disk is, and not the 1 by which a check says that it found alerts. */
function outputFailed(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') return
  try {
    process.stderr.write(`telltale: the output cannot be written: ${printable(errorMessage(error))}\n`)
  } finally {
    process.exit(2)
  }
}

process.stdout.on('error', outputFailed)
process.stderr.on('error', outputFailed)
process.exitCode = await main()
