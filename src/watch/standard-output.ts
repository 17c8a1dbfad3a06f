import { fstatSync, type Stats } from 'node:fs'

/** Descriptors of the standard output and error, which a program that is started inherits. */
const DESCRIPTORS = [1, 2]

/** Tells the files that our standard output and error, and those of what we start, go to: what is printed into them is no run of its own. */
export function isStandardOutput(): (file: Pick<Stats, 'dev' | 'ino'>) => boolean {
  const own = DESCRIPTORS.flatMap((descriptor) => {
    try {
      const stats = fstatSync(descriptor)
      return stats.isFile() ? [stats] : []
    } catch {
      // It is closed.
      return []
    }
  })
  return ({ dev, ino }) => own.some((one) => one.dev === dev && one.ino === ino)
}
