import { plainText } from '../../text/plain-text.ts'

/** What is left of the characters without a shape of their own (soft hyphens, annotations, …). */
const SHAPELESS = /\p{Cf}/gu
/** Private characters and halves of pairs, which every terminal shows in its own width. */
const UNKNOWN = /[\p{Co}\p{Cs}]/gu
/** Towers of combining marks grow into the lines above and below. */
const TOWERS = /(\p{M}{3})\p{M}+/gu
const SPACES = /\s+/gu

/** What nearly all texts are: printable ASCII with single spaces, of which nothing has to be taken out. */
const HARMLESS = /^(?:[!-~]| (?! ))*$/

/**
 * Text from outside (answers, prompts, run ids, metric names, reasons) as part of a line whose width can be counted: what
 * `plainText` takes out, and what terminals disagree about.
 *
 * @param limit code points kept.
 */
export function displayText(text: unknown, limit = 1000): string {
  if (typeof text !== 'string') return ''
  if (text.length <= limit && HARMLESS.test(text)) return text
  return plainText(text, limit)
    .replace(SHAPELESS, '')
    .replace(UNKNOWN, '\ufffd')
    .replace(TOWERS, '$1')
    .replace(SPACES, ' ')
}
