/**
 * HTML that is escaped by construction: a template whose values are text, however hostile, unless they are made by the same
 * template.
 *
 * @module
 */
import type { Table, Words } from '../content/rich-text.ts'
import { formatNumber } from '../format.ts'
import { harmless } from '../harmless.ts'

/** Markup; only {@link html} and {@link trusted} make it. */
export class Html {
  readonly markup: string

  constructor(markup: string) {
    this.markup = markup
  }
}

/** What may stand in a template; null and false leave nothing. */
export type HtmlValue = string | number | Html | null | false | readonly HtmlValue[]

/** Markup with values in it: text is escaped, for between tags and for attributes in quotation marks alike. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(strings.reduce((markup, part, i) => markup + valueMarkup(values[i - 1] ?? null) + part))
}

/** Markup of our own making that comes from elsewhere: the style, the script. */
export function trusted(markup: string): Html {
  return new Html(markup)
}

function valueMarkup(value: HtmlValue): string {
  if (value === null || value === false) return ''
  if (value instanceof Html) return value.markup
  if (typeof value === 'object') return value.map(valueMarkup).join('')
  return escaped(String(value))
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Line breaks stay; what else could act becomes visible. */
function escaped(text: string): string {
  return text
    .split(/\r\n|\n/)
    .map(harmless)
    .join('\n')
    .replace(/[&<>"']/g, (character) => ENTITIES[character]!)
}

/** JSON that no parser of HTML takes for markup and no parser of scripts for a line break. */
export function inertJson(value: unknown): Html {
  const text = JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return new Html(text)
}

/** A sentence or a cell. */
export function htmlWords(words: Words): Html {
  return html`${words.map((piece) => {
    if (typeof piece === 'string') return piece
    if ('code' in piece) return html`<code>${piece.code}</code>`
    if ('strong' in piece) return html`<strong>${piece.strong}</strong>`
    return html`<bdi>${shortened(piece.text, piece.limit ?? 300)}</bdi>`
  })}`
}

/** At most `limit` characters, with the number of those that are missing (`more` of them were cut off before). */
export function shortened(text: string, limit: number, more = 0): string {
  const kept = text.length > limit ? text.slice(0, limit) : text
  const missing = text.length - kept.length + more
  return missing > 0 ? `${kept}… (${formatNumber(missing)} more characters)` : kept
}

/** A table that scrolls by itself where the screen is narrow. */
export function htmlTable({ columns, rows }: Table, label: string): Html {
  const side = (i: number): string => (columns[i]?.numeric ? 'number' : '')
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table>
<thead><tr>${columns.map(({ heading }, i) => html`<th scope="col" class="${side(i)}">${htmlWords(heading)}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${columns.map((_, i) => html`<td class="${side(i)}">${htmlWords(row[i] ?? [])}</td>`)}</tr>\n`)}</tbody>
</table></div>`
}
