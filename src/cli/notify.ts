import { hostname } from 'node:os'
import { Command, Option } from 'commander'
import { CONFIG_FILE, loadConfig } from '../config/load-config.ts'
import type { Alert, Severity } from '../detectors/detector.ts'
import { TelltaleError } from '../errors.ts'
import type { WebhookForm } from '../outputs/webhook/forms.ts'
import type { WebhookTarget } from '../outputs/webhook/notifier.ts'
import { webhookTargets } from '../outputs/webhook/webhook-targets.ts'
import { plainText } from '../text/plain-text.ts'
import { systemClock } from '../time.ts'
import { sayJson } from './json-output.ts'
import { configOption } from './with-config.ts'

/** What became of the test alert at one webhook. Its address is nowhere in it. */
interface Told {
  readonly name: string
  readonly form: WebhookForm
  /** `not-sent`: it hears only of graver alerts. */
  readonly state: 'arrived' | 'failed' | 'not-sent'
  readonly problem: string | null
}

interface NotifyFlags {
  readonly test?: true
  readonly json?: true
  readonly severity: Severity
  readonly config?: string
}

/** `telltale notify --test`: sends a test alert through every webhook of the configuration. */
export function notifyCommand(): Command {
  return new Command('notify')
    .description('Sends a test alert to everybody whom the configuration names, and says what became of it.')
    .option('--test', 'send it; nothing else is sent by this command')
    .option('--json', 'print what became of each as JSON')
    .addOption(
      new Option('--severity <severity>', 'of the test alert: channels that hear only of graver ones are left out')
        .choices(['info', 'warning', 'critical'])
        .default('critical'),
    )
    .addOption(configOption())
    .helpOption('-h, --help', 'show this help')
    .showHelpAfterError('(telltale notify --help shows the options)')
    .exitOverride()
    .addHelpText(
      'after',
      `
The addresses stand in the environment, their variables' names in ${CONFIG_FILE}:
  {"webhooks": [{"urlFrom": "SLACK_WEBHOOK_URL", "severity": "warning"}]}

Exit code 0: all arrived. 1: one did not. 2: nothing to send to, or bad usage.`,
    )
    .action(async (flags: NotifyFlags) => {
      process.exitCode = await notify(flags)
    })
}

async function notify({ test, json, severity, config: file }: NotifyFlags): Promise<number> {
  if (!test) throw new TelltaleError('bad-usage', 'telltale notify sends a test alert: say --test')
  const { file: path, config } = loadConfig(file)
  const targets = webhookTargets(config.webhooks ?? [], process.env)
  if (targets.length === 0)
    throw new TelltaleError(
      'bad-usage',
      `${path ?? `${CONFIG_FILE}, which is not in this folder,`} names no webhook: telltale notify --help shows how`,
    )
  const told: Told[] = []
  for (const target of targets) {
    const one = await tell(target, severity)
    told.push(one)
    if (!json)
      process.stdout.write(`${plainText(one.name, 80)} (${one.form}): ${WORDS[one.state]}${one.problem ?? ''}\n`)
  }
  if (json) sayJson({ severity, targets: told })
  // Nothing was shown where nobody was told.
  if (told.every(({ state }) => state === 'not-sent')) return 2
  return told.some(({ state }) => state === 'failed') ? 1 : 0
}

const WORDS: Readonly<Record<Told['state'], string>> = {
  arrived: 'arrived',
  failed: 'did not arrive: ',
  'not-sent': 'not sent: ',
}

async function tell({ name, url, form, severity: least }: WebhookTarget, severity: Severity): Promise<Told> {
  const { bodyOf } = await import('../outputs/webhook/forms.ts')
  const { isAtLeast } = await import('../outputs/failures.ts')
  const { send } = await import('../outputs/webhook/send.ts')
  if (!isAtLeast(severity, least)) return { name, form, state: 'not-sent', problem: `it hears of ${least} and above` }
  const notification = {
    change: 'opened',
    run: 'test',
    name: 'a test of telltale notify',
    path: process.cwd(),
    host: hostname(),
    time: systemClock.unixSeconds(),
    alert: testAlert(severity),
    before: null,
  } as const
  const sent = await send(url, bodyOf(form, [notification], 0), { waitsMs: [1000, 2000] })
  return { name, form, ...(sent.ok ? { state: 'arrived', problem: null } : { state: 'failed', problem: sent.problem }) }
}

function testAlert(severity: Severity): Alert {
  return {
    ...{ id: 'test-1', detector: 'test', kind: 'reward-hacking', direction: 'up', severity, iteration: 120 },
    series: ['quality/ref_perplexity', 'reward/score'],
    ...{ observed: 2.4, expected: 1.7, statistic: 6.2, threshold: 5.7 },
    onset: { estimate: 90, interval: [80, 100] },
    reason: 'This is a test: nothing is wrong with any run. An alert would say here what was seen, against what.',
    ...{ rollbackTo: 80, advice: [{ do: 'roll-back', to: 80 }], basis: 'calibrated', falseAlarmRate: 0.01 },
    ...{ samples: [], state: 'open', replaces: null },
  }
}
