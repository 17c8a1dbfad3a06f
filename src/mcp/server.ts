/**
 * The store for coding agents: a server of the Model Context Protocol on standard input and output, which can only read.
 *
 * @module
 */
import { TelltaleError } from '../errors.ts'
import { afterOnset } from '../lookback/after-onset.ts'
import { compareRuns } from '../lookback/compare-runs.ts'
import { findStoredRun } from '../lookback/find-stored-run.ts'
import { unwatchedKinds, unwatchedWords } from '../outputs/report/coverage-words.ts'
import { adviceWords, certaintyWords, KIND_TITLES, onsetWords } from '../outputs/report/words.ts'
import type { RunStore, StoredRun } from '../stores/store.ts'
import { TELLTALE_VERSION } from '../version.ts'

const INSTALL = 'npm install @modelcontextprotocol/sdk@1.32.0'
/** What an agent reads at once: more than this it asks for in parts. */
const MAX_RUNS = 100
const MAX_SAMPLES = 50
const MAX_BUCKETS = 500
const MAX_TEXT = 2000

/**
 * Serves until standard input ends.
 *
 * @param openStore opened for each question, so that what a watch stores in the meantime is there, and nothing is held.
 * @throws TelltaleError `missing-part` where the protocol's own package is not installed.
 */
export async function serveMcp(openStore: () => RunStore): Promise<void> {
  const { McpServer, StdioServerTransport, z } = await loadSdk()
  const server = new McpServer(
    { name: 'telltale', version: TELLTALE_VERSION },
    {
      instructions:
        'Training runs that Telltale has watched: how they went, why they were stopped, and what to do. Begin with list_runs.',
    },
  )
  const answer = (work: (store: RunStore) => unknown) => {
    const store = openStore()
    try {
      return { content: [{ type: 'text' as const, text: JSON.stringify(work(store), finite, 1) }] }
    } catch (error) {
      if (!(error instanceof TelltaleError)) throw error
      return { isError: true, content: [{ type: 'text' as const, text: error.message }] }
    } finally {
      store.close()
    }
  }
  const run = z.string().describe('id, name, path, the beginning of one of them, or @last')
  const annotations = { readOnlyHint: true, openWorldHint: false }

  server.registerTool(
    'list_runs',
    {
      description: 'Runs that are stored, those that were seen last first, with how many alerts each has.',
      annotations,
    },
    async () => answer((store) => store.runs().slice(0, MAX_RUNS).map(inShort)),
  )
  server.registerTool(
    'describe_run',
    {
      description:
        'How a run went: state, settings, series with first and last value, alerts in short, how long it went on after the onset of the first critical one, and which failures could not be seen.',
      inputSchema: { run },
      annotations,
    },
    async ({ run: name }) =>
      answer((store) => {
        const found = findStoredRun(store.runs(), name)
        return {
          ...inShort(found),
          settings: found.config,
          checkpoints: found.checkpoints,
          attempts: found.attempts,
          series: store.series(found.key).map((one) => ({
            ...one,
            first: store.points(found.key, one.name, { to: one.firstIteration }).values[0],
            last: store.points(found.key, one.name, { from: one.lastIteration }).values.at(-1),
          })),
          alertsInShort: store.alerts(found.key).map(({ kind, severity, iteration, state, muted = false }) => ({
            kind,
            severity,
            iteration,
            state,
            muted,
          })),
          afterOnset: afterOnset(found, store),
          notWatched: unwatchedKinds(found.coverage).map(unwatchedWords),
        }
      }),
  )
  server.registerTool(
    'alerts',
    {
      description:
        'The alerts of a run with their evidence: what was seen against what was expected, since when, how sure, answers that show it, what to do, and the checkpoint to go back to.',
      inputSchema: { run },
      annotations,
    },
    async ({ run: name }) =>
      answer((store) =>
        store.alerts(findStoredRun(store.runs(), name).key).map((alert) => ({
          title: KIND_TITLES[alert.kind],
          since: onsetWords(alert.onset),
          howSure: certaintyWords(alert),
          whatToDo: alert.advice.map((advice) => adviceWords(advice)),
          ...alert,
        })),
      ),
  )
  server.registerTool(
    'compare_runs',
    {
      description:
        'How runs differ: settings that are not the same, levels of the series they share with 95 % intervals of the difference to the first, alerts, answers to the same prompts.',
      inputSchema: {
        runs: z.array(z.string()).min(2).max(8).describe('two to eight runs, named as in the other tools'),
      },
      annotations,
    },
    async ({ runs: names }) =>
      answer((store) => {
        const all = store.runs()
        const { settings, series, alerts, answers, runs } = compareRuns(
          store,
          names.map((name) => findStoredRun(all, name)),
        )
        return {
          runs: runs.map(inShort),
          settings,
          series: series.map(({ name, unit, levels, differences }) => ({
            name,
            unit,
            levels: levels.map(({ mean }) => mean),
            differences,
          })),
          alerts: alerts.map((some) =>
            some.map(({ kind, severity, iteration, muted = false }) => ({ kind, severity, iteration, muted })),
          ),
          answers: answers.map(({ prompt, answers: some }) => ({
            prompt: cut(prompt),
            answers: some.map((one) => ({ ...one, response: cut(one.response) })),
          })),
        }
      }),
  )
  server.registerTool(
    'query_series',
    {
      description: 'A series of a run in at most so many buckets, each with its smallest, largest and mean value.',
      inputSchema: {
        run,
        series: z.string().describe('canonical name, as describe_run lists it, such as reward/score'),
        from: z.number().int().optional().describe('first iteration'),
        to: z.number().int().optional().describe('last iteration'),
        buckets: z.number().int().min(1).max(MAX_BUCKETS).default(50),
      },
      annotations,
    },
    async ({ run: name, series, from, to, buckets }) =>
      answer((store) => {
        const { key } = findStoredRun(store.runs(), name)
        if (!store.series(key).some((one) => one.name === series))
          throw new TelltaleError(
            'bad-usage',
            `the run has no series ${series.slice(0, 100)}; it has ${store
              .series(key)
              .map((one) => one.name)
              .join(', ')
              .slice(0, MAX_TEXT)}`,
          )
        return store.zoom(key, series, {
          buckets,
          ...(from === undefined ? {} : { from }),
          ...(to === undefined ? {} : { to }),
        })
      }),
  )
  server.registerTool(
    'samples',
    {
      description: 'Answers that were kept of a run, the newest last, with their prompts and rewards.',
      inputSchema: { run, limit: z.number().int().min(1).max(MAX_SAMPLES).default(10) },
      annotations,
    },
    async ({ run: name, limit }) =>
      answer((store) =>
        store
          .samples(findStoredRun(store.runs(), name).key, limit)
          .map((one) => ({ ...one, prompt: cut(one.prompt), response: cut(one.response) })),
      ),
  )
  await server.connect(new StdioServerTransport())
  await new Promise<void>((resolve) => {
    server.server.onclose = resolve
    process.stdin.once('end', resolve)
  })
}

function inShort({
  run,
  name,
  path,
  source,
  trainer,
  status,
  preset,
  followed,
  iterations,
  loggedIterations,
  totalIterations,
  alerts,
  criticalAlerts,
  mutedAlerts,
  seenUnixSeconds,
}: StoredRun) {
  return {
    run,
    name,
    path,
    source,
    trainer,
    status,
    preset,
    followed,
    iterations,
    loggedIterations,
    totalIterations,
    alerts,
    criticalAlerts,
    mutedAlerts,
    seenUnixSeconds,
  }
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`
}

/** JSON has no infinite numbers and no NaN: they are texts, as in the log. */
function finite(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

/** Loaded here alone: few need it, and it brings a web server along. */
async function loadSdk() {
  try {
    const [{ McpServer }, { StdioServerTransport }, { z }] = await Promise.all([
      import('@modelcontextprotocol/sdk/server/mcp.js'),
      import('@modelcontextprotocol/sdk/server/stdio.js'),
      import('zod'),
    ])
    return { McpServer, StdioServerTransport, z }
  } catch (error) {
    throw new TelltaleError('missing-part', `telltale mcp needs the protocol's own package: ${INSTALL}`, {
      cause: error,
    })
  }
}
