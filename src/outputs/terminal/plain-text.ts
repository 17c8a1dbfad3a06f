/**
 * Text from outside (answers, prompts, run ids, metric names, reasons) as one line that a terminal only shows.
 *
 * @module
 */

// Whole sequences first, so that their parameters do not stay behind as text. A string sequence (OSC, DCS, …) counts only
// with its terminator: an unterminated one must not hide what follows it.
const SEQUENCES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to go
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)|\u001b[ -/]*[0-~]/g
const BREAKS = /[\s\u0085\u2028\u2029]+/gu
// Controls, invisible and direction-changing characters; the two joiners stay, since emoji and several scripts need them.
const HARMFUL = /(?![\u200c\u200d])[\p{Cc}\p{Cf}]/gu
/** Private characters and halves of pairs, which every terminal shows in its own width. */
const UNKNOWN = /[\p{Co}\p{Cs}]/gu
/** Towers of combining marks grow into the lines above. */
const TOWERS = /(\p{M}{3})\p{M}+/gu

/** Characters looked at; longer text is cut before anything is searched in it. */
const MAX_CHARACTERS = 4000

/**
 * One line without terminal escapes, controls, bidirectional marks and towers of accents; runs of white space are one space.
 *
 * @param limit characters kept, 4,000 at most.
 */
export function plainText(text: unknown, limit = MAX_CHARACTERS): string {
  if (typeof text !== 'string') return ''
  return text
    .slice(0, Math.min(limit, MAX_CHARACTERS))
    .replace(SEQUENCES, '')
    .replace(BREAKS, ' ')
    .replace(HARMFUL, '')
    .replace(UNKNOWN, '\ufffd')
    .replace(TOWERS, '$1')
}
