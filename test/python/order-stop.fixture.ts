import { existsSync, readdirSync } from 'node:fs'
import { writeControlFile } from '../../src/log/control-file.ts'
import { newReadReport } from '../../src/log/read-report.ts'
import { readRun } from '../../src/log/read-run.ts'

/** Waits until a run has closed some iterations, then orders its process to stop; returns the newest iteration at that time. */
export async function orderStop(
  run: string,
  name: string,
  iterations: number,
  running: () => boolean,
): Promise<number> {
  for (;;) {
    const found = await newestOf(run)
    if (found && found.iteration >= iterations) {
      writeControlFile(run, {
        run: name,
        writer: found.writer,
        reason: 'told to',
        iteration: found.iteration,
        rollbackTo: 1,
        time: 1,
      })
      return found.iteration
    }
    if (!running()) throw new Error(`the training ended before ${name} could be stopped`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function newestOf(run: string): Promise<{ readonly writer: string; readonly iteration: number } | null> {
  if (!existsSync(run) || !readdirSync(run).some((file) => file.endsWith('.jsonl'))) return null
  let newest = null
  for await (const line of readRun(run, newReadReport())) {
    if (line.type === 'event' && line.phase === 'iteration_end')
      newest = { writer: line.writer, iteration: line.iteration }
  }
  return newest
}
