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

/** snapshot.compression.method, and what it adds to a snapshot's name (P10). */
export type SnapshotPacking = 'plain' | 'gz' | 'snappy'
export const PACKINGS: readonly SnapshotPacking[] = ['gz', 'snappy']

/** By the ending of its name. */
export function packingOf(name: string): SnapshotPacking {
  return PACKINGS.find((packing) => name.endsWith(`.${packing}`)) ?? 'plain'
}

export function withEnding(name: string, packing: SnapshotPacking): string {
  return packing === 'plain' ? name : `${name}.${packing}`
}

/** ZooKeeper's directory below dataDir and dataLogDir: the version of the format. */
export const VERSION_DIRECTORY = 'version-2'

export function fileName(kind: FileKind, zxid: Zxid): string {
  return `${kind}.${zxid.toString(16)}`
}

/** Those of one kind, oldest first; everything else in the directory is left alone. */
export function zxidFiles(kind: FileKind, names: readonly string[]): ZxidFile[] {
  const files = names.flatMap((name): ZxidFile[] => {
    const [prefix, hex, ending] = name.split('.')
    const isPacked = kind === 'snapshot' && PACKINGS.some((packing) => packing === ending)
    const isKnown = ending === undefined || isPacked
    if (prefix !== kind || hex === undefined || !HEX.test(hex) || !isKnown) return []
    return [{ name, zxid: toZxid(BigInt(`0x${hex}`)) }]
  })
  return files.sort((a, b) => (a.zxid < b.zxid ? -1 : a.zxid > b.zxid ? 1 : 0))
}
