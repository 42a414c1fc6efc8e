/** The `meta` store as the port shows it. */
import { type MemberMeta, StorageError } from '../../ports/storage.ts'
import { assertKnownFormat, type MemberDatabase, outcomeIsTxDone, readMeta } from './schema.ts'

export async function readMemberMeta(db: MemberDatabase): Promise<MemberMeta> {
  const tx = db.transaction(['meta'], 'readonly')
  tx.done.catch(outcomeIsTxDone)
  const [format, founding, startChain, lives, peerTokens] = await Promise.all([
    readMeta(tx, 'format'),
    readMeta(tx, 'founding'),
    readMeta(tx, 'startChain'),
    readMeta(tx, 'lives'),
    readMeta(tx, 'peerTokens'),
  ])
  assertKnownFormat(format)
  if (startChain === undefined || lives === undefined || peerTokens === undefined) {
    throw new StorageError('corrupt', 'the storage has lost its record of starts')
  }
  return {
    founding: founding ?? null,
    startChain,
    lives,
    peerTokens: Object.fromEntries(peerTokens),
  }
}
