import { realpathSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { Option } from 'commander'
import { CONFIG_FILE, loadConfig } from '../config/load-config.ts'
import type { TelltaleConfig } from '../config/schema.ts'
import type { AlertKind } from '../detectors/detector.ts'
import { TelltaleError } from '../errors.ts'
import { webhookTargets } from '../outputs/webhook/webhook-targets.ts'
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
 * @param watched paths that are followed, from which no configuration is taken that starts programs.
 * @throws TelltaleError `bad-option` or `not-readable` for what is wrong with the configuration.
 */
export function withConfig<Flags extends object>(
  given: Flags & { readonly config?: string },
  { acts, watched = [] }: { readonly acts: boolean; readonly watched?: readonly string[] },
): Flags {
  const { config: file, ...flags } = given as Configurable & { readonly config?: string }
  const { file: path, config } = loadConfig(file)
  if (file === undefined && path !== null && acts && (config.onAlert ?? config.onCritical) !== undefined)
    refuseWatched(path, watched)
  const { map, ignore = [] } = config
  const merged = {
    // What the other mode's detectors have is nothing to a mode that was asked for.
    ...pick(config, flags.mode === 'threshold' ? ['klThreshold', 'trainer'] : JUDGED),
    ...(acts ? { ...pick(config, ACTED), webhooks: webhookTargets(config.webhooks ?? [], process.env) } : {}),
    ...flags,
    ...(map ? { map: new Map([...Object.entries(map), ...(flags.map ?? [])]) } : {}),
    ...(ignore.length > 0 ? { ignore: new Set<AlertKind>([...ignore, ...(flags.ignore ?? [])]) } : {}),
  }
  return merged as unknown as Flags
}

/** What lies in a folder that is watched comes from whoever trains there, and must not start programs unless somebody says so. */
function refuseWatched(config: string, watched: readonly string[]): void {
  const inside = watched.find(
    (one) => one !== '-' && !relative(realPath(one), realPath(dirname(config))).startsWith('..'),
  )
  if (inside === undefined) return
  throw new TelltaleError(
    'bad-usage',
    `${config} lies in what is watched (${inside}) and names a program to start: say --config ${CONFIG_FILE} if it is yours`,
  )
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return resolve(path)
  }
}

const JUDGED = ['mode', 'preset', 'falseAlarmRate', 'klThreshold', 'trainer'] as const
const ACTED = ['stopOn', 'onAlert', 'onCritical', 'bell'] as const

/** Those of some keys that are set. */
function pick(config: TelltaleConfig, keys: readonly (keyof TelltaleConfig)[]): Partial<TelltaleConfig> {
  return Object.fromEntries(keys.flatMap((key) => (config[key] === undefined ? [] : [[key, config[key]]])))
}
