// Measures what it costs to be watched and how fast the trainer is. Builds on dist/: run `npm run build` first.
//   npm run bench -- [NAME...] [--json] [--write]
//   npm run bench -- calibrate | detection | record      each has a file that says more
// --write keeps the results in bench/results.json and remakes docs/benchmarks.md and docs/side-by-side.md; what was not measured now stays as it was.
//
// A bench is a file bench/NAME.mjs that exports a function NAME, which returns or resolves to
//   { question, goal, reached: boolean, limits?, ...figures }
// Figures are numbers, texts, intervals `[low, high]` or groups of them; `limits` says what stands in the way of a goal
// that is not reached, and is shown only then.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { benchmarksMarkdown, savedResults } from './markdown.mjs'
import { sideBySideMarkdown } from './side-by-side.mjs'

const BENCHES = [
  'overhead',
  'events',
  'memory',
  'start',
  'trainer',
  'learning',
  'watch',
  'sources',
  'store',
  'kills',
  'rivals',
]

const args = process.argv.slice(2)
const COMMANDS = {
  record: async (rest) => (await import('./record.mjs')).record(rest),
  calibrate: async (rest) => (await import('./detection/calibrate.mjs')).calibrate(rest),
  detection: async (rest) => (await import('./detection/benchmark.mjs')).benchmark(rest),
}
if (Object.hasOwn(COMMANDS, args[0])) {
  console.log(await COMMANDS[args[0]](args.slice(1)))
  process.exit(0)
}
const flags = args.filter((arg) => arg.startsWith('--'))
const names = args.filter((arg) => !arg.startsWith('--'))
if (
  names.some((name) => !BENCHES.includes(name)) ||
  flags.some((flag) => !['--json', '--write', '--only-result', '--quick'].includes(flag)) ||
  (flags.includes('--quick') && (names.join() !== 'rivals' || flags.includes('--write')))
) {
  console.error(`usage: npm run bench -- [${BENCHES.join('|')}] [--json] [--write], or rivals --quick`)
  process.exit(2)
}

if (flags.includes('--only-result')) {
  const [name] = names
  const bench = await (await import(`./${name}.mjs`))[name]()
  process.stdout.write(`\n${JSON.stringify(bench)}\n`)
  process.exit(0)
}

const json = flags.includes('--json')
const measured = {}
for (const name of names.length > 0 ? names : BENCHES) {
  if (!json) process.stdout.write(`${name} ...\n`)
  measured[name] = {
    machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
    bench: inItsOwnProcess(name),
  }
  if (!json) console.log(measured[name].bench)
}
if (json) console.log(JSON.stringify(measured, null, 2))
if (flags.includes('--write')) {
  const known = { ...savedResults(), ...measured }
  const results = Object.fromEntries(BENCHES.filter((name) => known[name]).map((name) => [name, known[name]]))
  writeFileSync(new URL('./results.json', import.meta.url), `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(new URL('../docs/benchmarks.md', import.meta.url), benchmarksMarkdown(results))
  if (results.rivals)
    writeFileSync(new URL('../docs/side-by-side.md', import.meta.url), sideBySideMarkdown(results.rivals))
}

/** What one bench has warmed up or left behind must not change another's figures. */
function inItsOwnProcess(name) {
  const { status, stdout } = spawnSync(
    process.execPath,
    [
      ...process.execArgv,
      fileURLToPath(import.meta.url),
      name,
      '--only-result',
      ...flags.filter((flag) => flag === '--quick'),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', maxBuffer: 1e8 },
  )
  if (status !== 0) {
    console.error(`bench ${name} failed`)
    process.exit(1)
  }
  return JSON.parse(stdout.trim().split('\n').at(-1))
}
