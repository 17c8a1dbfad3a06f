/**
 * From what files say to lines of the wire format: the points of one step are one iteration, which closes when a later step's come, at an end,
 * or where a finished file ends. Never by the time that has passed.
 *
 * @module
 */
import { MAX_SAMPLES } from '../log/encode.ts'
import type { WireLine } from '../log/wire.ts'
import { recognizeTrainer, type TrainerName } from '../vocabulary/vocabulary.ts'
import type { SourceRecord } from './source.ts'

/** Steps that are looked at to recognise the trainer by the names that it logs. */
const STEPS_TO_RECOGNISE = 50
/** Names of which it is remembered when they came last. */
const MAX_NAMES = 4000
/** Steps whose answers came before their numbers. */
const MAX_EARLY_SAMPLES = 64

/** How records become lines. */
export interface AssembleOptions {
  /** Id of the run, 1 to 64 letters, digits, `_` or `-`. */
  readonly run: string
  readonly name?: string | undefined
  /** Takes the lines in order. */
  readonly emit: (line: WireLine) => void
  /** The trainer, where somebody has said it; recognised by its names otherwise. */
  readonly trainer?: TrainerName | undefined
  /** New names of metrics by their old ones. */
  readonly rename?: ReadonlyMap<string, string> | undefined
  /** Unix seconds for what has no time of its own, where the run is followed live; the newest time of the file otherwise. */
  readonly now?: (() => number) | undefined
  /** Of an earlier assembler of the same run, to go on from. */
  readonly saved?: AssemblerState | undefined
}

/** What transformers log once, when the training is over, whatever the tracker. */
const SUMMARY_NAMES = ['train_runtime', 'train/train_runtime']

/** Makes lines of records. */
export interface Assembler {
  take(record: SourceRecord): void
  /** Takes what another file of the run says: answers and checkpoints, but neither numbers nor an end. */
  takeBeside(record: SourceRecord): void
  /** There is nothing more for now: what the open iteration has is given, so that it can be shown. It stays open. */
  flush(): void
  /** Nothing follows: the open iteration closes. */
  end(): void
  /** The step whose iteration is open, or null. */
  readonly openStep: number | null
  /** The trainer by whose names the lines are to be read, once they are given. */
  readonly trainer: TrainerName | null
  /** Whether names that came later than a {@link Assembler.flush} show that it was another trainer: the run has to be assembled again. */
  readonly misjudged: boolean
  /** All that it knows, to go on from in another process. */
  save(): AssemblerState
}

/** What an {@link Assembler} knows. */
export interface AssemblerState {
  readonly open: OpenStep | null
  readonly waiting: readonly WaitingLine[] | null
  readonly trainer: TrainerName | null
  readonly stepsSeen: number
  readonly names: ReadonlySet<string>
  readonly name: string | undefined
  readonly project: string | undefined
  readonly config: Readonly<Record<string, unknown>>
  readonly newest: ReadonlyMap<string, number>
  readonly early: ReadonlyMap<number, Answers>
  readonly attempt: number
  readonly attemptDue: boolean
  readonly ended: boolean
  readonly endDue: boolean
  readonly time: number
  readonly seq: number
}

interface WaitingLine {
  readonly body: Body
  readonly time: number
}

interface Answers {
  prompts: string[]
  responses: string[]
  rewards: number[]
}

interface OpenStep {
  readonly step: number
  time: number
  /** What was not given yet: a record of the source where it is all that came, which is not written to. */
  metrics: Readonly<Record<string, number>>
  fresh: boolean
  answers: Answers | null
}

const NOTHING: Readonly<Record<string, number>> = Object.freeze(Object.create(null))

/** What a line says beside its head. */
type Body = DistributiveOmit<WireLine, 'v' | 'run' | 'writer' | 'seq' | 'time'>
type DistributiveOmit<Line, Names extends PropertyKey> = Line extends unknown ? Omit<Line, Names> : never

export function assemble(options: AssembleOptions): Assembler {
  const { run, emit, rename, now, saved } = options
  // A name of a metric may be anything, `__proto__` too.
  let open: OpenStep | null = saved?.open
    ? { ...saved.open, metrics: saved.open.fresh ? both(NOTHING, saved.open.metrics) : NOTHING }
    : null
  /** Lines that wait until the trainer is known; null once it is. */
  let waiting: WaitingLine[] | null = saved ? saved.waiting && [...saved.waiting] : []
  let trainer: TrainerName | null = saved?.trainer ?? null
  let misjudged = false
  let stepsSeen = saved?.stepsSeen ?? 0
  const names = new Set<string>(saved?.names)
  let name = saved?.name ?? options.name
  let project: string | undefined = saved?.project
  let config: Record<string, unknown> = saved?.config ?? {}
  /** When each name came last, to tell a run that fell back from a value that comes late. */
  const newest = new Map<string, number>(saved?.newest)
  const early = new Map<number, Answers>(saved?.early)
  let attempt = saved?.attempt ?? 1
  let attemptDue = saved?.attemptDue ?? false
  let ended = saved?.ended ?? false
  /** Whether the summary of a training that is over was read; the rest of it may follow. */
  let endDue = saved?.endDue ?? false
  let time = saved?.time ?? 0
  let seq = saved?.seq ?? 0

  function send(body: Body, at: number): void {
    emit({ v: 1, run, writer: 'source', seq: ++seq, time: at, ...body } as WireLine)
  }

  function give(body: Body, at: number): void {
    if (waiting === null) send(body, at)
    else waiting.push({ body, time: at })
  }

  function begin(): void {
    if (waiting === null) return
    const lines = waiting
    waiting = null
    trainer = options.trainer ?? recognizeTrainer(names)
    const at = lines[0]?.time ?? open?.time ?? time
    // An alert asks nobody to stop here: the training does not hear of it.
    send(
      {
        type: 'run',
        attempt: 1,
        trainer,
        earlyStop: 'off',
        ...(name ? { name } : {}),
        ...(project ? { project } : {}),
      } as Body,
      at,
    )
    if (Object.keys(config).length > 0) {
      const steps = config.max_steps
      const total = typeof steps === 'number' && steps > 0 ? { totalIterations: steps } : {}
      send({ type: 'event', phase: 'training_start', iteration: 0, metadata: { config, ...total } } as Body, at)
    }
    for (const line of lines) send(line.body, line.time)
  }

  /** The time of a record; of one that says none, now or the newest. */
  function timeOf(said: number | null): number {
    time = said ?? now?.() ?? time
    return time
  }

  function event(phase: string, iteration: number, at: number, fields: object): void {
    give({ type: 'event', phase, iteration, ...fields } as Body, at)
  }

  /** Gives what the open step has and has not given yet. */
  function giveOpen(phase: 'policy_update' | 'iteration_end'): void {
    if (open === null) return
    const { step, time: at, answers, metrics, fresh } = open
    if (answers !== null && answers.responses.length > 0)
      event('response_generated', step, at, { metadata: metadataOf(answers) })
    if (phase === 'iteration_end' || fresh) event(phase, step, at, { metrics })
    open = { step, time: at, metrics: NOTHING, fresh: false, answers: null }
  }

  function close(): void {
    if (open === null) return
    giveOpen('iteration_end')
    open = null
    if (++stepsSeen >= STEPS_TO_RECOGNISE) begin()
  }

  function openAt(step: number, at: number): OpenStep {
    if (open !== null && open.step === step) {
      if (open.time < at) open.time = at
      return open
    }
    close()
    if (attemptDue || ended) beginAttempt(at)
    const answers = early.get(step) ?? null
    for (const one of early.keys()) if (one <= step) early.delete(one)
    open = { step, time: at, metrics: NOTHING, fresh: false, answers }
    return open
  }

  function beginAttempt(at: number): void {
    attemptDue = false
    ended = false
    newest.clear()
    attempt++
    give({ type: 'run', attempt } as Body, at)
  }

  /** A step before the open one: the run fell back where series that had passed it begin again; one value may come late. */
  function fellBack(step: number, metrics: Readonly<Record<string, number>>): boolean {
    if (open === null || step >= open.step - 1) return false
    const logged = Object.keys(metrics)
    const again = logged.filter((one) => (newest.get(one) ?? -1) >= step)
    return again.length > 0 && again.length * 2 >= logged.length
  }

  function takePoints(step: number, said: number | null, metrics: Readonly<Record<string, number>>): void {
    const at = timeOf(said)
    if (open !== null && step < open.step && !attemptDue && !ended) {
      if (!fellBack(step, metrics)) {
        noteNames(metrics, step)
        event('policy_update', step, at, { metrics: renamed(metrics) })
        return
      }
      close()
      attemptDue = true
    }
    const target = openAt(step, at)
    noteNames(metrics, step)
    target.metrics = target.metrics === NOTHING ? renamed(metrics) : both(target.metrics, renamed(metrics))
    target.fresh = true
    endDue = SUMMARY_NAMES.some((one) => Object.hasOwn(metrics, one)) || (endDue && step === target.step)
  }

  function noteNames(metrics: Readonly<Record<string, number>>, step: number): void {
    const judging = stepsSeen < STEPS_TO_RECOGNISE && !misjudged && options.trainer === undefined
    for (const one in metrics) {
      if (newest.size < MAX_NAMES || newest.has(one)) newest.set(one, step)
      const said = rename?.get(one) ?? one
      if (judging && names.size < MAX_NAMES && !names.has(said)) {
        names.add(said)
        if (trainer !== null && recognizeTrainer(names) !== trainer) misjudged = true
      }
    }
  }

  function renamed(metrics: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
    if (!rename || rename.size === 0) return metrics
    const others: Record<string, number> = Object.create(null)
    for (const one in metrics) others[rename.get(one) ?? one] = metrics[one]!
    return others
  }

  function takeSamples(record: Extract<SourceRecord, { type: 'samples' }>): void {
    if (open !== null && record.step < open.step) return
    const target = openAt(record.step, timeOf(record.time))
    target.answers = joined(target.answers, record)
  }

  function takeConfig(record: Extract<SourceRecord, { type: 'config' }>): void {
    if (waiting === null) return
    config = { ...config, ...record.config }
    name ??= record.name
    project ??= record.project
  }

  function takeEnd(status: 'completed' | 'stopped' | 'failed'): void {
    endDue = false
    if (ended && open === null) return
    const step = open?.step ?? 0
    close()
    event('training_end', step, time, { metadata: { status } })
    ended = true
  }

  function takeCheckpoint({ step, time: said, path, removed }: Extract<SourceRecord, { type: 'checkpoint' }>): void {
    const metadata = { ...(path === undefined ? {} : { path }), ...(removed === undefined ? {} : { removed }) }
    event('checkpoint_saved', step, said ?? time, { metadata })
  }

  function takeWire(line: WireLine): void {
    begun()
    if (line.type === 'run' && options.trainer !== undefined) emit({ ...line, trainer: options.trainer })
    else if (line.type === 'event' && rename && line.metrics)
      emit({ ...line, metrics: renamed(line.metrics as Record<string, number>) as Record<string, number> })
    else emit(line)
  }

  /** Lines of our own need no beginning from us. */
  function begun(): void {
    waiting = null
  }

  return {
    get openStep() {
      return open?.step ?? null
    },
    get trainer() {
      return trainer
    },
    get misjudged() {
      return misjudged
    },
    save: () => ({
      ...{ open, waiting, trainer, stepsSeen, names, name, project, config, newest, early },
      ...{ attempt, attemptDue, ended, endDue, time, seq },
    }),
    take(record) {
      switch (record.type) {
        case 'points':
          return takePoints(record.step, record.time, record.metrics)
        case 'samples':
          return takeSamples(record)
        case 'config':
          return takeConfig(record)
        case 'checkpoint':
          return takeCheckpoint(record)
        case 'end':
          return takeEnd(record.status)
        case 'attempt':
          close()
          attemptDue = seq > 0 || (waiting?.length ?? 0) > 0
          return
        default:
          return takeWire(record.line)
      }
    },
    takeBeside(record) {
      if (record.type === 'config') takeConfig(record)
      else if (record.type === 'checkpoint') takeCheckpoint(record)
      else if (record.type === 'samples') {
        if (open !== null && open.step === record.step) open.answers = joined(open.answers, record)
        else if ((open === null || record.step > open.step) && early.size < MAX_EARLY_SAMPLES)
          early.set(record.step, joined(early.get(record.step) ?? null, record))
      }
    },
    flush() {
      if (open === null && (waiting === null || waiting.length === 0)) return
      begin()
      if (open?.fresh || open?.answers) giveOpen('policy_update')
      else if (endDue) takeEnd('completed')
    },
    end() {
      if (endDue) takeEnd('completed')
      close()
      if (waiting !== null && waiting.length > 0) begin()
    },
  }
}

function both(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  return Object.assign(Object.create(null), before, after)
}

function joined(answers: Answers | null, record: Extract<SourceRecord, { type: 'samples' }>): Answers {
  const all = answers ?? { prompts: [], responses: [], rewards: [] }
  const room = Math.max(0, MAX_SAMPLES - all.responses.length)
  // Lists stay as long as each other, so that what belongs together stays together.
  const before = all.responses.length
  for (let i = 0; i < Math.min(room, record.responses.length); i++) {
    all.responses[before + i] = record.responses[i]!
    all.prompts[before + i] = record.prompts?.[i] ?? ''
    all.rewards[before + i] = record.rewards?.[i] ?? Number.NaN
  }
  return all
}

function metadataOf({ prompts, responses, rewards }: Answers): Record<string, unknown> {
  return {
    responses,
    ...(prompts.some((prompt) => prompt !== '') ? { prompts } : {}),
    ...(rewards.some((reward) => !Number.isNaN(reward)) ? { rewards } : {}),
  }
}
