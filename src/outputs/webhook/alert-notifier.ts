/**
 * Tells people of the alerts of a run from within its process, where nobody watches it from outside.
 *
 * @module
 */
import { hostname } from 'node:os'
import type { TrainingCallback } from '../../callbacks.ts'
import { TrainingPhase } from '../../events.ts'
import type { AnalyzerView, MonitorView } from '../../run-summary.ts'
import { plainText } from '../../text/plain-text.ts'
import { systemClock } from '../../time.ts'
import { alertChanges, type ChangedAlert } from './alert-changes.ts'
import { type Notifier, notifier } from './notifier.ts'
import { MAX_TELLS, toldAlerts } from './told-alerts.ts'
import { type Webhook, webhookTargets } from './webhook-targets.ts'

/** Options of {@link AlertNotifier}. */
export interface AlertNotifierOptions {
  /** The monitor that it is registered with: says what the run is called, and where it is. */
  readonly monitor: Pick<MonitorView, 'summary'>
  /** Whose alerts it tells of. Register it with the monitor before the notifier: an alert is then told in the iteration that raised it. */
  readonly analyzer: Pick<AnalyzerView, 'alertHistory'>
  /** Who is told. Nobody is asked before there is an alert. */
  readonly webhooks: readonly Webhook[]
  /** Takes one line when something was not delivered; standard error by default. The training goes on. */
  readonly onWarning?: (message: string) => void
}

/** How long the end of the training may wait for messages to arrive. */
const LAST_MESSAGES_MS = 5000

/**
 * Tells people of a run's alerts through webhooks: once when a failure is seen, when it grows worse or eases, and when it has passed; three times at the
 * most of a failure that comes and goes. It takes no time from the training: messages are sent beside it, tried again for about 90 seconds, and given up with a
 * warning. What the analyzer has found before the notifier is registered is not told, nor is a muted alert.
 *
 * @throws TelltaleError `bad-option` when it is made, where a webhook's environment variable is not set or holds no address.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http'
 * import type { AddressInfo } from 'node:net'
 * import { AlertNotifier, QualityAnalyzer, TrainingMonitor } from 'telltale'
 * const told: string[] = []
 * const channel = createServer((request, response) => {
 *   request.on('data', (body) => void told.push(JSON.parse(String(body)).text))
 *   request.on('end', () => response.end())
 * })
 * await new Promise<void>((ready) => void channel.listen(0, '127.0.0.1', ready))
 * // For you this is set outside, to the address that Slack, Discord or your pager gave.
 * process.env.MY_WEBHOOK_URL = `http://127.0.0.1:${(channel.address() as AddressInfo).port}/`
 *
 * const monitor = new TrainingMonitor({ name: 'ppo-7' })
 * const analyzer = new QualityAnalyzer({ monitor, klThreshold: 0.2 })
 * monitor.registerCallback(analyzer)
 * monitor.registerCallback(new AlertNotifier({ monitor, analyzer, webhooks: [{ urlFrom: 'MY_WEBHOOK_URL' }] }))
 * for (let i = 0; i < 6; i++) monitor.onEvent({ phase: 'iteration_end', iteration: i, metrics: { kl_div: 0.1 * i + 0.05 } })
 * await monitor.close() // waits five seconds at the most for what is on its way
 * channel.close()
 * console.log(told) // [ 'Critical: KL explosion in ppo-7' ]
 * ```
 */
export class AlertNotifier implements TrainingCallback {
  readonly name = 'AlertNotifier'
  /** What it listens to: the events after which there may be news. */
  readonly phases = [TrainingPhase.ITERATION_END, TrainingPhase.TRAINING_END]
  readonly #options: AlertNotifierOptions
  readonly #notifier: Notifier
  readonly #changes = alertChanges()
  readonly #told = toldAlerts()

  constructor(options: AlertNotifierOptions) {
    this.#options = options
    this.#notifier = notifier({
      targets: webhookTargets(options.webhooks, process.env),
      say: (text) => this.#say(text),
    })
  }

  onRegister(): void {
    this.#changes(this.#options.analyzer.alertHistory)
  }

  onEvent(): void {
    this.#look()
  }

  onTick(): void {
    this.#look()
  }

  /** Tells what is left, and waits five seconds at the most for it to arrive; called by the monitor when it is closed. Never throws. */
  async close(): Promise<void> {
    this.#look()
    await this.#notifier.close(LAST_MESSAGES_MS)
  }

  #look(): void {
    for (const changed of this.#changes(this.#options.analyzer.alertHistory)) {
      const { told, isJustWorn } = this.#told.take('', changed)
      if (isJustWorn) this.#say(`${changed.alert.kind} has come ${MAX_TELLS} times; nobody is told of more`)
      if (told) this.#tell(told)
    }
  }

  #tell({ change, alert, before }: ChangedAlert): void {
    const { runId, name, outputDir } = this.#options.monitor.summary()
    const path = outputDir ?? process.cwd()
    const time = systemClock.unixSeconds()
    this.#notifier.notify({ change, run: runId, name, path, host: hostname(), time, alert, before })
  }

  #say(text: string): void {
    const say = this.#options.onWarning ?? ((message: string) => void process.stderr.write(`telltale: ${message}\n`))
    try {
      say(plainText(text, 500))
    } catch {
      // A warning that cannot be said is not the training's problem.
    }
  }
}
