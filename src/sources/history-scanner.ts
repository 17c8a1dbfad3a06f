/**
 * Picks the entries of one list out of a JSON document that comes in pieces, so that a state file of any size is never held whole. Python's
 * bare NaN and Infinity are let through: each entry is parsed on its own.
 *
 * @module
 */

/** Longest entry, and most of what stands beside the list. */
const MAX_ENTRY_CHARACTERS = 1024 * 1024
const MAX_REST_CHARACTERS = 1024 * 1024

/** What the scanner has met. */
export interface HistoryScanner {
  /** Takes the next piece of the document; `entry` is called with the text of each whole entry and the character at which it begins. */
  take(text: string): void
  /** Whether the document has come to its end. */
  readonly complete: boolean
  /** The document without the entries of the list; null where it is too long. */
  readonly rest: string | null
  /** What is wrong, once something is: the rest is not looked at. */
  readonly problem: string | null
}

/** @param key of the list, in the document's outermost object. */
export function historyScanner(key: string, entry: (text: string, character: number) => void): HistoryScanner {
  const opening = new RegExp(`"${key}"\\s*:\\s*$`)
  let characters = 0
  let depth = 0
  let inText = false
  let escaped = false
  /** Depth of the list while inside it, else 0. */
  let list = 0
  let current: string[] | null = null
  let currentLength = 0
  let currentFrom = 0
  let rest = ''
  let tooLong = false
  let complete = false
  let problem: string | null = null

  function keep(text: string): void {
    if (text === '') return
    if (current !== null) {
      currentLength += text.length
      if (currentLength <= MAX_ENTRY_CHARACTERS) current.push(text)
    } else if (list === 0) {
      if (rest.length + text.length > MAX_REST_CHARACTERS) tooLong = true
      else rest += text
    }
  }

  function close(): void {
    depth--
    if (current !== null && depth === list) {
      if (currentLength > MAX_ENTRY_CHARACTERS) problem = `an entry longer than ${MAX_ENTRY_CHARACTERS} characters`
      else entry(current.join(''), currentFrom)
      current = null
    } else if (list > 0 && depth < list) {
      list = 0
      keep(']')
    }
    if (depth === 0) complete = true
    if (depth < 0) problem = 'a bracket closes nothing'
  }

  return {
    get complete() {
      return complete && problem === null
    },
    get rest() {
      return tooLong ? null : rest
    },
    get problem() {
      return problem
    },
    take(text) {
      let from = 0
      for (let at = 0; at < text.length && problem === null; at++) {
        const code = text.charCodeAt(at)
        if (inText) {
          if (escaped) escaped = false
          else if (code === 92) escaped = true
          else if (code === 34) inText = false
          continue
        }
        if (code === 34) inText = true
        else if (code === 123 || code === 91) {
          keep(text.slice(from, at))
          from = at
          if (complete) problem = 'text after the end of the document'
          depth++
          if (list > 0 && depth === list + 1 && code === 123) {
            current = []
            currentLength = 0
            currentFrom = characters + at
          } else if (code === 91 && depth === 2 && list === 0 && opening.test(rest.slice(-200))) {
            keep('[')
            list = 2
            from = at + 1
          }
        } else if (code === 125 || code === 93) {
          keep(text.slice(from, at + 1))
          from = at + 1
          close()
        }
      }
      keep(text.slice(from))
      characters += text.length
    },
  }
}
