/**
 * Plots and reports of any recorded run, of any format, and of one that still goes on.
 *
 * @module
 */
import { join } from 'node:path'
import { type CheckedPath, type CheckPathOptions, checkPath } from '../check/check-path.ts'
import type { QualityAnalyzer } from '../decision/quality-analyzer.ts'
import { errorMessage } from '../errors.ts'
import type { TrainingMonitor } from '../monitor.ts'
import { PlotManager } from '../outputs/plots/plot-manager.ts'
import { plotMarks } from '../outputs/plots/plot-marks.ts'
import { ReportGenerator } from '../outputs/report/report-generator.ts'
import { PPOMetricsTracker } from '../quality/ppo-metrics-tracker.ts'
import { SampleComparator } from '../quality/sample-comparator.ts'
import { runIdOf } from '../sources/run-name.ts'
import { VerbosityLevel } from '../verbosity.ts'

/** What was written of one run. */
export interface ReportedRun {
  readonly run: string
  /** The files' folder. */
  readonly folder: string
  readonly files: readonly string[]
  /** Figures that could not be drawn, and why. */
  readonly failures: readonly string[]
}

/** What is written where. */
export interface ReportPathOptions extends CheckPathOptions {
  readonly outputDir: string
  /** Whether each run has a folder of its own in it: where there may be several. */
  readonly folderEach: boolean
  /** Called with each run as soon as it is written. */
  readonly onReported?: ((reported: ReportedRun) => void) | undefined
}

interface Recorded {
  readonly monitor: TrainingMonitor
  readonly analyzer: QualityAnalyzer
  readonly comparator: SampleComparator
  readonly ppoTracker: PPOMetricsTracker
}

/**
 * Replays all runs of a path, and writes plots and reports of each before the next is read.
 *
 * @throws TelltaleError `not-readable` where there is nothing to report on, `not-writable` where the files cannot be written.
 */
export async function reportPath(
  path: string,
  options: ReportPathOptions,
): Promise<{ readonly reported: readonly ReportedRun[]; readonly checked: CheckedPath }> {
  const recorded = new Map<string, Recorded>()
  const reported: ReportedRun[] = []
  const folders = new Set<string>()
  const checked = await checkPath(path, {
    ...options,
    check: {
      ...options.check,
      onBegin(run, monitor, analyzer) {
        const comparator = new SampleComparator()
        const ppoTracker = new PPOMetricsTracker({ verbosity: VerbosityLevel.VERBOSE })
        monitor.registerCallback(comparator)
        monitor.registerCallback(ppoTracker)
        recorded.set(run, { monitor, analyzer, comparator, ppoTracker })
      },
    },
    async onRun({ run }) {
      const found = recorded.get(run)
      recorded.delete(run)
      if (!found) return
      const folder = options.folderEach ? freeFolder(options.outputDir, run, folders) : options.outputDir
      const one = await write(run, folder, found)
      reported.push(one)
      options.onReported?.(one)
    },
  })
  return { reported, checked }
}

/** Ids from logs are as strange as whoever wrote them: a folder's name is made of them. */
function freeFolder(outputDir: string, run: string, taken: Set<string>): string {
  const name = runIdOf(run)
  let folder = join(outputDir, name)
  for (let i = 2; taken.has(folder); i++) folder = join(outputDir, `${name}-${i}`)
  taken.add(folder)
  return folder
}

async function write(run: string, folder: string, recorded: Recorded): Promise<ReportedRun> {
  const { monitor, analyzer, comparator, ppoTracker } = recorded
  const plots = new PlotManager({ outputDir: folder })
  const files: string[] = []
  const failures: string[] = []
  try {
    const drawn = await plots.createAllPlots({
      metricsStore: monitor.getMetricsStore(),
      comparator,
      analyzer,
      ppoTracker,
      marks: plotMarks({ analyzer, summary: monitor.summary() }),
    })
    files.push(...drawn.map((file) => file.path))
  } catch (error) {
    failures.push(errorMessage(error))
  }
  failures.push(...plots.failures.map(({ figure, problem }) => `${figure}: ${problem}`))
  const reports = new ReportGenerator({ outputDir: folder })
  const input = { monitor, comparator, analyzer, ppoTracker }
  files.push(await reports.generateMarkdownReport(input))
  files.push(await reports.generateJsonReport(input))
  files.push(await reports.generateHtmlReport(input))
  return { run, folder, files, failures }
}
