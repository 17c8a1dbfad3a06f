// Control characters (the terminal's escapes among them), invisible ones and those that change the direction of text; the
// two joiners stay, since emoji and several scripts are written with them.
const HARMFUL = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu

/**
 * Text from outside that shows what is in it and does nothing: control characters (escapes of a terminal), invisible
 * characters and those that change the direction of text become a space or a replacement character.
 */
export function harmless(text: string): string {
  return text.replace(HARMFUL, visible)
}

function visible(character: string): string {
  return /\s/.test(character) ? ' ' : '\ufffd'
}
