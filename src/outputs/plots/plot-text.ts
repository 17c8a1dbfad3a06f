/**
 * Text in a figure: what may be drawn, and how wide it is in the one font that is used, so that nothing overlaps on a
 * machine without a display.
 *
 * @module
 */

export const FONT_FAMILY = "'DejaVu Sans', Verdana, sans-serif"

/** Advance widths of DejaVu Sans from space to tilde, in thousandths of the font size, from the font's hmtx table. */
const ADVANCES = [
  318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636,
  636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863,
  748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635,
  615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636,
  337, 636, 838,
]
/** Superscript digits and signs are narrower than a full character. */
const SUPERSCRIPT = /[⁰¹²³⁴-⁹⁻]/
const BOLD_FACTOR = 1.12

/** Width of one line of text in the units of `size`. */
export function textWidth(text: string, size: number, weight: 'normal' | 'bold' = 'normal'): number {
  let thousandths = 0
  for (const character of text) {
    const code = character.codePointAt(0)!
    thousandths += ADVANCES[code - 32] ?? (SUPERSCRIPT.test(character) ? 430 : code < 0x2e80 ? 840 : 1000)
  }
  return (thousandths / 1000) * size * (weight === 'bold' ? BOLD_FACTOR : 1)
}

/**
 * Text from outside as one harmless line: no control or bidirectional characters, no half surrogates, at most
 * `maxCharacters`.
 */
export function plotText(text: string, maxCharacters = 200): string {
  const start = text.slice(0, maxCharacters * 4).replace(/\p{Cs}/gu, '\ufffd')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go
  const controls = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff]+/g
  const characters = Array.from(start.replace(controls, ' ').replace(/\s+/g, ' ').trim())
  return characters.length > maxCharacters ? `${characters.slice(0, maxCharacters - 1).join('')}…` : characters.join('')
}

/** As much of a text as fits, with an ellipsis where something is cut. */
export function fitText(text: string, size: number, width: number): string {
  if (textWidth(text, size) <= width) return text
  const characters = Array.from(text)
  while (characters.length > 0 && textWidth(`${characters.join('')}…`, size) > width) characters.pop()
  return `${characters.join('').trimEnd()}…`
}

/** A number for a legend: four significant digits, scientific where it is very large or small. */
export function plotNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (value < 0) return `−${plotNumber(-value)}`
  const size = value
  if (size !== 0 && (size >= 1e6 || size < 1e-4))
    return value
      .toExponential(2)
      .replace(/\.?0+e/, 'e')
      .replace('e+', 'e')
  return withCommas(String(Number(value.toPrecision(4))))
}

/** An iteration or a count, with thousands separated. */
export function plotCount(count: number): string {
  return withCommas(String(Math.round(count)))
}

function withCommas(digits: string): string {
  const [whole, fraction] = digits.split('.')
  const grouped = whole!.replace(/\B(?=(\d{3})+$)/g, ',')
  return fraction === undefined ? grouped : `${grouped}.${fraction}`
}
