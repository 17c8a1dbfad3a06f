import { displayWidth } from '../../text/display-width.ts'
import type { Table } from './content/rich-text.ts'
import { markdownWords } from './markdown-text.ts'

/** Wider cells are not padded to: one long name must not make a table of a thousand columns. */
const MAX_PADDED_WIDTH = 100

/** A table that lines up as plain text too. */
export function markdownTable({ columns, rows }: Table): string {
  const cells = [
    columns.map(({ heading }) => markdownWords(heading)),
    ...rows.map((row) => columns.map((_, i) => markdownWords(row[i] ?? []))),
  ]
  const widths = columns.map((_, i) =>
    Math.max(3, ...cells.map((row) => Math.min(MAX_PADDED_WIDTH, displayWidth(row[i]!)))),
  )
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => padded(cell, widths[i]!, columns[i]!.numeric ?? false)).join(' | ')} |`
  const rule = columns.map(({ numeric }, i) => (numeric ? `${'-'.repeat(widths[i]! - 1)}:` : '-'.repeat(widths[i]!)))
  return [line(cells[0]!), `| ${rule.join(' | ')} |`, ...cells.slice(1).map(line)].join('\n')
}

function padded(cell: string, width: number, numeric: boolean): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(cell)))
  return numeric ? space + cell : cell + space
}
