/** Characters of a text that text measures look at. */
export const MAX_MEASURED_CHARACTERS = 2048

/** The words and marks of a text's first 2,048 characters, in lower case. */
export function wordsOf(text: string): string[] {
  return (
    text
      .slice(0, MAX_MEASURED_CHARACTERS)
      .toLowerCase()
      .match(/[\p{L}\p{N}_'-]+|[^\s\p{L}\p{N}_'-]/gu) ?? []
  )
}
