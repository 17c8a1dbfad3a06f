import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EVIL, hostileRun } from '../../src/outputs/report/hostile-run.fixture.ts'
import { recordedRun } from '../../src/outputs/report/recorded-run.fixture.ts'
import { ReportGenerator } from '../../src/outputs/report/report-generator.ts'

/** The HTML report as a reader opens it: from disk, in a real browser. */

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const executablePath = process.env.TELLTALE_CHROMIUM ?? '/usr/bin/chromium'
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const dir = mkdtempSync(join(tmpdir(), 'telltale-browser-'))
// The reward of a run that is stopped for its KL, with values that are none, and a spike.
const extraMetrics = (i: number) => ({
  'quality/repetition': 0.05 + 0.01 * Math.sin(i),
  loss: i === 20 ? Number.NaN : i === 30 ? 1e6 : 1 / (i + 1),
  'gold/total': 0.4 - 0.01 * i,
})
const run = recordedRun({ klGrowth: 0.02, extraMetrics })
let browser: Browser
let ordinary = ''
let hostile = ''

beforeAll(async () => {
  if (!existsSync(executablePath)) {
    throw new Error(
      `Chromium is not at ${executablePath}. On Debian: apt-get install --no-install-recommends chromium. Elsewhere set TELLTALE_CHROMIUM to where it is.`,
    )
  }
  // The sources are tested, so the page's script has to be of today.
  const build = spawnSync(process.execPath, [join(root, 'scripts', 'build-page.mjs')], { encoding: 'utf8' })
  expect(build.stderr).toBe('')
  expect(build.status).toBe(0)
  ordinary = await new ReportGenerator({ outputDir: join(dir, 'ordinary') }).generateHtmlReport(run)
  hostile = await new ReportGenerator({ outputDir: join(dir, 'hostile') }).generateHtmlReport(hostileRun())
  // Each launch has a new profile.
  browser = await chromium.launch({ executablePath, headless: true, args: FLAGS })
})

afterAll(async () => {
  await browser?.close()
  rmSync(dir, { recursive: true, force: true })
})

/** A page and everything that it said, asked for or tried. */
interface Opened {
  readonly page: Page
  readonly problems: string[]
  readonly requests: string[]
  /** Those that were answered. */
  readonly answered: string[]
}

async function open(file: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  const page = await context.newPage()
  const problems: string[] = []
  const requests: string[] = []
  const answered: string[] = []
  page.on('console', (message) => problems.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`))
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => requests.push(request.url()))
  page.on('requestfinished', (request) => answered.push(request.url()))
  if (options.javaScriptEnabled !== false) {
    await page.addInitScript(() => {
      const violations: string[] = []
      Object.assign(window, { violations })
      document.addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective))
    })
  }
  await page.goto(pathToFileURL(file).href)
  return { page, problems, requests, answered }
}

/** Dots of each chart that are not the ground, of a colour where one is given (within a small distance). */
async function ink(page: Page, selector = '.panel', colour: readonly number[] | null = null): Promise<number[]> {
  return page.$$eval(
    `${selector} canvas`,
    (canvases, wanted) =>
      canvases.map((canvas) => {
        const { width, height } = canvas as HTMLCanvasElement
        const { data } = (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height)
        let dots = 0
        for (let i = 0; i < data.length; i += 4) {
          if (data[i + 3]! < 128) continue
          if (!wanted || wanted.every((channel, j) => Math.abs(data[i + j]! - channel) < 12)) dots++
        }
        return dots
      }),
    colour,
  )
}

const BLUE = [0x00, 0x72, 0xb2]
const shownPart = (page: Page) =>
  page.$$eval('.panel[data-from]', (panels) =>
    panels.map((panel) => [Number((panel as HTMLElement).dataset.from), Number((panel as HTMLElement).dataset.to)]),
  )
const tooltip = (page: Page, chart: string) =>
  page.$eval(`${chart} .tooltip`, (one) =>
    (one as HTMLElement).hidden
      ? []
      : Array.from(one.querySelectorAll('strong, .line'), (line) =>
          line.matches('strong')
            ? line.textContent!
            : Array.from(line.children, (part) => part.textContent)
                .join(' ')
                .trim(),
        ),
  )

describe('the page of a run', () => {
  it('opens from disk without a complaint, and asks for nothing but itself', async () => {
    const { page, problems, requests } = await open(ordinary)
    await page.waitForLoadState('networkidle')
    expect(problems).toEqual([])
    expect(await page.evaluate(() => (window as unknown as { violations: string[] }).violations)).toEqual([])
    expect(requests).toEqual([pathToFileURL(ordinary).href])
    expect(await page.title()).toBe('Training report: recorded run')
    await page.context().close()
  })

  it.each([
    ['without an iteration', { iterations: 0 }],
    ['of one iteration', { iterations: 1 }],
    ['of nothing but NaN', { iterations: 12, extraMetrics: () => ({ reward: Number.NaN, loss: Number.NaN }) }],
  ])('opens for a run %s too', async (name, options) => {
    const reports = new ReportGenerator({ outputDir: join(dir, name) })
    const { page, problems } = await open(await reports.generateHtmlReport(recordedRun(options)))
    for (const action of ['in', 'right', 'out', 'left']) await page.click(`#zoom [data-zoom=${action}]`)
    expect(problems).toEqual([])
    expect(await page.textContent('#zoom output')).toMatch(/^All iterations$|^Iterations \d+ to \d+$/)
    await page.context().close()
  })

  it('has a chart with ink for every panel that has data, and words for the others', async () => {
    const { page } = await open(ordinary)
    const dots = await ink(page)
    expect(dots).toHaveLength(12)
    expect(Math.min(...dots)).toBeGreaterThan(1500)
    expect((await ink(page, '#chart-rewards', BLUE))[0]).toBeGreaterThan(500)
    expect(await page.$$eval('.plot.empty .message', (all) => all.map((one) => one.textContent))).toEqual([
      'No data: quality/distinct_2 was not logged',
      'No data: ppo/approx_kl was not logged',
      'No data: adv/mean was not logged',
    ])
    await page.context().close()
  })

  it('reads the values exactly under the mouse', async () => {
    const { page } = await open(ordinary)
    const sensor = page.locator('#chart-rewards .sensor')
    await sensor.scrollIntoViewIfNeeded()
    const box = (await sensor.boundingBox())!
    const buckets = run.monitor.getMetricsStore().history('reward')!.buckets()
    const seen = new Set<number>()
    for (const share of [0.2, 0.5, 0.8]) {
      await page.mouse.move(box.x + box.width * share, box.y + 120)
      const [title, value] = await tooltip(page, '#chart-rewards')
      const iteration = Number(/^iteration (\d+)$/.exec(title!)![1])
      seen.add(iteration)
      expect(value).toBe(`Reward ${Number(buckets[iteration]!.last.toPrecision(10))}`)
    }
    expect(seen.size).toBe(3)
    await page.mouse.move(5, 5)
    expect(await tooltip(page, '#chart-rewards')).toEqual([])
    await page.context().close()
  })

  it('reads with the keyboard, NaN and values beyond the axis too', async () => {
    const { page } = await open(ordinary)
    const total = '#chart-loss_curves .panel:nth-child(3)'
    await page.focus(`${total} .sensor`)
    await page.keyboard.press('Home')
    for (let i = 0; i < 20; i++) await page.keyboard.press('ArrowRight')
    expect((await tooltip(page, total)).slice(0, 2)).toEqual(['iteration 20', 'Total loss NaN'])
    for (let i = 0; i < 10; i++) await page.keyboard.press('ArrowRight')
    expect((await tooltip(page, total)).slice(0, 2)).toEqual(['iteration 30', 'Total loss 1000000'])
    await page.keyboard.press('End')
    expect(await tooltip(page, total)).toEqual([
      'iteration 53',
      expect.stringMatching(/^Total loss 0\.0185185/),
      'critical kl-explosion',
      'stopped after iteration 53',
    ])
    await page.keyboard.press('+')
    expect((await shownPart(page))[0]![0]).toBeGreaterThan(20)
    await page.keyboard.press('0')
    expect((await shownPart(page))[0]![0]).toBeLessThan(0)
    await page.context().close()
  })

  it('reads under a finger, until another place is touched', async () => {
    const { page } = await open(ordinary, { hasTouch: true, viewport: { width: 390, height: 800 } })
    const sensor = page.locator('#chart-kl_divergence .sensor')
    await sensor.scrollIntoViewIfNeeded()
    const box = (await sensor.boundingBox())!
    await page.touchscreen.tap(box.x + box.width / 2, box.y + 120)
    const [title, value] = await tooltip(page, '#chart-kl_divergence')
    expect(title).toMatch(/^iteration \d\d$/)
    expect(value).toMatch(/^KL to the reference per token 0\.0\d+ nats\/token$/)
    await page.locator('#chart-kl_divergence .legend button').first().tap()
    expect(await tooltip(page, '#chart-kl_divergence')).toEqual([])
    await page.context().close()
  })

  it('zooms all charts together: by a drag, by the buttons, and back by a double click', async () => {
    const { page } = await open(ordinary)
    const sensor = page.locator('#chart-kl_divergence .sensor')
    await sensor.scrollIntoViewIfNeeded()
    const before = await ink(page)
    const [whole] = await shownPart(page)
    const box = (await sensor.boundingBox())!
    await page.mouse.move(box.x + box.width * 0.6, box.y + 120)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.8, box.y + 120, { steps: 4 })
    expect(await page.$eval('#chart-kl_divergence .selection', (one) => (one as HTMLElement).hidden)).toBe(false)
    await page.mouse.up()
    const parts = await shownPart(page)
    expect(new Set(parts.map(String)).size).toBe(1)
    const [from, to] = parts[0]! as [number, number]
    expect(from).toBeGreaterThan(25)
    expect(to).toBeLessThan(45)
    expect(await page.textContent('#zoom output')).toBe(`Iterations ${Math.ceil(from)} to ${Math.floor(to)}`)
    expect((await ink(page)).filter((dots, i) => dots !== before[i]).length).toBeGreaterThan(8)
    await page.click('#zoom [data-zoom=out]')
    const [wider] = await shownPart(page)
    expect(wider![1]! - wider![0]!).toBeCloseTo(2 * (to - from), 6)
    await sensor.dblclick()
    expect((await shownPart(page))[0]).toEqual(whole)
    expect(await ink(page)).toEqual(before)
    await page.context().close()
  })

  it('hides and shows what a legend names', async () => {
    const { page } = await open(ordinary)
    const dots = async () => (await ink(page, '#chart-kl_divergence', BLUE))[0]!
    const before = await dots()
    const button = page.locator('#chart-kl_divergence .legend button', { hasText: 'moving average' })
    expect(await button.getAttribute('aria-pressed')).toBe('true')
    await button.click()
    expect(await button.getAttribute('aria-pressed')).toBe('false')
    expect(await dots()).toBeLessThan(before / 4)
    await button.click()
    expect(await dots()).toBe(before)
    await page.context().close()
  })

  it('has every value as a table', async () => {
    const { page } = await open(ordinary)
    await page.click('#chart-rewards .values summary')
    const rows = await page.$$eval('#chart-rewards .values tr', (all) =>
      all.map((row) => Array.from(row.children, (cell) => cell.textContent)),
    )
    expect(rows[0]).toEqual(['Iteration', 'Reward', 'gold (never seen by detectors)'])
    expect(rows).toHaveLength(55)
    expect(rows[1]).toEqual(['0', '0.3', '0.4'])
    await page.context().close()
  })

  it('shows alerts with their samples, and what changed word by word', async () => {
    const { page } = await open(ordinary)
    const alert = page.locator('#alerts .alert.critical')
    expect(await alert.textContent()).toContain('KL divergence too high: kl_ref/token is 0.309')
    expect(await alert.textContent()).toContain('water them each morning .')
    for (const place of ['#alerts', '#samples']) {
      const removed = page.locator(`${place} del`, { hasText: 'then bake it .' }).first()
      const added = page.locator(`${place} ins`, { hasText: 'let the dough rest for an hour .' }).first()
      if (!(await removed.isVisible())) await page.locator(`${place} details:not([open]) > summary`).first().click()
      expect(await removed.isVisible()).toBe(true)
      expect(await added.isVisible()).toBe(true)
    }
    await page.context().close()
  })

  it('has all of its words without scripts', async () => {
    const { page, problems } = await open(ordinary, { javaScriptEnabled: false })
    const words = await page.textContent('main')
    for (const text of [
      'The run was stopped after iteration 53',
      'Roll back to the checkpoint of iteration 40',
      'The charts are drawn by a script, which is off',
      'Final 0.309 nats/token at iteration 53',
      'tell me how to bake bread',
      'PPO mechanics',
    ])
      expect(words).toContain(text)
    expect(await page.locator('noscript p').isVisible()).toBe(true)
    expect(await page.locator('#zoom').isVisible()).toBe(false)
    // What is closed opens without a script.
    await page.click('.further > summary')
    expect(await page.locator('.further table').isVisible()).toBe(true)
    expect(problems).toEqual([])
    await page.context().close()
  })

  it.each([320, 390, 768, 1280])('is no wider than a screen of %d', async (width) => {
    for (const file of [ordinary, hostile]) {
      const { page } = await open(file, { viewport: { width, height: 800 } })
      await page.$$eval('details', (all) => {
        for (const details of all) details.open = true
      })
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
      expect(Math.min(...(await ink(page)))).toBeGreaterThan(500)
      await page.context().close()
    }
  })

  it('is drawn anew when its width changes', async () => {
    const { page } = await open(ordinary)
    const widthOf = () => page.$eval('#chart-rewards canvas', (canvas) => canvas.getBoundingClientRect().width)
    const before = await widthOf()
    await page.setViewportSize({ width: 390, height: 800 })
    await expect.poll(widthOf).not.toBe(before)
    expect(await widthOf()).toBe(await page.$eval('#chart-rewards .plot', (plot) => plot.clientWidth))
    await page.context().close()
  })

  it('is dark where the reader’s system is, charts included, and light on paper', async () => {
    const { page } = await open(ordinary)
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const light = await ground()
    const blue = (await ink(page, '#chart-rewards', BLUE))[0]!
    await page.emulateMedia({ colorScheme: 'dark' })
    expect(await ground()).not.toBe(light)
    expect((await ink(page, '#chart-rewards', BLUE))[0]).toBeLessThan(blue / 10)
    expect((await ink(page, '#chart-rewards', [0x5b, 0xb2, 0xe6]))[0]).toBeGreaterThan(500)
    await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')))
    expect((await ink(page, '#chart-rewards', BLUE))[0]).toBe(blue)
    await page.evaluate(() => window.dispatchEvent(new Event('afterprint')))
    await page.emulateMedia({ media: 'print' })
    expect(await page.locator('nav').isVisible()).toBe(false)
    await page.context().close()
  })

  it('lets nothing else run and nothing be loaded', async () => {
    const { page, answered } = await open(ordinary)
    await page.evaluate(async () => {
      const script = document.createElement('script')
      script.textContent = 'window.__pwned = 1'
      document.body.append(script)
      const image = document.createElement('img')
      image.src = 'https://example.com/x.png'
      document.body.append(image)
      document.body.insertAdjacentHTML('beforeend', '<p onclick="window.__pwned = 2" style="color:red">x</p>')
      ;(document.body.lastElementChild as HTMLElement).click()
      await fetch('https://example.com/').catch(() => undefined)
    })
    const found = await page.evaluate(() => {
      const { violations, __pwned } = window as unknown as { violations: string[]; __pwned?: number }
      return { violations: [...new Set(violations)].sort(), __pwned }
    })
    expect(found).toEqual({
      violations: ['connect-src', 'img-src', 'script-src-attr', 'script-src-elem', 'style-src-attr'],
      __pwned: undefined,
    })
    expect(answered).toEqual([pathToFileURL(ordinary).href])
    await page.context().close()
  })
})

describe('the page of a hostile run', () => {
  it('shows it all as text, and nothing of it runs', async () => {
    const { page, problems, requests } = await open(hostile)
    await page.$$eval('details', (all) => {
      for (const details of all) details.open = true
    })
    // Every value under every chart, every entry of every legend.
    for (const sensor of await page.$$('.sensor')) {
      await sensor.focus()
      for (const key of ['Home', 'ArrowRight', 'End']) await page.keyboard.press(key)
    }
    await page.waitForLoadState('networkidle')
    expect(problems).toEqual([])
    expect(requests).toEqual([pathToFileURL(hostile).href])
    const found = await page.evaluate(() => ({
      ...(window as unknown as { violations: string[]; __pwned?: unknown }),
      pwned: (window as unknown as { __pwned?: unknown }).__pwned,
      violations: (window as unknown as { violations: string[] }).violations,
      scripts: document.scripts.length,
      foreign: document.querySelectorAll('img, svg, iframe, object, embed, form, b, a:not([href^="#"])').length,
      comments: document.createNodeIterator(document, NodeFilter.SHOW_COMMENT).nextNode() !== null,
      polluted: ({} as Record<string, unknown>).polluted,
    }))
    expect(found).toMatchObject({ violations: [], scripts: 2, foreign: 0, comments: false })
    expect(found.pwned).toBeUndefined()
    expect(found.polluted).toBeUndefined()
    const words = await page.textContent('main')
    expect(words).toContain(
      '</script><script>window.__pwned=1;alert(1)</script><!--<img src=x onerror="window.__pwned=2">',
    )
    expect(words).toContain('__proto__')
    expect(words).toMatch(/… \([\d,]+ more characters\)/)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(words).not.toMatch(/[\u001b\u202e\u2028]/)
    expect(EVIL).toMatch(/\u202e/)
    await page.context().close()
  })

  it('is small all the same', () => {
    expect(statSync(hostile).size).toBeLessThan(1_000_000)
  })
})
