import { TelltaleError } from '../../errors.ts'
import { writeAtomically } from '../write-atomically.ts'
import { collectReport } from './collect.ts'
import { renderMarkdown } from './markdown.ts'
import type { ReportInput } from './report-input.ts'

/**
 * Writes what there is to know about a run for the person who has to decide: what happened, since when, how sure that is,
 * and what to do. A report may be written at any moment, also of a run that is running.
 *
 * @throws TelltaleError `bad-option` where `outputDir` is no text.
 *
 * @example
 * ```ts
 * import { mkdtempSync, readFileSync } from 'node:fs'
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * import { QualityAnalyzer, ReportGenerator, TrainingMonitor } from 'telltale'
 * const monitor = new TrainingMonitor({ name: 'first' })
 * const analyzer = new QualityAnalyzer({ monitor })
 * monitor.registerCallback(analyzer)
 * for (let i = 0; i < 3; i++) monitor.onEvent({ phase: 'iteration_end', iteration: i, metrics: { reward: i } })
 * await monitor.close()
 * const reports = new ReportGenerator({ outputDir: mkdtempSync(join(tmpdir(), 'telltale-')) })
 * const path = await reports.generateMarkdownReport({ monitor, analyzer })
 * console.log(readFileSync(path, 'utf8').split('\n')[0]) // # Training Report
 * const page = await reports.generateHtmlReport({ monitor, analyzer })
 * console.log(readFileSync(page, 'utf8').split('\n')[0]) // <!doctype html>
 * ```
 */
export class ReportGenerator {
  /** Folder of the reports; made when the first is written. */
  readonly outputDir: string

  /** @param options.outputDir folder of the reports; made where it does not exist. Plots that lie in it are shown. */
  constructor(options: { readonly outputDir: string }) {
    if (typeof options?.outputDir !== 'string' || options.outputDir === '' || options.outputDir.includes('\0')) {
      throw new TelltaleError('bad-option', 'outputDir is missing, empty or has a NUL; expected the path of a folder')
    }
    this.outputDir = options.outputDir
  }

  /**
   * Writes `training_report.md`: Summary, Metrics, Plots, Quality Alerts, Sample Changes and, with a tracker that recorded
   * something, PPO Mechanics.
   *
   * @returns the path of the file.
   * @throws TelltaleError `not-writable`.
   */
  async generateMarkdownReport(input: ReportInput): Promise<string> {
    const report = collectReport(input, this.outputDir)
    return writeAtomically(this.outputDir, 'training_report.md', renderMarkdown(report))
  }

  /**
   * Writes `training_report.json`, the same as data: `schemaVersion`, `metrics`, `alerts`, `sample_changes`, `configuration`
   * and more, by the schema of version 1. Non-finite numbers are "NaN", "Infinity", "-Infinity".
   *
   * @returns the path of the file.
   * @throws TelltaleError `not-writable`.
   */
  async generateJsonReport(input: ReportInput): Promise<string> {
    const report = collectReport(input, this.outputDir)
    const text = JSON.stringify(report, (_key, value: unknown) => (isNonFinite(value) ? String(value) : value), 2)
    return writeAtomically(this.outputDir, 'training_report.json', `${text}\n`)
  }

  /**
   * Writes `training_report.html`: one file with everything in it, to be opened from disk, sent or kept. Charts can be
   * zoomed and read exactly, from the definitions that the plots are drawn from; alerts have their samples, changed answers
   * their word diffs. It holds what the JSON report holds, cut where a page would grow too long, and says so there. It asks nobody for anything (its own Content-Security-Policy forbids it), and all of its text is there
   * with scripts off. The script of the charts, some 0.5 MB, is read when the first page is written.
   *
   * @returns the path of the file.
   * @throws TelltaleError `not-writable`, `missing-part` where the package is not whole.
   */
  async generateHtmlReport(input: ReportInput): Promise<string> {
    const { writeHtml } = await import('./html/write-html.ts')
    return writeAtomically(
      this.outputDir,
      'training_report.html',
      writeHtml(input, collectReport(input, this.outputDir)),
    )
  }
}

function isNonFinite(value: unknown): boolean {
  return typeof value === 'number' && !Number.isFinite(value)
}
