import { deflateRawSync } from 'node:zlib'
import { MAX_MEASURED_CHARACTERS } from './words.ts'

/**
 * Compressed size of texts together over their size (raw deflate, level 6): lower means that they repeat themselves or each other.
 * Above 1 is possible for short texts. 1 for no text.
 */
export function compressionRatio(texts: readonly string[]): number {
  const bytes = Buffer.from(texts.map((text) => text.slice(0, MAX_MEASURED_CHARACTERS)).join('\n'))
  return bytes.length === 0 ? 1 : deflateRawSync(bytes, { level: 6 }).length / bytes.length
}
