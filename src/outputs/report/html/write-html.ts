import type { TrainingReport } from '../report.ts'
import type { ReportInput } from '../report-input.ts'
import { defineFigures } from './define-figures.ts'
import { pageFile } from './page-files.ts'
import { renderHtml } from './render-html.ts'

/** The page of a run. @throws TelltaleError `missing-part`. */
export function writeHtml(input: ReportInput, report: TrainingReport): string {
  return renderHtml(report, {
    figures: defineFigures(input),
    script: pageFile('page.js'),
    style: pageFile('page.css'),
  })
}
