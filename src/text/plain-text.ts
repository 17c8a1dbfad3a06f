// Terminal sequences: CSI, then OSC, DCS, SOS, PM and APC up to their end (or the end of the text, where none comes), then
// two-character escapes. The eight-bit forms of the same are among them.
const ESCAPES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this takes out
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this takes out
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/g
// Marks and overrides that reorder text on the screen, and characters that are there but not seen.
const INVISIBLE = /[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu

/**
 * A text that is safe to show on one line of a terminal: without escapes, control characters (line breaks and tabs become
 * spaces) and characters that reorder or hide text, and cut to `maxCharacters` code points with an ellipsis.
 */
export function plainText(text: string, maxCharacters = 2000): string {
  const cut = text.length > 4 * maxCharacters ? text.slice(0, 4 * maxCharacters) : text
  const plain = cut
    .replace(ESCAPES, '')
    .replace(/[\t\r\n\u2028\u2029]+/g, ' ')
    .replace(CONTROLS, '')
    .replace(INVISIBLE, '')
  const points = Array.from(plain)
  return points.length > maxCharacters || cut !== text ? `${points.slice(0, maxCharacters - 1).join('')}…` : plain
}
