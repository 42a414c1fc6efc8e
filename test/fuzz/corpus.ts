/** Good bytes to begin with: recorded frames of Apache ZooKeeper, and small files of our own. */
import { joinFrames } from '../../src/core/jute/framing.ts'
import { OpCode } from '../../src/core/jute/op-code.ts'
import { decodeTxn, encodeTxn, type Txn } from '../../src/core/jute/txn.ts'
import { emptySnapshotChunk } from '../../src/core/server/member-machine.ts'
import { DataTree } from '../../src/core/tree/data-tree.ts'
import { TreeSnapshot } from '../../src/core/tree/snapshot.ts'
import { SNAPSHOT_CHUNK_BYTES } from '../../src/core/zab/effect.ts'
import { encodeFrames } from '../../src/core/zab/frame.ts'
import {
  entryBytes,
  LOG_HEADER_BYTES,
  logHeader,
  putEntry,
} from '../../src/adapters/files/log-format.ts'
import { loadRecording, recordingNames } from '../interop/frame-file.ts'

const OPEN = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]
const DATA = new Uint8Array([1, 2, 3])

/** By recording: client, quorum, election, files and others. */
export function recorded(...names: readonly string[]): Uint8Array[] {
  const wanted = names.length === 0 ? recordingNames() : names
  return wanted.flatMap((name) => loadRecording(name).frames.map(({ bytes }) => bytes))
}

export function requestsOfClients(): Uint8Array[] {
  return ['client', 'client-odd', 'client-reconfig'].flatMap((name) =>
    loadRecording(name).frames.flatMap(({ from, bytes }) => (from === 'client' ? [bytes] : [])),
  )
}

const TXNS: readonly (readonly [number, Txn])[] = [
  [OpCode.createSession, { kind: 'createSession', timeOut: 10_000 }],
  [OpCode.create, created('/a')],
  [OpCode.create2, created('/a/b')],
  [OpCode.setData, { kind: 'setData', path: '/a', data: DATA, version: 1 }],
  [OpCode.setACL, { kind: 'setACL', path: '/a', acl: OPEN, version: 1 }],
  [
    OpCode.createTTL,
    { kind: 'createTTL', path: '/t', data: DATA, acl: OPEN, parentCVersion: 2, ttl: 1_000n },
  ],
  [
    OpCode.createContainer,
    { kind: 'createContainer', path: '/c', data: null, acl: OPEN, parentCVersion: 3 },
  ],
  [
    OpCode.multi,
    { kind: 'multi', txns: [created('/m'), { kind: 'delete', path: '/m' }, failed(0)] },
  ],
  [OpCode.delete, { kind: 'delete', path: '/a/b' }],
  [OpCode.error, failed(-101)],
  [OpCode.closeSession, { kind: 'closeSession', paths: ['/a'] }],
]

function created(path: string): Extract<Txn, { kind: 'create' }> {
  return { kind: 'create', path, data: DATA, acl: OPEN, ephemeral: false, parentCVersion: 1 }
}

function failed(err: number): Extract<Txn, { kind: 'error' }> {
  return { kind: 'error', err }
}

export function transactions(): Uint8Array[] {
  return TXNS.map(([type, txn], i) => {
    const zxid = BigInt(i + 1)
    return encodeTxn({ clientId: 0x1_0000n, cxid: i, zxid, time: 1_700_000_000_000, type }, txn)
  })
}

export function logFiles(): Uint8Array[] {
  const entries = transactions()
  const size = entries.reduce((sum, entry) => sum + entryBytes(entry), LOG_HEADER_BYTES)
  const file = new Uint8Array(size + 100)
  file.set(logHeader())
  let at = LOG_HEADER_BYTES
  for (const entry of entries) at = putEntry(file, at, entry)
  return [file, file.slice(0, size), logHeader()]
}

export function snapshots(): Uint8Array[] {
  const tree = new DataTree()
  for (const entry of transactions().slice(0, 7)) applyTo(tree, entry)
  const chunk = new TreeSnapshot(tree).next(SNAPSHOT_CHUNK_BYTES)
  return chunk === null ? [] : [chunk, emptySnapshotChunk()]
}

function applyTo(tree: DataTree, entry: Uint8Array): void {
  const { header, txn } = decodeTxn(entry)
  tree.applyTxn(header, txn, null)
}

export function peerFrames(): Uint8Array[] {
  const packets = recorded('quorum')
  const lanes = ['pulse', 'election', 'stream', 'request'] as const
  return lanes.flatMap((lane, i) => [
    ...encodeFrames(lane, i, packets.slice(i, i + 3)),
    ...encodeFrames(lane, 0, recorded('election').slice(i, i + 1)),
  ])
}

export function clientMessages(): Uint8Array[] {
  const requests = requestsOfClients()
  return requests.map((_, i) => joinFrames(requests.slice(i, i + 3)))
}
