/**
 * Text from outside as Markdown that shows it and does nothing else: no markup, no HTML, no links, no terminal escapes, no
 * bidirectional controls, no megabytes.
 *
 * @module
 */
import type { Words } from './content/rich-text.ts'
import { formatNumber } from './format.ts'
import { harmless } from './harmless.ts'

const MARKUP = /[\\`*_[\]<>&|~#$]/g
/** Lines of one quoted text. */
const MAX_LINES = 40
const ENTITIES: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;' }

/** A sentence or a cell of a table. */
export function markdownWords(words: Words): string {
  return words
    .map((piece) => {
      if (typeof piece === 'string') return piece
      if ('code' in piece) return code(piece.code)
      return 'strong' in piece ? `**${piece.strong}**` : inlineText(piece.text, piece.limit)
    })
    .join('')
}

/** Text within a line. */
export function inlineText(text: string, limit = 300): string {
  return escaped(cut(oneLine(text, limit), limit, text.length))
}

/** A name in a code span; works in table cells too. */
export function code(name: string): string {
  const clean = cut(oneLine(name, 120), 120, name.length)
  const longest = Math.max(0, ...[...clean.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  const pad = clean === '' || clean.startsWith('`') || clean.endsWith('`') ? ' ' : ''
  return `${fence}${pad}${clean.replaceAll('|', '\\|')}${pad}${fence}`
}

/** Text of several lines as a block quote; `more` characters were cut off before. */
export function quoted(text: string, limit = 600, more = 0): string {
  if (text.trim() === '') return '> *(empty)*'
  const kept = text.slice(0, limit)
  const all = kept.split(/\r\n|[\n\r\u0085\u2028\u2029]/)
  const lines = all.slice(0, MAX_LINES).map((line) => escaped(harmless(line).trim()))
  if (all.length > MAX_LINES) lines.push(`*… (${formatNumber(all.length - MAX_LINES)} more lines)*`)
  const rest = text.length - kept.length + more
  if (rest > 0) lines.push(`*… (${formatNumber(rest)} more characters)*`)
  // Two spaces at the end keep a line break a line break.
  return lines.map((line) => (line === '' ? '>' : `> ${line}`)).join('  \n')
}

/** A word diff: what went is struck out, what came is underlined. */
export function wordDiff(
  words: readonly { readonly kind: 'kept' | 'removed' | 'added'; readonly text: string }[],
  limit = 1200,
): string {
  let text = ''
  let left = limit
  for (const { kind, text: run } of words) {
    if (left <= 0) break
    // Within a line of its own a leading mark would be a list or a heading; after other text it is not.
    const shown = oneLineKeepingEnds(run.slice(0, left))
    const safe = text === '' ? escaped(shown) : escapedWithin(shown)
    left -= run.length
    text += kind === 'kept' ? safe : kind === 'removed' ? `<del>${safe}</del>` : `<ins>${safe}</ins>`
  }
  const whole = words.reduce((sum, { text: run }) => sum + run.length, 0)
  return `> ${text.trim()}${whole > limit ? ` *… (${formatNumber(whole - limit)} more characters)*` : ''}`
}

function escaped(line: string): string {
  const within = escapedWithin(line)
  // What begins a list, a heading, a rule, a table or a code block does so only at the start of a line.
  return within.replace(/^(\s*)([-+=])/, '$1\\$2').replace(/^(\s*\d{1,9})([.)])(?=\s|$)/, '$1\\$2')
}

function escapedWithin(line: string): string {
  return line
    .replace(MARKUP, (mark) => ENTITIES[mark] ?? `\\${mark}`)
    .replace(/:(?=\/\/)/g, '&#58;')
    .replace(/www(?=\.)/gi, (www) => `${www.slice(0, 2)}&#${www.charCodeAt(2)};`)
    .replaceAll('@', '&#64;')
}

function oneLine(text: string, limit: number): string {
  // A little more than is shown, so that a megabyte is not worked through for a line of it.
  return harmless(text.slice(0, limit + 1))
    .replace(/\s+/g, ' ')
    .trim()
}

function oneLineKeepingEnds(text: string): string {
  return harmless(text).replace(/\s+/g, ' ')
}

function cut(text: string, limit: number, whole: number): string {
  return text.length > limit || whole > limit + 1
    ? `${text.slice(0, limit)}… (${formatNumber(Math.max(0, whole - limit))} more characters)`
    : text
}
