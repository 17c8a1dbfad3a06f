import { Option } from 'commander'
import { CONFIG_FILE, loadConfig, webhookTargets } from '../config/load-config.ts'
import type { TelltaleConfig } from '../config/schema.ts'
import type { AlertKind } from '../detectors/detector.ts'
import type { WatchActions } from '../watch/watch-in-terminal.ts'
import type { AnalyzerFlags } from './analyzer-options.ts'

/** What a configuration can say in the place of flags. */
type Configurable = Partial<AnalyzerFlags & WatchActions>

/** `--config FILE`. */
export function configOption(): Option {
  return new Option('--config <file>', `settings (default: ${CONFIG_FILE} of the current folder, if it is there)`)
}

/**
 * The flags, and for those that were not given what the configuration says. Kinds to ignore and names to map are added.
 *
 * @param acts whether the verb follows runs: only then are commands and addresses of any use, and asked for.
 * @throws TelltaleError `bad-option` or `not-readable` for what is wrong with the configuration.
 */
export function withConfig<Flags extends object>(
  given: Flags & { readonly config?: string },
  { acts }: { readonly acts: boolean },
): Flags {
  const { config: file, ...flags } = given as Configurable & { readonly config?: string }
  const { config } = loadConfig(file)
  const { map, ignore = [] } = config
  const merged = {
    // What the other mode's detectors have is nothing to a mode that was asked for.
    ...pick(config, flags.mode === 'threshold' ? ['klThreshold', 'trainer'] : JUDGED),
    ...(acts ? { ...pick(config, ACTED), webhooks: webhookTargets(config, process.env) } : {}),
    ...flags,
    ...(map ? { map: new Map([...Object.entries(map), ...(flags.map ?? [])]) } : {}),
    ...(acts && ignore.length > 0 ? { ignore: new Set<AlertKind>([...ignore, ...(flags.ignore ?? [])]) } : {}),
  }
  return merged as unknown as Flags
}

const JUDGED = ['mode', 'preset', 'falseAlarmRate', 'klThreshold', 'trainer'] as const
const ACTED = ['onAlert', 'onCritical', 'bell'] as const

/** Those of some keys that are set. */
function pick(config: TelltaleConfig, keys: readonly (keyof TelltaleConfig)[]): Partial<TelltaleConfig> {
  return Object.fromEntries(keys.flatMap((key) => (config[key] === undefined ? [] : [[key, config[key]]])))
}
