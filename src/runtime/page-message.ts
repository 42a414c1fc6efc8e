/**
 * What the pages of members say to each other over a verified link, beside the handshake:
 *
 *     founding record   the signed envelope as it is; it begins with a length, so with a zero byte
 *     anything else     kind u8 (not 0) | version u8 | Jute fields
 *
 * Bytes of the other side: a message that cannot be read, or of a kind or version of later builds,
 * is none.
 */
import { concat } from '../core/base/bytes.ts'
import { type ServerId, toServerId } from '../core/base/zxid.ts'
import { JuteError } from '../core/jute/jute-error.ts'
import { JuteReader } from '../core/jute/reader.ts'
import { JuteWriter } from '../core/jute/writer.ts'

/** An observer's place in the ensemble, for one life of its page. */
export interface ObserverGrant {
  readonly sid: ServerId
  readonly sessionBase: bigint
}

export type PageMessage =
  | { readonly kind: 'record'; readonly envelope: Uint8Array }
  /** To every voter: give me a place as an observer. */
  | { readonly kind: 'observe' }
  /** From the leader: a place that nobody has used yet. */
  | { readonly kind: 'grant'; readonly grant: ObserverGrant }
  /** From the leader: no place now. */
  | { readonly kind: 'no-place'; readonly reason: string }
  /** To every voter: my member runs, so take the quorum channel of this link. */
  | { readonly kind: 'observing'; readonly grant: ObserverGrant }
  /** From a voter: that place belongs to somebody else by now. */
  | { readonly kind: 'place-lost'; readonly grant: ObserverGrant }

const KINDS = { observe: 1, grant: 2, 'no-place': 3, observing: 4, 'place-lost': 5 } as const
const VERSION = 1
/** Characters of a reason, for people. */
const REASON_MAX = 200
/** Bytes of any message but a record. */
const MESSAGE_MAX = 1024
const SID_MAX = 254
/** The low 56 bits of a session id. */
const BASE_END = 1n << 56n

export function encodePageMessage(message: PageMessage): Uint8Array {
  if (message.kind === 'record') return message.envelope
  const w = new JuteWriter()
  if (message.kind === 'no-place') w.ustring(message.reason.slice(0, REASON_MAX))
  else if (message.kind !== 'observe') {
    w.int(message.grant.sid)
    w.long(message.grant.sessionBase)
  }
  return concat([Uint8Array.of(KINDS[message.kind], VERSION), w.finish()])
}

/** null for what is none. Never throws. */
export function decodePageMessage(bytes: Uint8Array): PageMessage | null {
  const [kind, version] = bytes
  if (kind === 0) return { kind: 'record', envelope: bytes }
  if (version !== VERSION || bytes.length > MESSAGE_MAX) return null
  try {
    const r = new JuteReader(bytes.subarray(2), { maxBuffer: MESSAGE_MAX })
    switch (kind) {
      case KINDS.observe:
        return { kind: 'observe' }
      case KINDS['no-place']:
        return { kind: 'no-place', reason: r.string('reason').slice(0, REASON_MAX) }
      case KINDS.grant:
        return { kind: 'grant', grant: readGrant(r) }
      case KINDS.observing:
        return { kind: 'observing', grant: readGrant(r) }
      case KINDS['place-lost']:
        return { kind: 'place-lost', grant: readGrant(r) }
      default:
        return null
    }
  } catch (error) {
    if (error instanceof JuteError) return null
    throw error
  }
}

function readGrant(r: JuteReader): ObserverGrant {
  const sid = r.int()
  const sessionBase = r.long()
  if (sid < 1 || sid > SID_MAX) throw new JuteError(`server id ${sid}`)
  if (sessionBase < 0n || sessionBase >= BASE_END) throw new JuteError('session base')
  return { sid: toServerId(sid), sessionBase }
}
