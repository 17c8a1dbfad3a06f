/**
 * A word-level tokenizer: lower-case words and single punctuation marks, from a fixed list.
 *
 * @module
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { errorMessage, TelltaleError } from '../errors.ts'
import { PAD_ID } from './model.ts'

/** The special tokens, in the order of their ids. */
export const SPECIAL_TOKENS = ['<pad>', '<eos>', '<unk>'] as const

/** Characters of a text that are looked at; more is cut, since no model here reads that far. */
const MAX_CHARACTERS = 100_000

/** Turns texts into token ids and back. */
export interface Tokenizer {
  /** All tokens by id; the special ones first. */
  readonly tokens: readonly string[]
  /** Id of the padding token. */
  readonly padId: number
  /** Id of the end-of-sequence token. */
  readonly eosId: number
  /** Id of the token for words that are not in the list. */
  readonly unknownId: number
  /** Number of tokens, the special ones included. */
  readonly vocabSize: number
  /** Ids of the words of a text; words that are not in the list are `<unk>`. */
  encode(text: string): Int32Array
  /** The words of ids up to the first end of sequence, joined by spaces; padding is left out. */
  decode(ids: ArrayLike<number>): string
  /** What a file holds; {@link loadTokenizer} reads it. */
  toJSON(): { readonly format: 'telltale-words-1'; readonly words: readonly string[] }
}

/**
 * A tokenizer over a list of words.
 *
 * @throws TelltaleError `bad-option` for a word that is empty, listed twice, or would not come out of the splitting whole.
 *
 * @example
 * ```ts
 * import { wordTokenizer } from 'telltale/trainer'
 * const tokenizer = wordTokenizer(['hello', 'world', '.'])
 * const ids = tokenizer.encode('Hello world.')
 * console.log([...ids], tokenizer.decode(ids)) // [ 3, 4, 5 ] hello world .
 * ```
 */
export function wordTokenizer(words: readonly string[]): Tokenizer {
  const tokens = [...SPECIAL_TOKENS, ...words]
  const ids = new Map<string, number>(tokens.map((token, id) => [token, id]))
  if (ids.size !== tokens.length) {
    const twice = words.find((word, i) => words.indexOf(word) !== i || SPECIAL_TOKENS.includes(word as never))
    throw new TelltaleError('bad-option', `the word ${JSON.stringify(twice)} is listed twice`)
  }
  for (const word of words) {
    if (typeof word !== 'string' || split(word).join('') !== word || split(word).length !== 1) {
      throw new TelltaleError('bad-option', `${JSON.stringify(word)} is not one lower-case word or punctuation mark`)
    }
  }
  const [padId, eosId, unknownId] = [PAD_ID, 1, 2]
  return {
    tokens,
    padId,
    eosId,
    unknownId,
    vocabSize: tokens.length,
    encode: (text) => Int32Array.from(split(text), (word) => ids.get(word) ?? unknownId),
    decode(encoded) {
      const decoded: string[] = []
      for (let i = 0; i < encoded.length && encoded[i] !== eosId; i++) {
        if (encoded[i] !== padId) decoded.push(tokens[encoded[i]!] ?? SPECIAL_TOKENS[unknownId]!)
      }
      return decoded.join(' ')
    },
    toJSON: () => ({ format: 'telltale-words-1', words: [...words] }),
  }
}

/**
 * Reads a tokenizer that was saved as JSON.
 *
 * @throws TelltaleError `not-readable` or `bad-format`.
 *
 * @example
 * ```ts
 * import { loadTokenizer, saveTokenizer, wordTokenizer } from 'telltale/trainer'
 * saveTokenizer('words.json', wordTokenizer(['hello', '.']))
 * console.log(loadTokenizer('words.json').tokens) // [ '<pad>', '<eos>', '<unk>', 'hello', '.' ]
 * ```
 */
export function loadTokenizer(path: string): Tokenizer {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new TelltaleError('not-readable', `The tokenizer ${path} cannot be read: ${errorMessage(error)}`)
  }
  try {
    const saved = JSON.parse(text) as { format?: unknown; words?: unknown }
    if (saved.format === 'telltale-words-1' && Array.isArray(saved.words)) return wordTokenizer(saved.words as string[])
  } catch (error) {
    throw new TelltaleError('bad-format', `The tokenizer ${path} is damaged: ${errorMessage(error)}`)
  }
  throw new TelltaleError(
    'bad-format',
    `${path} is not a tokenizer: expected {"format":"telltale-words-1","words":[…]}`,
  )
}

/**
 * Saves a tokenizer as JSON, whole or not at all.
 *
 * @throws TelltaleError `not-writable`.
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs'
 * import { saveTokenizer, wordTokenizer } from 'telltale/trainer'
 * saveTokenizer('tokenizer.json', wordTokenizer(['hello', '.']))
 * console.log(JSON.parse(readFileSync('tokenizer.json', 'utf8')).words) // [ 'hello', '.' ]
 * ```
 */
export function saveTokenizer(path: string, tokenizer: Tokenizer): void {
  try {
    writeFileSync(`${path}.tmp`, `${JSON.stringify(tokenizer)}\n`)
    renameSync(`${path}.tmp`, path)
  } catch (error) {
    throw new TelltaleError('not-writable', `The tokenizer ${path} cannot be written: ${errorMessage(error)}`)
  }
}

function split(text: string): string[] {
  return (
    text
      .slice(0, MAX_CHARACTERS)
      .toLowerCase()
      .match(/[\p{L}\p{N}_'-]+|[^\s\p{L}\p{N}_'-]/gu) ?? []
  )
}
