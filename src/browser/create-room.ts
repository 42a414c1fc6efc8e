import { IndexedDbIdentities } from '../adapters/indexeddb/identity-store.ts'
import { openIdentity } from '../adapters/tabs/identity-lock.ts'
import { creatorHash } from '../core/founding/key-names.ts'
import { deriveRoomKeys } from '../signaling/envelope.ts'
import {
  createSecret,
  formatRoomLink,
  parseRoomLink,
  ROOM_SIZE_DEFAULT,
} from '../signaling/room-link.ts'
import type { CreateRoomOptions } from './room-options.ts'

/** The creator's key is made here and waits on disk for the first machine of this browser. */
export async function makeRoom(options: CreateRoomOptions): Promise<string> {
  const page = new URL(options.page ?? location.href, location.href)
  const secret = createSecret()
  const wanted = {
    room: options.name ?? `room-${randomDigits()}`,
    size: options.size ?? ROOM_SIZE_DEFAULT,
    secret,
    creator: null,
    cluster: null,
  }
  // Refuses a wrong name or size before anything is stored.
  const { room, size } = parseRoomLink(formatRoomLink(page, wanted))
  const { roomId } = await deriveRoomKeys(room, secret)
  const { signal } = options
  const creator = await openIdentity({
    room: roomId,
    source: new IndexedDbIdentities(roomId),
    ...(signal === undefined ? {} : { signal }),
  })
  await creator.release()
  const creatorTag = creatorHash(creator.publicKey)
  return formatRoomLink(page, { room, size, secret, creator: creatorTag, cluster: null })
}

/** Only for people to tell rooms apart: the secret is what keeps them apart. */
function randomDigits(): number {
  return 1_000 + Math.floor(Math.random() * 9_000)
}
