import { crc32 } from 'node:zlib'

const SIGNATURE_BYTES = 8
const METRE_PER_INCH = 0.0254

/** The PNG with a `pHYs` chunk that says how many dots an inch has, so that it prints and embeds in its true size. */
export function withResolution(png: Buffer, dotsPerInch: number): Buffer {
  // The chunk belongs before the image data; the header chunk (13 bytes and 12 around them) always comes first.
  const afterHeader = SIGNATURE_BYTES + 12 + 13
  const dotsPerMetre = Math.round(dotsPerInch / METRE_PER_INCH)
  const chunk = Buffer.alloc(12 + 9)
  chunk.writeUInt32BE(9, 0)
  chunk.write('pHYs', 4, 'latin1')
  chunk.writeUInt32BE(dotsPerMetre, 8)
  chunk.writeUInt32BE(dotsPerMetre, 12)
  chunk.writeUInt8(1, 16)
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 17)), 17)
  return Buffer.concat([png.subarray(0, afterHeader), chunk, png.subarray(afterHeader)])
}
