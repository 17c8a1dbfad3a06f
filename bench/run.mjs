// Measures what it costs to be watched, and the trainer. Builds on dist/: run `npm run build` first.
//   npm run bench -- [NAME...] [--json] [--write]      --write makes docs/benchmarks.md
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { events } from './events.mjs'
import { learning } from './learning.mjs'
import { memory } from './memory.mjs'
import { overhead } from './overhead.mjs'
import { start } from './start.mjs'
import { trainer } from './trainer.mjs'

const BENCHES = { events, start, memory, overhead, trainer, learning }

const args = process.argv.slice(2)
const flags = args.filter((arg) => arg.startsWith('--'))
const names = args.filter((arg) => !arg.startsWith('--'))
const usage = `usage: npm run bench -- [${Object.keys(BENCHES).join('|')}] [--json] [--write]`
if (
  names.some((name) => !Object.hasOwn(BENCHES, name)) ||
  flags.some((flag) => flag !== '--json' && flag !== '--write')
) {
  console.error(usage)
  process.exit(2)
}
const results = {
  machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
  node: process.version,
  date: new Date().toISOString().slice(0, 10),
  benches: {},
}
for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
  if (!flags.includes('--json')) process.stdout.write(`${name} ...\n`)
  results.benches[name] = await BENCHES[name]()
  if (!flags.includes('--json')) console.log(results.benches[name])
}
if (flags.includes('--json')) console.log(JSON.stringify(results, null, 2))
if (flags.includes('--write')) writeFileSync(new URL('../docs/benchmarks.md', import.meta.url), markdown(results))

function markdown({ machine, node, date, benches }) {
  const sections = Object.entries(benches).map(([name, { question, goal, ...figures }]) => {
    const rows = flat(figures).map(([figure, value]) => `| ${figure} | ${value} |`)
    return `## ${name}\n\n${question} Goal: ${goal}.\n\n| | |\n| --- | ---: |\n${rows.join('\n')}\n`
  })
  return `# Benchmarks\n\nMade by \`npm run bench -- --write\` on ${machine}, Node ${node.slice(1)}, ${date}. The machine was shared: ratios hold, single\ntimes vary.\n\n${sections.join('\n')}`
}

function flat(value, path = '') {
  return Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === 'object' ? flat(inner, `${path}${key} `) : [[`${path}${key}`, inner]],
  )
}
