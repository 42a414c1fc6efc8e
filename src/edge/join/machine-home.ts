/**
 * The data directory of one machine of a room: its key, its storage, and which room it belongs to.
 *
 * Invariants: nobody hears of a key before it is on disk together with its storage; one process at
 * a time (the storage's owner file); a key whose storage was replaced is not used again.
 */
import { randomBytes } from 'node:crypto'
import { readRoomFile, writeRoomFile } from '../../adapters/files/room-file.ts'
import type { RoomFile } from '../../adapters/files/room-file.ts'
import { FileStorage } from '../../adapters/files/storage.ts'
import { incarnationOfKey, signWith } from '../../adapters/indexeddb/identity.ts'
import { sharedLink } from '../../browser/room-address.ts'
import { creatorHash } from '../../core/founding/key-names.ts'
import type { MemberMeta, Recovered } from '../../ports/storage.ts'
import type { MachineIdentity } from '../../runtime/room-options.ts'
import { deriveRoomKeys } from '../../signaling/envelope.ts'
import { parseRoomLink, type RoomLink } from '../../signaling/room-link.ts'
import { suitability } from '../../../worker/suitability.ts'
import type { AskedRoom, RoomAddress } from './asked-room.ts'
import { JoinError } from './join-error.ts'

const KEY_ALGORITHM: EcKeyGenParams = { name: 'ECDSA', namedCurve: 'P-256' }
const TOKEN_BYTES = 8

export interface MachineHome extends AsyncDisposable {
  readonly identity: MachineIdentity
  readonly recovered: Recovered
  readonly room: RoomAddress
  readonly link: RoomLink
  readonly roomId: string
  /** The room has an ensemble by now: what to share, and what to start with the next time. */
  keepNames(creator: string, cluster: string): string
}

export interface MachineHomeOptions {
  readonly dataDirectory: string
  readonly asked: AskedRoom
  readonly preallocateBytes?: number
}

/** Rejects with JoinError or StorageError: a sentence that says what to do. */
export async function openMachineHome(options: MachineHomeOptions): Promise<MachineHome> {
  const { dataDirectory, asked, preallocateBytes } = options
  const storage = new FileStorage({
    dataDirectory,
    token: randomBytes(TOKEN_BYTES).toString('hex'),
    ...(preallocateBytes === undefined ? {} : { preallocateBytes }),
  })
  try {
    const meta = await storage.meta()
    const recovered = await storage.recover()
    const stored = readRoomFile(dataDirectory)
    if (stored !== null) checkStorage(dataDirectory, stored, meta, recovered)
    else if (meta.founding !== null || recovered.snapshot !== null) {
      throw new JoinError(`${dataDirectory} is the data directory of another server.`)
    }
    const file = stored ?? (await makeKey(dataDirectory, asked, meta))
    const room = roomOf(dataDirectory, asked, file, stored !== null)
    const link = parseRoomLink(room.address)
    const { roomId } = await deriveRoomKeys(link.room, link.secret)
    const identity = await identityOf(file, storage, meta)
    if (file.roomId !== roomId) {
      const what = `${dataDirectory} has a machine of another room`
      throw new JoinError(`${what}: name another directory for this one.`)
    }
    checkEnsemble(dataDirectory, link, identity)
    const made: RoomFile = { ...file, link: room.address.href, signaling: room.signaling }
    writeRoomFile(dataDirectory, made)
    return new OpenHome({ dataDirectory, storage, identity, recovered, room, link, file: made })
  } catch (error) {
    await storage.close()
    throw error
  }
}

interface HomeParts {
  readonly dataDirectory: string
  readonly storage: FileStorage
  readonly identity: MachineIdentity
  readonly recovered: Recovered
  readonly room: RoomAddress
  readonly link: RoomLink
  readonly file: RoomFile
}

class OpenHome implements MachineHome {
  readonly #parts: HomeParts
  #file: RoomFile

  constructor(parts: HomeParts) {
    this.#parts = parts
    this.#file = parts.file
  }

  get identity(): MachineIdentity {
    return this.#parts.identity
  }

  get recovered(): Recovered {
    return this.#parts.recovered
  }

  get room(): RoomAddress {
    return this.#parts.room
  }

  get link(): RoomLink {
    return this.#parts.link
  }

  get roomId(): string {
    return this.#file.roomId
  }

  keepNames(creator: string, cluster: string): string {
    const { dataDirectory, room, link } = this.#parts
    const shared = sharedLink(room.address, { ...link, creator, cluster })
    if (shared !== this.#file.link) {
      this.#file = { ...this.#file, link: shared }
      writeRoomFile(dataDirectory, this.#file)
    }
    return shared
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.storage.close()
  }
}

/** Which room, when its directory may say something else. */
function roomOf(
  dataDirectory: string,
  asked: AskedRoom,
  file: RoomFile,
  isOld: boolean,
): RoomAddress {
  if (asked.kind === 'link') return asked
  if (asked.kind === 'new' && isOld) {
    throw new JoinError(
      `${dataDirectory} has a machine of a room already: leave out --new to go on in that room, ` +
        'or name another directory for the new one.',
    )
  }
  return { address: new URL(file.link), signaling: file.signaling }
}

/** On disk when it resolves, but for the room's own names. */
async function makeKey(
  dataDirectory: string,
  asked: AskedRoom,
  meta: MemberMeta,
): Promise<RoomFile> {
  if (asked.kind === 'same') {
    throw new JoinError(`${dataDirectory} has no machine of a room yet: name a LINK, or --new.`)
  }
  const pair = await crypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify'])
  const [raw, pkcs8] = await Promise.all([
    crypto.subtle.exportKey('raw', pair.publicKey),
    crypto.subtle.exportKey('pkcs8', pair.privateKey),
  ])
  const publicKey = new Uint8Array(raw)
  const room = asked.kind === 'new' ? asked.addressFor(creatorHash(publicKey)) : asked
  const { room: name, secret } = parseRoomLink(room.address)
  const file: RoomFile = {
    roomId: (await deriveRoomKeys(name, secret)).roomId,
    link: room.address.href,
    signaling: room.signaling,
    bornInLife: meta.lives,
    privateKey: new Uint8Array(pkcs8),
    publicKey,
  }
  writeRoomFile(dataDirectory, file)
  return file
}

/** A key that outlived its storage could vote a second time (design §4). */
function checkStorage(
  dataDirectory: string,
  file: RoomFile,
  meta: MemberMeta,
  recovered: Recovered,
): void {
  const isOther = meta.lives <= file.bornInLife
  const isEmptied = meta.founding !== null && recovered.snapshot === null
  if (!isOther && !isEmptied) return
  throw new JoinError(
    `${dataDirectory} has lost data of its machine, whose votes may be lost with it. Restore all ` +
      'of it, or start with an empty directory as another machine.',
  )
}

function checkEnsemble(
  dataDirectory: string,
  { creator, cluster }: RoomLink,
  { incarnation, meta }: MachineIdentity,
): void {
  if (suitability(creator, cluster)(meta, incarnation) !== null) return
  throw new JoinError(
    `${dataDirectory} has a machine of another ensemble of this room than the link names: take ` +
      'the link of its own ensemble, or name another directory.',
  )
}

async function identityOf(
  { privateKey, publicKey }: RoomFile,
  storage: FileStorage,
  meta: MemberMeta,
): Promise<MachineIdentity> {
  const key = await crypto.subtle.importKey(
    'pkcs8',
    new Uint8Array(privateKey),
    KEY_ALGORITHM,
    false,
    ['sign'],
  )
  return {
    incarnation: incarnationOfKey(publicKey),
    publicKey,
    sign: (bytes) => signWith(key, bytes),
    storage,
    meta,
  }
}
