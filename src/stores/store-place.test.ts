import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type FileSystemOf, fileSystemOf, networkFileSystem } from './file-system.ts'
import { existingStore, openStore } from './open-store.ts'
import { placeWords, storePlace } from './store-place.ts'

const place = realpathSync(mkdtempSync(join(tmpdir(), 'telltale-place-')))
afterAll(() => rmSync(place, { recursive: true, force: true }))
const nfs = join(place, 'nfs')
mkdirSync(nfs)
const below = (folders: readonly string[]): FileSystemOf => {
  return (path) => (folders.some((folder) => path.startsWith(folder)) ? 'NFS' : null)
}
const env = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  ...{ TELLTALE_DIR: join(nfs, 'data'), HOME: join(place, 'home') },
  ...more,
})
/** Which file system a place is on is asked of Linux alone. */
const isLinux = process.platform === 'linux'

describe('a file system', () => {
  it('of a network is known by its number, with a sign or without, and only on Linux', () => {
    const known = (type: number) => networkFileSystem(type, 'linux')
    expect([0x6969, 0x517b, 0xfe534d42, 0xff534d42].map(known)).toEqual(['NFS', 'SMB', 'SMB', 'CIFS'])
    expect([0xff534d42 | 0, 0xaad7aaea | 0].map(known)).toEqual(['CIFS', 'PanFS'])
    // ext4, XFS, Btrfs, ZFS, tmpfs, overlayfs.
    for (const local of [0xef53, 0x58465342, 0x9123683e, 0x2fc12fc1, 0x01021994, 0x794c7630])
      expect(known(local)).toBeNull()
    expect(networkFileSystem(0x6969, 'darwin')).toBeNull()
  })

  it('is asked of the first folder that is there', () => {
    const file = join(place, 'a-file')
    writeFileSync(file, '')
    for (const path of [join(place, 'not', 'there'), join(file, 'below'), '/', 'no such'])
      expect(() => fileSystemOf(path)).not.toThrow()
  })
})

describe('the store', () => {
  it('is in the data folder where that is on no network', () => {
    const found = storePlace(env(), () => null)
    expect([found.path, found.apart, placeWords(found)]).toEqual([join(nfs, 'data', 'telltale.db'), false, null])
  })

  it('is in the folder for caches else, the same one however the data folder is named', () => {
    const home = storePlace(env(), below([nfs]))
    expect(dirname(dirname(home.path))).toBe(join(place, 'home', '.cache', 'telltale'))
    const named = storePlace(env({ XDG_CACHE_HOME: join(place, 'xdg') }), below([nfs]))
    expect(dirname(dirname(named.path))).toBe(join(place, 'xdg', 'telltale'))
    // By its own rule one that is not absolute counts as none.
    expect(storePlace(env({ XDG_CACHE_HOME: 'xdg' }), below([nfs]))).toEqual(home)
    symlinkSync(nfs, join(place, 'link'))
    const linked = storePlace(env({ TELLTALE_DIR: join(place, 'link', 'data') }), () => 'NFS')
    const direct = storePlace(env(), () => 'NFS')
    expect(basename(dirname(linked.path))).toBe(basename(dirname(direct.path)))
    expect(storePlace(env({ TELLTALE_DIR: join(nfs, 'other') }), below([nfs])).path).not.toBe(home.path)
  })

  it.skipIf(!isLinux)('is in a folder of this user alone where homes are on the network, too', () => {
    const shared = `/var/tmp/telltale-${process.getuid!()}`
    const found = storePlace(env(), below([place]))
    expect(found.path.startsWith(`${shared}/`)).toBe(true)
    const nowhere = storePlace(env(), () => 'NFS')
    expect([nowhere.path, nowhere.apart]).toEqual([join(nfs, 'data', 'telltale.db'), false])
    expect(placeWords(nowhere)).toMatch(/the store stays there; set XDG_CACHE_HOME/)
    if (existsSync(shared)) return
    // One that others may write, or that is no folder, may be anybody's.
    try {
      mkdirSync(shared)
      chmodSync(shared, 0o777)
      expect(storePlace(env(), below([place])).apart).toBe(false)
      rmSync(shared, { recursive: true })
      symlinkSync(place, shared)
      expect(storePlace(env(), below([place])).apart).toBe(false)
    } finally {
      rmSync(shared, { recursive: true, force: true })
    }
  })

  it('is opened there, for its owner alone, said in one line, and found again', () => {
    const said: string[] = []
    const say = (text: string) => said.push(text)
    const networkOf = below([nfs])
    expect(existingStore(env(), say, networkOf)).toBeNull()
    expect(said).toEqual([])
    const store = openStore(env(), say, networkOf)
    const { path } = storePlace(env(), networkOf)
    store.claim({ key: 'k', run: 'r', name: 'r', path: '/r', source: 'jsonl' })
    store.note('k', 'kept', 1)
    store.close()
    expect(existsSync(path)).toBe(true)
    expect(existsSync(join(nfs, 'data'))).toBe(false)
    for (const folder of [dirname(path), dirname(dirname(path))]) expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(said).toEqual([
      `the data folder ${join(nfs, 'data')} is on NFS, where several machines at once would damage a database: the store is ${path}, of this machine alone`,
    ])
    const again = existingStore(env(), say, networkOf)
    expect(again).not.toBeNull()
    again?.close()
    expect(said).toHaveLength(2)
    mkdirSync(join(nfs, 'data'))
    writeFileSync(join(nfs, 'data', 'telltale.db'), '')
    expect(placeWords(storePlace(env(), networkOf))).toContain('is left as it is, and telltale import or rebuild')
  })
})
