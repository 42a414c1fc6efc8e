/**
 * Names of files in ZooKeeper's `version-2` directory (P1, P10): `log.<hex>` by its first zxid,
 * `snapshot.<hex>` by the zxid at its start.
 */
import { toZxid, type Zxid } from '../../core/base/zxid.ts'

export type FileKind = 'log' | 'snapshot'

export interface ZxidFile {
  readonly name: string
  readonly zxid: Zxid
}

const HEX = /^[0-9a-f]{1,16}$/

/** ZooKeeper's directory below dataDir and dataLogDir: the version of the format. */
export const VERSION_DIRECTORY = 'version-2'

export function fileName(kind: FileKind, zxid: Zxid): string {
  return `${kind}.${zxid.toString(16)}`
}

/** Those of one kind, oldest first; everything else in the directory is left alone. */
export function zxidFiles(kind: FileKind, names: readonly string[]): ZxidFile[] {
  const files = names.flatMap((name): ZxidFile[] => {
    const [prefix, hex, ending] = name.split('.')
    const isPlain = ending === undefined || (kind === 'snapshot' && ending === 'gz')
    if (prefix !== kind || hex === undefined || !HEX.test(hex) || !isPlain) return []
    return [{ name, zxid: toZxid(BigInt(`0x${hex}`)) }]
  })
  return files.sort((a, b) => (a.zxid < b.zxid ? -1 : a.zxid > b.zxid ? 1 : 0))
}
