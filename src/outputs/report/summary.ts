/**
 * The report in words: what happened, when, how sure, and what to do. A pure function of the report's data.
 *
 * @module
 */
import { failuresOf, isAtLeast } from '../failures.ts'
import { loggedWords, NO_END, stepWords } from '../run-words.ts'
import { unwatchedKinds } from './coverage-words.ts'
import { formatDuration, formatNumber, listed, plural } from './format.ts'
import type { ReportAlert, ReportMetric, TrainingReport } from './report.ts'
import {
  adviceWords,
  alertClause,
  COUNTER_WORDS,
  certaintyWords,
  KIND_TITLES,
  mutedWords,
  onsetWords,
  titleInProse,
} from './words.ts'

/** What the words are made from. */
export type ReportFacts = Omit<TrainingReport, 'summary' | 'leftOut'>

/** Second signals beside the reward, the most telling first. */
const SECOND_SIGNALS = [
  'quality/heldout_reward',
  'quality/judge',
  'quality/fixed_ref_perplexity',
  'quality/ref_perplexity',
  'quality/clear_share',
  'quality/fixed_repetition',
  'quality/repetition',
  'quality/fixed_distinct_2',
  'quality/distinct_2',
]

/** Paragraphs of plain text, never empty. */
export function summaryWords(facts: ReportFacts): string[] {
  const decisive = decisiveAlert(facts)
  return [
    [whatHappened(facts, decisive), movement(facts)].filter(Boolean).join(' '),
    `What to do: ${whatToDo(facts, decisive)}`,
    [howSure(facts, decisive), mutedOnes(facts), notWatched(facts), resumed(facts), setAside(facts)]
      .filter(Boolean)
      .join(' '),
  ].filter(Boolean)
}

/** The alert that stopped the run, else the most serious one, the earliest of equals; never a muted one. */
export function decisiveAlert({ alerts, stop }: ReportFacts): ReportAlert | null {
  const stopping =
    stop && alerts.find(({ iteration, reason }) => iteration === stop.iteration && reason === stop.reason)
  if (stopping) return stopping
  let worst: ReportAlert | null = null
  for (const alert of alerts) {
    if (alert.muted) continue
    if (worst === null || !isAtLeast(worst.severity, alert.severity)) worst = alert
  }
  return worst
}

function whatHappened(facts: ReportFacts, decisive: ReportAlert | null): string {
  const { run, stop, metrics } = facts
  const took = run.elapsedMs !== null && run.elapsedMs > 0 ? ` in ${formatDuration(run.elapsedMs)}` : ''
  if (run.iterations === 0) {
    const how = run.status === 'failed' ? 'failed' : run.status === 'running' ? 'has begun' : 'ended'
    const cause = run.error === null ? '' : ` The error was: ${sentence(run.error)}`
    if (run.status === 'running' && !run.live)
      return 'The log of the run has no end and no iteration that is complete, so there is nothing to judge.'
    return run.status === 'running'
      ? 'The run has begun and has not completed an iteration yet, so there is nothing to judge.'
      : `The run ${how} before its first iteration was complete, so there is nothing to judge.${cause}`
  }
  const done = progress(facts)
  if (run.status === 'failed') {
    const cause = run.error === null ? 'It left no error message.' : `The error was: ${sentence(run.error)}`
    return `The run failed after iteration ${formatNumber(lastOf(run))} (${done})${took}. ${cause} ${alertsSoFar(decisive, facts)}`
  }
  if (run.status === 'stopped' || (run.status === 'running' && stop)) {
    const ends =
      run.status !== 'running' ? 'was stopped' : run.live ? 'is about to stop' : `was asked to stop, and ${NO_END},`
    const signal = stop && /^interrupted by (SIG[A-Z]+)/.exec(stop.reason)?.[1]
    if (signal) {
      return `The run was interrupted by hand (${signal}) after iteration ${formatNumber(lastOf(run))} (${done})${took}. ${alertsSoFar(decisive, facts)}`
    }
    const at = `The run ${ends} after iteration ${formatNumber(stop?.iteration ?? lastOf(run))} (${done})`
    if (stop && decisive && decisive.reason === stop.reason) {
      return `${at} because ${alertClause(decisive, metrics)}. This has been so ${onsetWords(decisive.onset)}.`
    }
    return stop ? `${at}${took}: ${sentence(stop.reason)}` : `${at}${took}. It left no reason.`
  }
  if (run.status === 'running') {
    const stands = run.live ? 'The run is running' : `Whether the run goes on is not known, since ${NO_END}`
    return `${stands}; iteration ${formatNumber(lastOf(run))} is its newest (${done}). ${alertsSoFar(decisive, facts)}`
  }
  const logged = loggedWords(run, '')
  const all =
    run.totalIterations !== null && run.iterations < run.totalIterations
      ? `The run ended by itself with ${done}`
      : `The run completed ${run.iterations === 1 ? 'its one iteration' : `all ${formatNumber(run.iterations)} iterations`}${logged && ` (${logged})`}`
  return `${all}${took}. ${alertsSoFar(decisive, facts)}`
}

function lastOf({ lastIteration, iterations }: ReportFacts['run']): number {
  return lastIteration ?? iterations - 1
}

function alertsSoFar(decisive: ReportAlert | null, facts: ReportFacts): string {
  const failures = failuresOf(facts.alerts).filter(({ gravest }) => !gravest.muted)
  if (facts.coverage === null) return 'Nothing judged its quality: no analyzer was attached.'
  if (!decisive) return facts.alerts.length === 0 ? 'No alert was raised.' : 'No alert was raised but muted ones.'
  const count = { info: 0, warning: 0, critical: 0 }
  for (const { gravest } of failures) count[gravest.severity]++
  const counted = [
    count.critical > 0 ? plural(count.critical, 'critical alert') : '',
    count.warning > 0 ? plural(count.warning, 'warning') : '',
    count.info > 0 ? plural(count.info, 'note') : '',
  ].filter(Boolean)
  const isOver = failures.some(({ alerts, newest }) => newest.state === 'resolved' && alerts.includes(decisive))
  const state = isOver ? '; it has passed since' : ''
  const which = failures.length === 1 ? 'It' : 'The most serious'
  const were = failures.length === 1 ? 'was' : 'were'
  return `${capital(listed(counted))} ${were} raised. ${which} came at iteration ${formatNumber(decisive.iteration)}: ${alertClause(decisive, facts.metrics)}, ${onsetWords(decisive.onset)}${state}.`
}

/** How reward, KL and the best second signal moved from the first to the last tenth. */
function movement({ metrics, run }: ReportFacts): string {
  const signal = SECOND_SIGNALS.find((name) => metrics[name]) ?? ''
  const moved = ['reward/score', 'kl_ref/token', 'kl_ref/seq', signal].flatMap((name) => move(name, metrics[name]))
  if (moved.length === 0 || run.iterations < 2) return ''
  const span = run.iterations < 20 ? 'its first to its last iteration' : 'its first to its last tenth'
  const goldName = Object.keys(metrics).find((name) => name.startsWith('gold/')) ?? ''
  const gold = move(goldName, metrics[goldName]).map((words) => ` Meanwhile the ${words}; no detector reads that.`)
  return `From ${span} the ${listed(moved.map((words, i) => (i === 0 ? words : `the ${words}`)))}.${gold.join('')}`
}

/** `reward went from 0.3 to 0.8`, or nothing where the series is not there. */
function move(name: string, metric: ReportMetric | undefined): string[] {
  if (!metric || metric.firstTenth === null || metric.lastTenth === null) return []
  const [from, to] = [formatNumber(short(metric.firstTenth)), formatNumber(short(metric.lastTenth))]
  const unit = metric.unit === 'nats/token' || metric.unit === 'nats/sequence' ? ` ${metric.unit}` : ''
  const title = titleInProse(name)
  return [from === to ? `${title} stayed at ${to}${unit}` : `${title} went from ${from} to ${to}${unit}`]
}

function whatToDo(facts: ReportFacts, decisive: ReportAlert | null): string {
  const { run, stop, coverage } = facts
  if (run.iterations === 0) {
    return run.status === 'running' && run.live
      ? 'wait for the first iterations.'
      : 'see why it ended, then start it again.'
  }
  const resume = newestCheckpoint(facts)
  if (decisive && isAtLeast(decisive.severity, 'warning')) {
    const advice = decisive.advice.map((one) => adviceWords(one, run.checkpoints))
    if (advice.length === 0) return 'look at the evidence below before you use the model.'
    const [first = '', ...rest] = advice
    const condition =
      decisive.severity === 'critical' || !decisive.advice.some((one) => one.do === 'roll-back')
        ? ''
        : 'if the answers below confirm it, '
    const then = rest.length === 0 ? '' : ` Then: ${rest.map(small).join('; ')}.`
    return `${condition}${small(first)}.${then}`
  }
  if (run.status === 'failed') return `mend the cause, then ${resume}.`
  if (run.status === 'stopped') {
    return stop && stop.rollbackTo !== null
      ? `go on from the checkpoint of iteration ${formatNumber(stop.rollbackTo)}.`
      : `if you want to go on, ${resume}.`
  }
  if (coverage === null)
    return 'attach an analyzer to the next run, and read the answers yourself before you use the model.'
  return 'nothing has to be undone. Read a few of the answers before you use the model: the absence of alerts speaks only for what was watched.'
}

function newestCheckpoint({ run }: ReportFacts): string {
  const newest = run.checkpoints.at(-1)
  return newest === undefined
    ? 'start from the beginning, since no checkpoint was saved'
    : `go on from the checkpoint of iteration ${formatNumber(newest)}`
}

function howSure(facts: ReportFacts, decisive: ReportAlert | null): string {
  if (!decisive) return ''
  const others = new Map(
    facts.alerts
      .filter(({ detector, severity, muted }) => detector !== decisive.detector && severity !== 'info' && !muted)
      .map((alert) => [alert.kind, alert]),
  )
  const support =
    others.size === 0
      ? 'No other detector has raised a warning, so the case rests on this one.'
      : `It does not stand alone: ${listed([...others.values()].map((other) => `${KIND_TITLES[other.kind].toLowerCase()} ${onsetWords(other.onset)}`))}.`
  return `How sure: ${certaintyWords(decisive)}. ${support}`
}

function mutedOnes({ alerts }: ReportFacts): string {
  const muted = alerts.filter((alert) => alert.muted)
  return muted.length === 0 ? '' : `Muted, so that it neither stopped the run nor is judged here: ${mutedWords(muted)}.`
}

function notWatched({ coverage, metrics, run }: ReportFacts): string {
  if (coverage === null || run.iterations === 0) return ''
  const kinds = unwatchedKinds(coverage).flatMap((entry) => entry.kinds.map((kind) => KIND_TITLES[kind].toLowerCase()))
  const words = kinds.length === 0 ? '' : `Not watched, because the run does not log what it takes: ${listed(kinds)}.`
  const second = Object.keys(metrics).some((name) => name.startsWith('quality/') || name.startsWith('eval/'))
  const reward =
    second || !metrics['reward/score']
      ? ''
      : 'Nothing but the reward was logged about the quality of the answers, and a reward curve alone cannot reveal reward hacking.'
  return [words, reward].filter(Boolean).join(' ')
}

function resumed({ run }: ReportFacts): string {
  const last = run.attempts.at(-1)
  if (!last || last.attempt < 2) return ''
  return `The run was resumed: this is attempt ${formatNumber(last.attempt)}, which began again at iteration ${formatNumber(last.fromIteration)}; the numbers are those of the newest attempt.`
}

function setAside({ counters, callbackFailures }: ReportFacts): string {
  const things = Object.entries(COUNTER_WORDS)
    .filter(([name]) => (counters[name] ?? 0) > 0)
    .map(([name, words]) => `${formatNumber(counters[name]!)} ${words}`)
  const record = things.length === 0 ? '' : `Set aside and counted: ${listed(things)}.`
  const broken =
    callbackFailures.length === 0
      ? ''
      : `Part of the monitoring itself did not work (${listed([...new Set(callbackFailures.map(({ callback }) => callback))], 3)}).`
  return [record, broken].filter(Boolean).join(' ')
}

function progress({ run }: ReportFacts): string {
  return `${stepWords(run)} done${loggedWords(run, ', ')}`
}

/** One line that ends like a sentence. */
function sentence(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return /[.!?…]$/.test(line) ? line : `${line}.`
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}

function small(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? `${text.charAt(0).toLowerCase()}${text.slice(1)}` : text
}

function short(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(3)) : value
}
