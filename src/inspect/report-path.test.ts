import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, expect, it } from 'vitest'
import { parseTrainingReport } from '../outputs/report/parse-report.ts'
import { reportPath } from './report-path.ts'

const place = mkdtempSync(join(tmpdir(), 'telltale-report-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))
const how = { stdin: Readable.from([]), check: {} }
const fixture = new URL('../../test/fixtures/text-sources/trl-grpo', import.meta.url).pathname

it('writes plots and reports of a run of TRL, with its own steps', async () => {
  const outputDir = join(place, 'trl')
  const { reported } = await reportPath(fixture, { ...how, outputDir, folderEach: false })
  expect(reported).toMatchObject([{ folder: outputDir, failures: [] }])
  expect(readdirSync(outputDir).sort()).toEqual(
    ['kl_divergence', 'loss_curves', 'ppo_mechanics', 'quality_metrics', 'rewards']
      .flatMap((name) => [`${name}.png`, `${name}.svg`])
      .concat('training_report.html', 'training_report.json', 'training_report.md')
      .sort(),
  )
  const { run, metrics } = await parseTrainingReport(readFileSync(join(outputDir, 'training_report.json'), 'utf8'))
  // A trainer that counts from 1: its last step is the number of them all.
  expect(run.iterations).toBe(run.lastIteration)
  expect(metrics['reward/score']?.count).toBeGreaterThan(0)
})

it('gives each run of a folder a folder of its own, whatever their names, and says of each when it is written', async () => {
  const runs = join(place, 'runs')
  for (const name of ['a', '..', 'a b', 'a*b']) {
    const folder = join(runs, name === '..' ? 'dots' : name)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'x.jsonl'), `{"step":0,"loss":1}\n{"step":1,"loss":${name.length}}\n`)
  }
  const outputDir = join(place, 'each')
  const said: string[] = []
  const options = {
    ...how,
    outputDir,
    folderEach: true,
    onReported: ({ folder }: { folder: string }) => said.push(folder),
  }
  const { reported } = await reportPath(runs, options)
  expect(reported).toHaveLength(4)
  expect(new Set(said).size).toBe(4)
  expect(readdirSync(outputDir)).toHaveLength(4)
})

it('says of a log without times that its time is unknown, and of no year 1970', async () => {
  const path = join(place, 'no-times.jsonl')
  writeFileSync(path, Array.from({ length: 5 }, (_, step) => `{"step":${step},"loss":1}`).join('\n'))
  const outputDir = join(place, 'no-times')
  await reportPath(path, { ...how, outputDir, folderEach: false })
  const [markdown, html, json] = ['md', 'html', 'json'].map((ending) =>
    readFileSync(join(outputDir, `training_report.${ending}`), 'utf8'),
  )
  expect(markdown).toContain('Training time: unknown')
  for (const text of [markdown!, html!]) expect(text).not.toMatch(/1970|\b0\.0 s\b/)
  expect((await parseTrainingReport(json!)).run.startedUnixSeconds).toBe(null)
})

it('says which figure could not be drawn, and writes the others', async () => {
  const outputDir = join(place, 'in-the-way')
  mkdirSync(join(outputDir, 'rewards.svg', 'x'), { recursive: true })
  const { reported } = await reportPath(fixture, { ...how, outputDir, folderEach: false })
  expect(reported[0]!.failures.join()).toMatch(/rewards/)
  expect(readdirSync(outputDir)).toContain('training_report.html')
})

it('says what is missing where there is no run', async () => {
  const outputDir = join(place, 'none')
  await expect(reportPath(join(place, 'nothing-here'), { ...how, outputDir, folderEach: false })).rejects.toMatchObject(
    {
      code: 'not-readable',
    },
  )
})

it('says of a log without times that nobody knows how long the run took, and not that it took none', async () => {
  const path = join(place, 'timeless.jsonl')
  writeFileSync(path, '{"step":0,"loss":1}\n{"step":1,"loss":2}\n')
  const outputDir = join(place, 'timeless')
  const { checked } = await reportPath(path, { ...how, outputDir, folderEach: false })
  const text = readFileSync(join(outputDir, 'training_report.json'), 'utf8')
  const { run } = await parseTrainingReport(text)
  expect([run.startedUnixSeconds, run.elapsedMs, checked.runs[0]!.elapsedMs]).toEqual([null, null, null])
  const before = JSON.parse(text) as { run: Record<string, unknown> }
  before.run.elapsedMs = 0
  delete before.run.loggedIterations
  delete before.run.live
  // A report from before these could be said is read all the same.
  expect((await parseTrainingReport(JSON.stringify(before))).run).toMatchObject({
    ...{ elapsedMs: 0, loggedIterations: null, live: true },
  })
  const words = readFileSync(join(outputDir, 'training_report.md'), 'utf8')
  expect(words).toContain('Training time: unknown: the log has no times')
})
