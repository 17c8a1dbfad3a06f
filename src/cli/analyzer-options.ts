import { type Command, InvalidArgumentError, Option } from 'commander'
import { ANALYZER_MODES, type AnalyzerMode, DEFAULT_MODE, QualityAnalyzer } from '../decision/quality-analyzer.ts'
import { PRESETS, type Preset } from '../detectors/calibrated/preset.ts'
import { TrainingMonitor } from '../monitor.ts'

/** How runs are judged. */
export interface AnalyzerFlags {
  readonly mode?: AnalyzerMode
  readonly preset?: Preset
  readonly falseAlarmRate?: number
  readonly klThreshold?: number
}

/** The options of the verbs that judge runs; without `mode` for one that only mode calibrated can answer. */
export function addAnalyzerOptions(command: Command, { mode = true } = {}): Command {
  if (mode)
    command.addOption(
      new Option(
        '--mode <mode>',
        `threshold: the fixed rules; calibrated: a known rate of false alarms (default: "${DEFAULT_MODE}")`,
      ).choices(ANALYZER_MODES),
    )
  return command
    .addOption(
      new Option('--preset <preset>', 'mode calibrated: sort of training (default: from what the run logs)').choices(
        PRESETS,
      ),
    )
    .option(
      '--false-alarm-rate <rate>',
      'mode calibrated: share of healthy runs with a critical alert, above 0 to 0.5 (default: 0.01)',
      number,
    )
    .option('--kl-threshold <nats>', 'nats per token of kl_ref/token above which it is critical', number)
}

/**
 * Refuses options before anything is read.
 *
 * @throws TelltaleError `bad-option`
 */
export function checkAnalyzerFlags({ mode, preset, falseAlarmRate, klThreshold }: AnalyzerFlags): void {
  new QualityAnalyzer({
    monitor: new TrainingMonitor({ handleSignals: false }),
    ...(mode === undefined ? {} : { mode }),
    ...(preset === undefined ? {} : { preset }),
    ...(falseAlarmRate === undefined ? {} : { falseAlarmRate }),
    ...(klThreshold === undefined ? {} : { klThreshold }),
  })
}

function number(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isFinite(value)) return value
  throw new InvalidArgumentError('Expected a number.')
}
