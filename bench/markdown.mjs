// docs/benchmarks.md, made from bench/results.json: for each bench what its newest run measured, where and when.
import { readFileSync } from 'node:fs'

/** Benches whose figures have a page of their own. */
const PAGES = { rivals: 'side-by-side.md' }

const RESULTS = new URL('./results.json', import.meta.url)

/** The newest result of each bench by its name. */
export function savedResults() {
  return JSON.parse(readFileSync(RESULTS, 'utf8'))
}

/** docs/benchmarks.md. */
export function benchmarksMarkdown(results = savedResults()) {
  const sections = Object.entries(results).map(([name, { machine, node, date, bench }]) => {
    const { question, goal, reached, limits, ...figures } = bench
    const rows = flat(figures).map(([figure, value]) => `| ${figure} | ${value} |`)
    const shown = PAGES[name]
      ? `The figures: [${PAGES[name]}](${PAGES[name]}).`
      : `| | |\n| --- | ---: |\n${rows.join('\n')}`
    const verdict = reached ? '**reached**.' : `**not reached**. ${limits ?? ''}`.trim()
    return `## ${name}

${question}

Goal: ${goal}: ${verdict}

${shown}

${machine}, Node ${node.slice(1)}, ${date}.
`
  })
  return `# Benchmarks

Each section is made by \`npm run bench -- NAME --write\` on the machine and the day that it names. Single times vary with the
machine and what else runs on it; shares and ratios hold better.

${sections.join('\n')}`
}

/** Nested figures as rows: the names on the way joined. */
function flat(value, path = '') {
  return Object.entries(value).flatMap(([key, inner]) => {
    if (Array.isArray(inner)) return [[`${path}${key}`, inner.join(' to ')]]
    if (typeof inner === 'object') return flat(inner, `${path}${key} `)
    return [[`${path}${key}`, inner]]
  })
}
