import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { rowsFromJson } from '../../plots/panel-json.ts'
import { EVIL, hostileRun } from '../hostile-run.fixture.ts'
import { recordedRun } from '../recorded-run.fixture.ts'
import { ReportGenerator } from '../report-generator.ts'
import type { ReportInput } from '../report-input.ts'
import { html, inertJson, shortened } from './html.ts'
import { hashSource, pageFile } from './page-files.ts'

async function write(input: ReportInput): Promise<string> {
  const reports = new ReportGenerator({ outputDir: mkdtempSync(join(tmpdir(), 'telltale-html-')) })
  return readFileSync(await reports.generateHtmlReport(input), 'utf8')
}

/** The page without what is not of its own writing: script, style, the charts' data, hashes and the machine's Node. */
function skeleton(page: string): string {
  return page
    .replace(
      /(<script>|<style>|<script type="application\/json" id="figures">)[\s\S]*?(<\/script>|<\/style>)/g,
      '$1…$2',
    )
    .replace(/&#39;sha256-[^&]*&#39;/g, '…')
    .replace(`node</bdi> <bdi>${process.version}`, 'node</bdi> <bdi>vX')
}

describe('the page', () => {
  it('reads as it did (golden: a stopped run)', async () => {
    const page = await write(recordedRun({ klGrowth: 0.02, extraMetrics: (i) => ({ 'gold/judge': 1 - i / 50 }) }))
    await expect(skeleton(page)).toMatchFileSnapshot('../golden/stopped.html')
  })

  it.each([
    ['an empty run', () => ({ monitor: recordedRun({ iterations: 0 }).monitor })],
    ['a run without an analyzer', () => ({ ...recordedRun({ iterations: 30 }), analyzer: undefined })],
    ['a run that goes on', () => recordedRun({ iterations: 5, end: null })],
    ['a run of nothing but NaN', () => recordedRun({ iterations: 12, extraMetrics: () => ({ reward: Number.NaN }) })],
  ] as const)('is well formed for %s', async (_name, run) => {
    const page = skeleton(await write(run()))
    const open: string[] = []
    const empty = new Set(['meta', 'link', '!doctype'])
    for (const [, end, tag] of page.matchAll(/<(\/?)([a-z!][a-z0-9]*)[^>]*>/g)) {
      if (empty.has(tag!)) continue
      if (end === '') open.push(tag!)
      else expect(open.pop()).toBe(tag)
    }
    expect(open).toEqual([])
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const targets = [...page.matchAll(/(?:href="#|aria-labelledby=")([^"]+)"/g)].map(([, id]) => id)
    expect(targets.filter((id) => !ids.includes(id))).toEqual([])
  })

  it('asks nobody for anything, and allows only its own script and style', async () => {
    const page = await write(recordedRun())
    const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(page)![1]!.replaceAll('&#39;', "'")
    const script = /<script>([\s\S]*?)<\/script>/.exec(page)![1]!
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)![1]!
    expect(policy).toBe(
      `default-src 'none'; script-src ${hashSource(script)}; style-src ${hashSource(style)}; img-src data:; base-uri 'none'; form-action 'none'`,
    )
    expect([...skeleton(page).matchAll(/(?:src|href)="([^"#][^"]*)"/g)].map(([, url]) => url)).toEqual(['data:,'])
    expect(skeleton(page)).not.toMatch(/ style="| on\w+="|url\(/)
  })

  it('has the data of its charts, NaN and Infinity as such', async () => {
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300, 0.1 + 0.2]
    const page = await write(recordedRun({ iterations: 5, extraMetrics: (i) => ({ loss: odd[i]! }) }))
    const json = /<script type="application\/json" id="figures">([\s\S]*?)<\/script>/.exec(page)![1]!
    const figures = JSON.parse(json) as { name: string; rows: never[] }[]
    expect(figures.map(({ name }) => name)).toEqual([
      'rewards',
      'kl_divergence',
      'quality_metrics',
      'loss_curves',
      'ppo_mechanics',
    ])
    const panels = rowsFromJson(figures[3]!.rows).flatMap((row) => row.panels.map(({ panel }) => panel))
    const total = panels.find((panel) => panel.kind === 'series' && panel.series.name === 'loss/total')
    expect(total?.kind === 'series' && total.series.buckets.map(({ last }) => last)).toEqual(odd)
  })

  it('keeps every spike of a long run in a page of bounded size', async () => {
    const page = await write(
      recordedRun({
        iterations: 20_000,
        totalIterations: null,
        checkpointEvery: 0,
        klGrowth: -0.0005,
        extraMetrics: (i) => ({ loss: i === 12_345 ? 77.25 : Math.sin(i) }),
      }),
    )
    // The script has 0.5 MB, and each series at most 1,024 buckets.
    expect(page.length).toBeLessThan(2_500_000)
    expect(page.includes('77.25')).toBe(true)
  })
})

describe('what comes from outside', () => {
  it('is text, whatever is in it', async () => {
    const page = await write(hostileRun())
    const shown = skeleton(page)
    // The two scripts of the page and no other markup than its own.
    expect(page.match(/<script/g)).toHaveLength(2)
    expect(page).not.toContain('<!--')
    expect(shown).not.toMatch(/<(img|svg|iframe|object|a href="(?!#))/)
    expect(shown).toContain('&lt;/script&gt;&lt;script&gt;window.__pwned=1')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(page).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f\u2028\u202e]/)
    expect(shown).toContain('<code>__proto__</code>')
    expect(shown).toMatch(/… \([\d,]+ more characters\)/)
    expect(page.length).toBeLessThan(1_000_000)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  it('says how many characters of an answer are missing', async () => {
    const page = await write(hostileRun())
    const missing = EVIL.length * 10_000 - 2000
    expect(page).toContain(`… (${missing.toLocaleString('en-US')} more characters)`)
  })
})

describe('html', () => {
  it('escapes text, keeps its own markup, and leaves out null and false', () => {
    expect(html`<p title="${'"\''}">${'<&>'}${html`<b>${1}</b>`}${[null, false, 'x']}</p>`.markup).toBe(
      '<p title="&quot;&#39;">&lt;&amp;&gt;<b>1</b>x</p>',
    )
    expect(html`${'a\r\nb\n\u001b[31mc\u202e\u2028'}`.markup).toBe('a\nb\n\ufffd[31mc\ufffd ')
  })

  it('makes JSON that no parser takes for anything else', () => {
    const value = ['</script><!--', '\u2028\u2029', '&amp;']
    const { markup } = inertJson(value)
    expect(markup).not.toMatch(/[<>&\u2028\u2029]/)
    expect(JSON.parse(markup)).toEqual(value)
  })

  it('says how much it cuts', () => {
    expect(shortened('abc', 3)).toBe('abc')
    expect(shortened('abcdef', 3, 2000)).toBe('abc… (2,003 more characters)')
  })
})

it('the parts of the page are there, and hold nothing that would end them', () => {
  expect(pageFile('page.js')).not.toMatch(/<\/script|<!--/i)
  expect(pageFile('page.css')).not.toMatch(/<\/style|@import|url\(/i)
  expect(() => pageFile('page.png' as never)).toThrow(/page.png, a part of the HTML report.*npm run build/)
})
