import { hostname } from 'node:os'
import { Command, Option } from 'commander'
import { CONFIG_FILE, loadConfig } from '../config/load-config.ts'
import type { Alert, Severity } from '../detectors/detector.ts'
import { TelltaleError } from '../errors.ts'
import { webhookTargets } from '../outputs/webhook/webhook-targets.ts'
import { plainText } from '../text/plain-text.ts'
import { systemClock } from '../time.ts'
import { configOption } from './with-config.ts'

interface NotifyFlags {
  readonly test?: true
  readonly severity: Severity
  readonly config?: string
}

/** `telltale notify --test`: sends a test alert through every webhook of the configuration. */
export function notifyCommand(): Command {
  return new Command('notify')
    .description('Sends a test alert to everybody whom the configuration names, and says what became of it.')
    .option('--test', 'send it; nothing else is sent by this command')
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

async function notify({ test, severity, config: file }: NotifyFlags): Promise<number> {
  if (!test) throw new TelltaleError('bad-usage', 'telltale notify sends a test alert: say --test')
  const { file: path, config } = loadConfig(file)
  const targets = webhookTargets(config.webhooks ?? [], process.env)
  if (targets.length === 0)
    throw new TelltaleError(
      'bad-usage',
      `${path ?? `${CONFIG_FILE}, which is not in this folder,`} names no webhook: telltale notify --help shows how`,
    )
  const { bodyOf } = await import('../outputs/webhook/forms.ts')
  const { isAtLeast } = await import('../outputs/webhook/notification.ts')
  const { send } = await import('../outputs/webhook/send.ts')
  const notification = {
    change: 'opened',
    run: 'test',
    name: 'a test of telltale notify',
    path: process.cwd(),
    host: hostname(),
    time: systemClock.unixSeconds(),
    alert: testAlert(severity),
  } as const
  let failed = 0
  let tried = 0
  for (const { name, url, form, severity: least } of targets) {
    const say = (text: string) => void process.stdout.write(`${plainText(name, 80)} (${form}): ${text}\n`)
    if (!isAtLeast(severity, least)) {
      say(`not sent: it hears of ${least} and above`)
      continue
    }
    tried++
    const sent = await send(url, bodyOf(form, [notification], 0), { waitsMs: [1000, 2000] })
    say(sent.ok ? 'arrived' : `did not arrive: ${sent.problem}`)
    if (!sent.ok) failed++
  }
  // Nothing was shown where nobody was told.
  return tried === 0 ? 2 : failed > 0 ? 1 : 0
}

function testAlert(severity: Severity): Alert {
  return {
    ...{ id: 'test-1', detector: 'test', kind: 'reward-hacking', direction: 'up', severity, iteration: 120 },
    series: ['quality/ref_perplexity', 'reward/score'],
    ...{ observed: 2.4, expected: 1.7, statistic: 6.2, threshold: 5.7 },
    onset: { estimate: 90, interval: [80, 100] },
    reason: 'This is a test: nothing is wrong with any run. An alert would say here what was seen, against what.',
    ...{ rollbackTo: 80, advice: [{ do: 'roll-back', to: 80 }], basis: 'calibrated', falseAlarmRate: 0.01 },
    ...{ samples: [], state: 'open' },
  }
}
