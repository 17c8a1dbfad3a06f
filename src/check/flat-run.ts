/**
 * Flat lines of a run as lines of the wire format: the points of one step are one iteration, which closes when a later step begins or the
 * file ends.
 *
 * @module
 */
import type { FlatLine } from '../log/flat-line.ts'
import type { WireLine } from '../log/wire.ts'
import { recognizeTrainer, type TrainerName } from '../vocabulary/vocabulary.ts'

/** Steps that are looked at to recognise the trainer by the names that it logs. */
const STEPS_TO_RECOGNISE = 50

interface Step {
  readonly step: number
  readonly time: number
  readonly metrics: Record<string, number>
  metadata: Record<string, unknown>
}

/** Turns flat lines into wire lines. */
export interface FlatRun {
  take(line: FlatLine): void
  /** The file has ended. */
  end(): void
}

/** @param emit takes the lines of the run `run` in order. */
export function flatRun(run: string, emit: (line: WireLine) => void): FlatRun {
  let open: Step | null = null
  let waiting: Step[] | null = []
  let seq = 0

  const head = (time: number) => ({ v: 1 as const, run, writer: 'flat', seq: ++seq, time })

  function close(step: Step): void {
    if (waiting === null) {
      send(step)
      return
    }
    waiting.push(step)
    if (waiting.length >= STEPS_TO_RECOGNISE) begin()
  }

  function begin(): void {
    if (waiting === null) return
    const steps = waiting
    waiting = null
    const names = new Set(steps.flatMap(({ metrics }) => Object.keys(metrics)))
    const trainer: TrainerName = recognizeTrainer(names)
    emit({ ...head(steps[0]?.time ?? 0), type: 'run', attempt: 1, trainer })
    for (const step of steps) send(step)
  }

  function send({ step, time, metrics, metadata }: Step): void {
    emit({ ...head(time), type: 'event', phase: 'iteration_end', iteration: step, metrics, metadata })
  }

  return {
    take(line) {
      if (open !== null && open.step !== line.step) {
        close(open)
        open = null
      }
      if (open === null) {
        open = {
          step: line.step,
          time: line.time ?? 0,
          metrics: Object.assign(Object.create(null), line.metrics),
          metadata: line.metadata,
        }
        return
      }
      for (const name of Object.keys(line.metrics)) open.metrics[name] = line.metrics[name]!
      open.metadata = { ...open.metadata, ...line.metadata }
    },
    end() {
      if (open !== null) close(open)
      open = null
      begin()
    },
  }
}
