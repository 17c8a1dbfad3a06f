/** Characters of a text that text measures look at. */
export const MAX_MEASURED_CHARACTERS = 2048

/** The words and marks of a text's first 2,048 characters, in lower case. */
export function wordsOf(text: string): string[] {
  const measured = text.slice(0, MAX_MEASURED_CHARACTERS).toLowerCase()
  // Most answers are ASCII, and then the tables of Unicode need not be asked.
  return measured.match(ASCII.test(measured) ? ASCII_WORDS : WORDS) ?? []
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the first half of the characters, all of them
const ASCII = /^[\u0000-\u007f]*$/
const ASCII_WORDS = /[a-z0-9_'-]+|[^\sa-z0-9_'-]/g
const WORDS = /[\p{L}\p{N}_'-]+|[^\s\p{L}\p{N}_'-]/gu
