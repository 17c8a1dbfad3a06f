import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hostileRun } from './hostile-run.fixture.ts'
import { parseTrainingReport } from './parse-report.ts'
import { recordedRun } from './recorded-run.fixture.ts'
import { ReportGenerator } from './report-generator.ts'
import type { ReportInput } from './report-input.ts'
import { reportJsonSchema } from './report-schema.ts'

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'telltale-report-'))

async function both(input: ReportInput, outputDir = newFolder()): Promise<{ markdown: string; json: string }> {
  const reports = new ReportGenerator({ outputDir })
  const markdown = readFileSync(await reports.generateMarkdownReport(input), 'utf8')
  return { markdown, json: readFileSync(await reports.generateJsonReport(input), 'utf8') }
}

/** The report's Node version is the machine's. */
const steady = (markdown: string): string => markdown.replace(`node ${process.version}`, 'node vX')

describe('Markdown', () => {
  it('reads as it did (golden: a stopped run)', async () => {
    const folder = newFolder()
    for (const plot of ['rewards.png', 'kl_divergence.svg', 'other.png']) writeFileSync(join(folder, plot), '')
    const { markdown } = await both(
      recordedRun({ klGrowth: 0.02, extraMetrics: (i) => ({ 'gold/judge': 1 - i / 50 }) }),
      folder,
    )
    await expect(steady(markdown)).toMatchFileSnapshot('golden/stopped.md')
  })

  it('reads as it did (golden: a clean run without a tracker)', async () => {
    const { markdown } = await both({ ...recordedRun(), ppoTracker: undefined })
    await expect(steady(markdown)).toMatchFileSnapshot('golden/completed.md')
  })

  it('has exactly the sections of the design', async () => {
    const headings = (markdown: string): string[] => markdown.match(/^##? .*$/gm) ?? []
    const always = [
      '# Training Report',
      '## Summary',
      '## Metrics',
      '## Plots',
      '## Quality Alerts',
      '## Sample Changes',
    ]
    expect(headings((await both(recordedRun())).markdown)).toEqual([...always, '## PPO Mechanics'])
    const { monitor } = recordedRun({ iterations: 0 })
    expect(headings((await both({ monitor })).markdown)).toEqual(always)
  })

  it('says in short what is muted, and does not judge by it', async () => {
    const { markdown, json } = await both(recordedRun({ klGrowth: 0.02, mute: ['kl-explosion'] }))
    expect(markdown).toContain('No alerts but muted ones.')
    expect(markdown).toMatch(
      /^\*\*Muted:\*\* KL explosion \(critical at iteration 53\)\. All of it is in `training_report/m,
    )
    expect(markdown).toMatch(/all 100 iterations.* No alert was raised but muted ones\. /)
    expect(markdown).toMatch(/Muted, so that it neither stopped the run nor is judged here: KL explosion/)
    expect(markdown).not.toMatch(/### CRITICAL|Roll back/)
    const { stop, alerts } = await parseTrainingReport(json)
    expect({ stop, alerts }).toMatchObject({ stop: null, alerts: [{ id: 'kl-explosion-1', muted: true }] })
  })

  it('shows the plots that exist and no others', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'loss_curves.png'), '')
    const { markdown } = await both(recordedRun({ iterations: 3 }), folder)
    expect(markdown.match(/!\[.*?\]\(.*?\)/g)).toEqual(['![Loss Curves](loss_curves.png)'])
  })

  it('shows NaN and Infinity that were logged', async () => {
    const { markdown } = await both(
      recordedRun({
        iterations: 5,
        extraMetrics: (i) => ({
          odd: i === 3 ? Number.NaN : Number.POSITIVE_INFINITY,
          mostly: i === 4 ? Number.NaN : i,
        }),
      }),
    )
    expect(markdown).toMatch(/`odd` +\| +Infinity \| +– \| +– \|/)
    expect(markdown).toMatch(/- `mostly`: 1 of 5 values NaN or infinite/)
  })

  it('has bounded rows', async () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`series-${i}`, i]))
    const { markdown } = await both(recordedRun({ iterations: 2, extraMetrics: () => many }))
    expect(markdown).toMatch(/\d+ further series in `training_report.json`/)
    expect(markdown.split('\n').length).toBeLessThan(400)
  })
})

describe('JSON', () => {
  it.each([
    ['clean', () => recordedRun()],
    ['stopped', () => recordedRun({ klGrowth: 0.02 })],
    ['muted', () => recordedRun({ klGrowth: 0.02, mute: ['kl-explosion'] })],
    ['failed', () => recordedRun({ iterations: 5, end: { status: 'failed', error: 'x' } })],
    ['empty', () => ({ monitor: recordedRun({ iterations: 0 }).monitor })],
    [
      'not finite',
      () => recordedRun({ iterations: 30, extraMetrics: (i) => ({ odd: i % 2 ? Number.NaN : -Infinity }) }),
    ],
  ] as const)('fits its schema (%s) and comes back equal', async (_name, make) => {
    const { json } = await both(make())
    const parsed = await parseTrainingReport(json)
    const rewritten = JSON.stringify(parsed, (_key, value) =>
      typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
    )
    expect(JSON.parse(rewritten)).toEqual(JSON.parse(json))
  })

  it('has the keys of the design', async () => {
    const report = JSON.parse((await both(recordedRun({ klGrowth: 0.02 }))).json)
    expect(report).toMatchObject({
      schemaVersion: 1,
      metrics: { 'reward/score': { original: 'reward', count: 54 } },
      alerts: [{ kind: 'kl-explosion', severity: 'critical', iteration: 53, reason: expect.any(String) }],
      sample_changes: [{ iteration: 20 }, { iteration: 40, pairs: [{ similarity: 0.23 }, { similarity: 0.75 }] }],
      configuration: { verbosity: 'verbose', detection: { mode: 'threshold' }, training: { batchSize: 32 } },
    })
  })

  it('writes non-finite numbers as strings that are numbers again when read', async () => {
    const { json } = await both(recordedRun({ iterations: 3, extraMetrics: () => ({ odd: Number.NEGATIVE_INFINITY }) }))
    expect(JSON.parse(json).metrics.odd).toMatchObject({ final: '-Infinity', mean: null, nonFinite: 3 })
    expect((await parseTrainingReport(json)).metrics.odd?.final).toBe(Number.NEGATIVE_INFINITY)
  })

  // `npx vitest run --project node src/outputs/report -u` writes it anew.
  it('has a JSON Schema that is up to date', async () => {
    await expect(`${JSON.stringify(reportJsonSchema(), null, 2)}\n`).toMatchFileSnapshot(
      'golden/training-report.schema.json',
    )
  })

  it.each([
    ['{', /the report is no JSON/],
    ['null', /at the top/],
    ['{"schemaVersion":2}', /at schemaVersion/],
  ])('refuses %s', async (text, message) => {
    await expect(parseTrainingReport(text)).rejects.toThrow(message)
    await expect(parseTrainingReport(text)).rejects.toMatchObject({ code: 'bad-format' })
  })
})

describe('what comes from outside', () => {
  it('is shown in the Markdown and does nothing', async () => {
    const { markdown } = await both(hostileRun())
    expect(markdown).not.toMatch(/(?!\n)\p{Cc}|\u202e/u)
    expect(markdown.replace(/(`+)(?!`)[^\n]*?[^`]\1(?!`)/g, '')).not.toMatch(/<script|http:\/\/evil/)
    expect(markdown.match(/^##? .*$/gm)).toHaveLength(7)
    expect(markdown.length).toBeLessThan(60_000)
    for (const line of markdown.split('\n').filter((text) => text.startsWith('|'))) {
      // No name adds a column.
      expect([8, 5, 3, 7, 2, 11, 9, 6]).toContain(line.replaceAll('\\|', '').split('|').length - 2)
    }
  })

  it('fits the schema of the JSON, whatever the names', async () => {
    const { json } = await both(hostileRun())
    expect(json.length).toBeLessThan(200_000)
    const report = JSON.parse(json)
    expect(Object.keys(report.metrics)).toContain('__proto__')
    expect(Object.getOwnPropertyDescriptor(report.metrics, '__proto__')?.value.final).toBe(2)
    expect(report.leftOut.characters).toBeGreaterThan(100_000)
    await parseTrainingReport(json)
  })

  it('takes any configuration', async () => {
    const { monitor } = recordedRun({ iterations: 0, end: null })
    const cycle: Record<string, unknown> = { inf: Number.POSITIVE_INFINITY, big: 10n, model: () => 1 }
    cycle.self = cycle
    monitor.onEvent({
      phase: 'training_start',
      iteration: 0,
      metadata: { config: Object.assign(JSON.parse('{"__proto__": {"polluted": true}}'), cycle) },
    })
    const { json } = await both({ monitor })
    expect(JSON.parse(json).configuration.training).toMatchObject({ inf: 'Infinity', big: '10' })
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    await parseTrainingReport(json)
  })
})

describe('files', () => {
  it('makes the folder, replaces what was there and leaves nothing else', async () => {
    const folder = join(newFolder(), 'a', 'b')
    await both(recordedRun({ iterations: 2 }), folder)
    await both(recordedRun({ iterations: 3 }), folder)
    expect(readdirSync(folder).sort()).toEqual(['training_report.json', 'training_report.md'])
    expect(readFileSync(join(folder, 'training_report.md'), 'utf8')).toMatch(/Total iterations: 3 of 100/)
  })

  it('says so where it cannot write', async () => {
    const file = join(newFolder(), 'file')
    writeFileSync(file, '')
    const reports = new ReportGenerator({ outputDir: file })
    await expect(reports.generateMarkdownReport(recordedRun({ iterations: 1 }))).rejects.toMatchObject({
      code: 'not-writable',
      message: expect.stringMatching(/training_report.md cannot be written: .*choose an outputDir/),
    })
    const taken = newFolder()
    mkdirSync(join(taken, 'training_report.json'))
    await expect(
      new ReportGenerator({ outputDir: taken }).generateJsonReport(recordedRun({ iterations: 1 })),
    ).rejects.toMatchObject({ code: 'not-writable' })
    expect(readdirSync(taken)).toEqual(['training_report.json'])
  })

  it.each([undefined, '', 'a\0b', 3])('refuses outputDir %j', (outputDir) => {
    expect(() => new ReportGenerator({ outputDir: outputDir as string })).toThrow(/outputDir is missing/)
  })
})
