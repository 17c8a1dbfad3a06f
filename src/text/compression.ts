import { deflateRawSync, type ZlibOptions } from 'node:zlib'
import { MAX_MEASURED_CHARACTERS } from './words.ts'

/**
 * Compressed size of texts together over their size (raw deflate, level 6): lower means that they repeat themselves or each other.
 * Above 1 is possible for short texts. 1 for no text.
 */
export function compressionRatio(texts: readonly string[]): number {
  const bytes = Buffer.from(texts.map((text) => text.slice(0, MAX_MEASURED_CHARACTERS)).join('\n'))
  return bytes.length === 0 ? 1 : deflateRawSync(bytes, sizesFor(bytes.length)).length / bytes.length
}

/**
 * Sizes that just hold the texts, for the same result as the usual ones: those take a quarter of a megabyte from the system
 * each time, which costs more than compressing the answers of an iteration.
 */
function sizesFor(bytes: number): ZlibOptions {
  const bitsOf = (size: number) => Math.ceil(Math.log2(size + 1))
  return {
    level: 6,
    // A match reaches back as far as the window without its last 262 bytes.
    windowBits: Math.min(15, Math.max(9, bitsOf(bytes + 262))),
    // Symbols that one block holds: 2^(memLevel + 6), and never more symbols than bytes.
    memLevel: Math.min(8, Math.max(1, bitsOf(bytes) - 6)),
    chunkSize: Math.min(16 * 1024, Math.max(64, bytes)),
  }
}
