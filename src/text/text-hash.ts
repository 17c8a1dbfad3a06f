/** Characters of a text that its hash is made of. */
const MAX_HASHED = 128

/** A hash of a text's length and beginning (FNV-1a, 32 bits, unsigned): the same for the same text in every run. */
export function textHash(text: string): number {
  let hash = 0x811c9dc5 ^ text.length
  for (let i = 0; i < Math.min(text.length, MAX_HASHED); i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
