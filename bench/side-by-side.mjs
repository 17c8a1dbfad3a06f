// docs/side-by-side.md, made from what bench/rivals.mjs has measured: every sentence that says who is better follows from the figures.

/** The figures that are compared; less is better in all of them. */
const COMPARED = [
  { what: 'start', of: (tool) => tool['start, s'], unit: 's' },
  { what: 'time for one step, all of it and the end', of: (tool) => 1e6 / tool['steps a second'], unit: 'us' },
  { what: 'call at the median', of: (tool) => tool['call of a step, us'].p50, unit: 'us' },
  { what: 'call at p99', of: (tool) => tool['call of a step, us'].p99, unit: 'us' },
  { what: 'disk', of: (tool) => tool['bytes a number'], unit: 'bytes a number' },
  { what: 'steps lost, training killed', of: (tool) => tool['lost, training killed'].most, unit: 'steps' },
  { what: 'steps lost, all processes killed', of: (tool) => tool['lost, all processes killed'].most, unit: 'steps' },
]

const isOurs = ([name]) => name.startsWith('Telltale')

/** docs/side-by-side.md. */
export function sideBySideMarkdown({ machine, node, date, bench }) {
  const tools = Object.entries(bench.tools)
  const rows = tools.map(([name, tool]) => {
    const { p50, p99 } = tool['call of a step, us']
    const cells = [
      ...[`${name} ${tool.version ?? ''}`.trim(), thousands(tool.steps), tool['start, s'], tool['all steps, s']],
      ...[thousands(tool['steps a second']), p50, p99, tool['disk, MB'], tool['bytes a number']],
    ]
    return `| ${cells.join(' | ')} |`
  })
  const lost = tools.map(([name, tool]) => {
    const loss = (kind) => `${thousands(tool[kind].median)} (${thousands(tool[kind].most)})`
    const calls = thousands(tool['calls that returned before kill -9'])
    return `| ${name} | ${calls} | ${loss('lost, training killed')} | ${loss('lost, all processes killed')} |`
  })
  const most = Math.max(...tools.map(([, tool]) => tool.steps))
  const fewer = tools
    .filter(([, tool]) => tool.steps < most)
    .map(([name, tool]) => `${name} logged ${thousands(tool.steps)}`)
  return `# Side by side with other trackers

Each tool logs steps of ten numbers, one call a step, on one machine, one tool after the other and in another order each round:
\`npm run bench -- rivals --write\` makes this page. Medians of ${bench['rounds of each']} rounds, each in a process of its own.
${fewer.length > 0 ? `\n${fewer.join('; ')} steps instead of ${thousands(most)}, which would take too long: its seconds and megabytes are of those, nothing is scaled up.\n` : ''}
## Who is better

${COMPARED.map(verdict(tools)).join('\n')}

## What logging takes

| | steps | start, s | all steps, s | steps a second | call p50, us | call p99, us | disk, MB | bytes a number |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${rows.join('\n')}

The start is loading the library and opening a run. All steps are the calls and the end of the run, after which the tool's own reader finds
every step. TensorBoard takes one number a call: its call is the ten of a step.

## What is left after kill -9

A training logs 1,000 steps a second, or as many as it can, and is killed after about two seconds. A step is lost where its call had returned
and the tool's own reader does not have it. Once the training alone is killed, and what it started may go on to write; once all of it is
killed together, as a container, a scheduler or the system does that is out of memory. Median of ${bench['kills of each']} kills, and the worst in brackets.

| | calls that returned | lost, training killed | lost, all processes killed |
| --- | ---: | ---: | ---: |
${lost.join('\n')}

W&B's log is read by the reader in its Python package, MLflow's through its client, rlwatch's and trackio's by their stores. Losses of power are not measured: they need a write to reach the disk and not only the system.

Single times vary with the machine and what else runs on it; what is far apart here is so elsewhere, what is close may not be.

## What is not the same

- rlwatch judges each step in the call, as Telltale with its detectors does, each what it knows of the ten (KL, entropy, loss and gradient among
  them); the others only log.
- trackio, W&B and TensorBoard hand a step to another thread or process, which writes it after the call has returned. MLflow, rlwatch and Telltale
  have written it when the call returns.
- MLflow can log from another thread (\`synchronous=False\`); its default, which does not, is measured.
- Measuring the machine and reading the code are switched off where a tool does that, so that bytes are those of the ten numbers. What a tool
  writes once a run is in its bytes all the same.
- The numbers have all their digits. In Telltale's log, lines of JSON, they take more bytes than in a database or a binary file.

${machine}, Node ${node.slice(1)}, Python ${bench.python}, ${date}.
`
}

/** One line: who has the least, and how the best of Telltale's stands beside the best of the others. */
function verdict(tools) {
  return ({ what, of, unit }) => {
    const best = (some) => some.reduce((least, one) => (of(one[1]) < of(least[1]) ? one : least))
    const [ourName, ours] = best(tools.filter(isOurs))
    const [theirName, theirs] = best(tools.filter((one) => !isOurs(one)))
    const figures = `${ourName} ${round(of(ours))}, ${theirName} ${round(of(theirs))} ${unit}`
    if (of(ours) === of(theirs)) {
      const same = tools.filter(([, tool]) => of(tool) === of(ours)).map(([name]) => name)
      return `- ${what}: **the same**, ${round(of(ours))} ${unit}: ${same.join('; ')}`
    }
    return `- ${what}: **${of(ours) < of(theirs) ? 'Telltale' : theirName} is better**. ${figures}`
  }
}

const round = (value) => Number(value.toPrecision(3))
const thousands = (value) => value.toLocaleString('en')
