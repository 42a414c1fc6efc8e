import { IndexedDbIdentities } from '../src/adapters/indexeddb/identity-store.ts'
import { openIdentity } from '../src/adapters/tabs/identity-lock.ts'
import { creatorHash } from '../src/core/founding/key-names.ts'
import type { EnsembleCopy } from '../src/core/server/ensemble-copy.ts'
import { seedStorage } from '../src/runtime/seed-storage.ts'
import type { NewFounder } from './protocol.ts'

/** Resolves when key and copy are on disk; the room's first tab of this browser takes them. */
export async function makeFounder(roomId: string, copy: EnsembleCopy): Promise<NewFounder> {
  const founder = await openIdentity({ room: roomId, source: new IndexedDbIdentities(roomId) })
  try {
    await seedStorage(founder.storage, copy)
  } finally {
    await founder.release()
  }
  return { creator: creatorHash(founder.publicKey), incarnation: founder.incarnation }
}
