/**
 * `zabra-room.json` beside ZooKeeper's files: which room's machine a data directory is. It holds
 * the machine's signing key and the room's secret, so nobody but its owner may read it (0600).
 *
 * It lies with the log and the snapshots on purpose: whoever empties that directory removes the key
 * as well, and what comes back is another machine. A key that outlived its votes could give them a
 * second time (design §4, lost storage never votes as itself).
 */
import { chmodSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fromBase64, toBase64 } from '../../core/base/bytes.ts'
import { StorageError } from '../../ports/storage.ts'
import { replaceFile } from './durable-file.ts'
import { VERSION_DIRECTORY } from './file-names.ts'

export interface RoomFile {
  /** What the broker calls the room: hash of name and secret. */
  readonly roomId: string
  /** The whole link, with the secret. */
  readonly link: string
  /** As it was asked for; null = where the link points to. */
  readonly signaling: string | null
  /** The storage's number of starts when the key was made: a storage with fewer was replaced. */
  readonly bornInLife: number
  /** PKCS #8. */
  readonly privateKey: Uint8Array
  /** Raw. */
  readonly publicKey: Uint8Array
}

const NAME = 'zabra-room.json'
const FORMAT = 1
const OWNER_ONLY = 0o600
const ACCESS_OF_OTHERS = 0o077

export function roomFilePath(dataDirectory: string): string {
  return join(dataDirectory, VERSION_DIRECTORY, NAME)
}

/** null: the directory is no room's yet. What others could read they cannot any more. */
export function readRoomFile(dataDirectory: string): RoomFile | null {
  const path = roomFilePath(dataDirectory)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
    if ((statSync(path).mode & ACCESS_OF_OTHERS) !== 0) chmodSync(path, OWNER_ONLY)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new StorageError('unavailable', `${path} cannot be read: ${String(error)}`)
  }
  const fields = parse(text)
  if (typeof fields?.['format'] === 'number' && fields['format'] > FORMAT) {
    const what = `${path} is of format ${fields['format']}, this version knows ${FORMAT}`
    throw new StorageError('newer-format', `${what}: update it`)
  }
  const file = fields === null ? null : roomFileOf(fields)
  if (file === null) throw new StorageError('corrupt', `${path} is damaged`)
  return file
}

/** On disk when it returns. */
export function writeRoomFile(dataDirectory: string, file: RoomFile): void {
  const { privateKey, publicKey, ...rest } = file
  const keys = { privateKey: toBase64(privateKey), publicKey: toBase64(publicKey) }
  const text = `${JSON.stringify({ format: FORMAT, ...rest, ...keys }, null, 1)}\n`
  replaceFile(roomFilePath(dataDirectory), text, OWNER_ONLY)
}

function parse(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : null
  } catch {
    return null
  }
}

function roomFileOf(fields: Readonly<Record<string, unknown>>): RoomFile | null {
  const { roomId, link, signaling, bornInLife } = fields
  const privateKey = bytesOf(fields['privateKey'])
  const publicKey = bytesOf(fields['publicKey'])
  if (typeof roomId !== 'string' || typeof link !== 'string') return null
  if (signaling !== null && typeof signaling !== 'string') return null
  if (typeof bornInLife !== 'number' || privateKey === null || publicKey === null) return null
  return { roomId, link, signaling, bornInLife, privateKey, publicKey }
}

function bytesOf(value: unknown): Uint8Array | null {
  return typeof value === 'string' ? fromBase64(value) : null
}
