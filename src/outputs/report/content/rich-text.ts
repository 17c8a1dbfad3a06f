/**
 * What the reports say, before it is Markdown or HTML: sentences of ours with names and texts from outside in them, each
 * marked as what it is, so that no writer can forget to escape one.
 *
 * @module
 */

/** Our own words, a name, outside text (cut to `limit` characters, 300 by default), or something to stress. */
export type Piece =
  | string
  | { readonly code: string }
  | { readonly text: string; readonly limit?: number }
  | { readonly strong: string }

/** A sentence or a cell. */
export type Words = readonly Piece[]

/** Something with its name before it. */
export interface Fact {
  readonly label: string
  readonly words: Words
}

/** A table; columns of numbers are aligned to the right. */
export interface Table {
  readonly columns: readonly { readonly heading: Words; readonly numeric?: boolean }[]
  readonly rows: readonly (readonly Words[])[]
}

/** A name of a series, detector or callback. */
export function code(name: string): Piece {
  return { code: name }
}

/** Text from outside. */
export function text(content: string, limit?: number): Piece {
  return limit === undefined ? { text: content } : { text: content, limit }
}

/** Words between words, as in an enumeration. */
export function joined(items: readonly Words[], between: string): Words {
  return items.flatMap((item, i) => (i === 0 ? item : [between, ...item]))
}

/** Three significant digits. */
export function short(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(3)) : value
}
