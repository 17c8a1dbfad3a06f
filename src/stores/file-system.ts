/**
 * On which kind of file system a path lies: a database with a write-ahead log needs memory that all who use it share, which no network gives.
 *
 * @module
 */
import { statfsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Numbers by which Linux names file systems that other machines may write, too. FUSE is among them: its number does not tell sshfs from a file system of this
 * machine, and a database that was moved for nothing costs less than one that was damaged.
 */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0x564c, 'NCP'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x65735546, 'FUSE'],
  [0x01021997, '9p'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x19830326, 'BeeGFS'],
  [0x00c36400, 'Ceph'],
  [0x20030528, 'OrangeFS'],
  [0xaad7aaea, 'PanFS'],
  [0xbeefdead, 'SNFS'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
  // Folders of the machine that a virtual one runs on.
  [0x786f4256, 'vboxsf'],
  [0xbacbacbc, 'vmhgfs'],
])

/** Name of the network file system with this number; null for any other, and where the number is none of Linux's. */
export function networkFileSystem(type: number, platform: NodeJS.Platform = process.platform): string | null {
  // Others number what they have mounted, one after the other. A number above 2^31 may have come with a sign.
  return platform === 'linux' ? (NETWORK_FILE_SYSTEMS.get(type >>> 0) ?? null) : null
}

/** Name of the network file system on which a path lies, or the first folder above it that is there; null where it is on none. */
export type FileSystemOf = (path: string) => string | null

/** Asks the system. What cannot be asked counts as no network: whoever opens a file there is told what is wrong. */
export const fileSystemOf: FileSystemOf = (path) => {
  for (let at = resolve(path); ; at = dirname(at)) {
    try {
      return networkFileSystem(statfsSync(at).type)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if ((code !== 'ENOENT' && code !== 'ENOTDIR') || dirname(at) === at) return null
    }
  }
}
