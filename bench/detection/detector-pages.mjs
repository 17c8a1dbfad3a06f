// The figures in docs/detectors/*.md, from results alone: a page says where they go, so that they cannot drift from what was measured.

const BLOCK = /<!-- figures of ([a-z, -]+) -->\n[\s\S]*?<!-- end of figures -->/g

/** A page with its blocks of figures as the results have them. */
export function withFigures(page, results) {
  return page.replace(BLOCK, (_, list) => {
    const kinds = list.split(',').map((kind) => kind.trim())
    return `<!-- figures of ${kinds.join(', ')} -->\n${kinds.map((kind) => figures(kind, results)).join('\n\n')}\n<!-- end of figures -->`
  })
}

function figures(kind, { healthy, faults }) {
  const byStrength = faults[kind]
  const falseAlarms = Object.entries(healthy).map(([iterations, { calibrated }]) => {
    const count = calibrated.kinds[kind] ?? 0
    return `${count} of ${calibrated.critical.runs.toLocaleString('en')} healthy runs of ${Number(iterations).toLocaleString('en')} iterations`
  })
  const rows = Object.entries(byStrength)
    .sort(([a], [b]) => a - b)
    .map(([strength, { calibrated: found }]) =>
      [strength, found.found, found.medianDelay ?? '-', found.p90Delay ?? '-', found.rightKind ?? '-'].join(' | '),
    )
  return `Critical alerts of kind \`${kind}\` in ${falseAlarms.join(', in ')}. Simulated faults of this kind:

| strength | found within 500 | median delay | p90 delay | right kind |
| --- | --- | --- | --- | --- |
${rows.map((row) => `| ${row} |`).join('\n')}`
}
