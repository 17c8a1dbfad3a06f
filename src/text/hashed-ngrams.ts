const DIMENSIONS = 256
const MAX_CHARACTERS = 8192

/**
 * A text as counts of its hashed runs of three characters, scaled to length 1 (all 0 for an empty text): a stand-in where
 * no model gives a vector. What it measures is lexical, not semantic.
 */
export function hashedNgrams(text: string): Float32Array {
  const vector = new Float32Array(DIMENSIONS)
  const padded = ` ${text.slice(0, MAX_CHARACTERS).toLowerCase()} `
  for (let i = 0; i + 3 <= padded.length; i++) {
    let hash = 0x811c9dc5
    for (let j = i; j < i + 3; j++) hash = Math.imul(hash ^ padded.charCodeAt(j), 0x01000193)
    const index = (hash >>> 0) % DIMENSIONS
    vector[index] = vector[index]! + 1
  }
  const norm = Math.hypot(...vector)
  return norm > 0 && text.length > 0 ? vector.map((count) => count / norm) : new Float32Array(DIMENSIONS)
}
