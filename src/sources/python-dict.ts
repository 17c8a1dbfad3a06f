/**
 * Dictionaries as Python prints them: `{'loss': '0.12', 'kl': nan, 'grad': np.float64(1.5)}`. Only their numbers are of use here.
 *
 * @module
 */

/** Longest dictionary that is looked at. */
const MAX_CHARACTERS = 256 * 1024
const MAX_DEPTH = 64

/** A dictionary's numbers by name, those in quotes included; null where the text from `start` is no dictionary with its end. */
export function pythonDict(text: string, start: number): Readonly<Record<string, number>> | null {
  if (text[start] !== '{' || text.length - start > MAX_CHARACTERS) return null
  const numbers: Record<string, number> = Object.create(null)
  let at = skipBlanks(text, start + 1)
  if (text[at] === '}') return numbers
  for (;;) {
    const key = quoted(text, at)
    if (key === null) return null
    at = skipBlanks(text, key.end)
    if (text[at] !== ':') return null
    at = skipBlanks(text, at + 1)
    const end = endOfValue(text, at)
    if (end === null) return null
    const number = numberOf(text.slice(at, end).trim())
    if (number !== null) numbers[key.value] = number
    at = skipBlanks(text, end)
    if (text[at] === '}') return numbers
    if (text[at] !== ',') return null
    at = skipBlanks(text, at + 1)
  }
}

/** A number as Python prints it: `nan` and `inf` included, in quotes, or as numpy and PyTorch show theirs. */
export function numberOf(text: string): number | null {
  const wrapped = /^(?:'([^']*)'|"([^"]*)"|(?:np\.|numpy\.|torch\.)?[a-z]+\d*\(([^(),]+)(?:,[^()]*)?\))$/.exec(text)
  const bare = (wrapped?.[1] ?? wrapped?.[2] ?? wrapped?.[3] ?? text).trim()
  if (/^[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(bare)) return Number(bare.replaceAll('_', ''))
  if (/^[+-]?nan$/i.test(bare)) return Number.NaN
  const infinite = /^([+-]?)inf(?:inity)?$/i.exec(bare)
  if (infinite) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  return null
}

function quoted(text: string, at: number): { readonly value: string; readonly end: number } | null {
  const end = endOfText(text, at)
  if (end === null) return null
  return { value: text.slice(at + 1, end - 1).replace(/\\(['"\\])/g, '$1'), end }
}

/** Where the text that begins here in quotes ends, or null. */
function endOfText(text: string, at: number): number | null {
  const quote = text[at]
  if (quote !== "'" && quote !== '"') return null
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === quote) return i + 1
  }
  return null
}

/** Where a value ends: at the comma or brace after it, past whatever it holds itself. */
function endOfValue(text: string, start: number): number | null {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const character = text[at]!
    if (character === "'" || character === '"') {
      const end = endOfText(text, at)
      if (end === null) return null
      at = end - 1
    } else if (character === '(' || character === '[' || character === '{') {
      if (++depth > MAX_DEPTH) return null
    } else if (depth === 0 && (character === ',' || character === '}')) return at
    else if (character === ')' || character === ']' || character === '}') depth--
    if (depth < 0) return null
  }
  return null
}

function skipBlanks(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) <= 32) at++
  return at
}
