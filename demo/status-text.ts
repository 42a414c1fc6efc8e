/** What the page says of its machine, in words. */
import type { StoragePersistence } from '../src/adapters/tabs/persistence.ts'
import type { WorkerStatus } from '../worker/protocol.ts'

export function titleOf(status: WorkerStatus): string {
  if (status.phase === 'observer') return `Observer ${status.sid ?? ''}`
  if (status.phase === 'client') return 'Client'
  return status.sid === null ? 'Machine' : `Machine ${status.sid}`
}

/** `leading, epoch 3, zxid 0x300000001: machine 1 leads; machines 2, 3 follow` */
export function statusLine(status: WorkerStatus): string {
  const { member, phase } = status
  const role = member?.role ?? 'looking'
  const line = `${role}, epoch ${member?.epoch ?? 0}, zxid ${member?.zxid ?? '0x0'}`
  if (member === null || (phase !== 'member' && phase !== 'observer')) {
    return `${line}: ${status.text}`
  }
  return `${line}: ${member.whyNotServing ?? whoLeads(status)}`
}

/** Who leads and who follows, as far as this member can know. */
export function whoLeads(status: WorkerStatus): string {
  const { member, sid } = status
  if (member === null || member.leader === null) return status.text
  const { leader } = member
  const up = new Set(member.peers.filter((peer) => peer.up).map((peer) => peer.sid))
  if (sid !== null) up.add(sid)
  const followers = status.voters.filter((voter) => voter !== leader && up.has(voter))
  const away = status.voters.filter((voter) => voter !== leader && !up.has(voter))
  const parts = [`${machines([leader])} leads`]
  if (followers.length > 0) {
    parts.push(`${machines(followers)} ${followers.length === 1 ? 'follows' : 'follow'}`)
  }
  if (away.length > 0) parts.push(`${machines(away)} ${away.length === 1 ? 'is' : 'are'} away`)
  return parts.join('; ')
}

export function storageText(storage: StoragePersistence): string {
  const used = storage.usageBytes === null ? '' : `${megabytes(storage.usageBytes)} used`
  const of = storage.quotaBytes === null ? '' : ` of ${megabytes(storage.quotaBytes)}`
  const refused = storage.isAsking
    ? 'this browser asks you whether to keep it.'
    : 'asked to keep it, it did not promise.'
  const kept = storage.persisted
    ? 'The browser promised to keep it.'
    : `The browser may remove it when the disk is full: ${refused}`
  const isPrivate =
    storage.privateWindow === true
      ? ' This looks like a private window: everything goes when its last tab closes.'
      : ''
  return `Every write is on disk before it is acknowledged. ${used}${of}. ${kept}${isPrivate}`
}

function megabytes(bytes: number): string {
  const mega = bytes / 1e6
  return mega >= 1000 ? `${(mega / 1000).toFixed(1)} GB` : `${mega.toFixed(mega < 10 ? 1 : 0)} MB`
}

function machines(sids: readonly number[]): string {
  return `${sids.length === 1 ? 'machine' : 'machines'} ${sids.join(', ')}`
}
