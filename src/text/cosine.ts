/** Cosine distance of two vectors: 0 for the same direction, 1 for none in common, 2 for opposite; 0 where both, 1 where one is zero. */
export function cosineDistance(a: Float32Array, b: Float32Array): number {
  let product = 0
  let squareA = 0
  let squareB = 0
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    product += a[i]! * b[i]!
    squareA += a[i]! ** 2
    squareB += b[i]! ** 2
  }
  if (squareA === 0 || squareB === 0) return squareA === squareB ? 0 : 1
  return Math.min(2, Math.max(0, 1 - product / Math.sqrt(squareA * squareB)))
}
