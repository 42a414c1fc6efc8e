/**
 * A running digest of what a machine asks of the world, step by step. Two numbers:
 *
 * - `full`: every byte of every effect, except the session password in a connect response, which is
 *   made from the ensemble's secret;
 * - `shape`: kinds, receivers, lengths and headers, but none of the bytes that applications store.
 *   So it is the same for a replay whose payloads were masked.
 *
 * Against mistakes, not against attackers. Every byte counts.
 */
import { unreachable } from '../../core/base/assert.ts'
import type { ConnectionId, MemberEffect, MemberInput } from '../../core/server/effect.ts'
import type { AppendEffect, Lane, PersistEffect } from '../../core/zab/effect.ts'

/** Packet: type, zxid, length of the data. */
const PACKET_HEAD_BYTES = 16
/** Log entry: the whole TxnHeader (P9). */
const ENTRY_HEAD_BYTES = 32
/** Frame to a client: length, xid, zxid and error; of a connect response up to the session id. */
const REPLY_HEAD_BYTES = 20
/** Where a connect response has its password, in its frame (W12). */
export const CONNECT_PASSWORD_START = 24
export const CONNECT_PASSWORD_END = 40

const SEED = 0x9e37_79b9
const LANES: readonly Lane[] = ['pulse', 'election', 'stream', 'request']

export class EffectDigest {
  #full = SEED
  #shape = SEED
  /** Connections that had no answer yet: the first one is the connect response. */
  readonly #unanswered = new Set<ConnectionId>()
  /** A proposal goes to every follower as one byte string. */
  #lastBytes: Uint8Array | null = null
  #lastHash = 0

  get full(): number {
    return this.#full >>> 0
  }

  get shape(): number {
    return this.#shape >>> 0
  }

  onInput(input: MemberInput): void {
    if (input.kind === 'client-open') this.#unanswered.add(input.connection)
    else if (input.kind === 'client-closed') this.#unanswered.delete(input.connection)
  }

  add(effects: readonly MemberEffect[]): void {
    for (const effect of effects) this.#add(effect)
    this.#lastBytes = null
  }

  #add(effect: MemberEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#numbers(1, effect.peer, LANES.indexOf(effect.lane), effect.conversation)
        this.#numbers(effect.when === 'now' ? 0 : 1)
        // Votes and pulses hold nothing of an application.
        this.#bytes(
          effect.packet,
          effect.conversation === 0 ? effect.packet.length : PACKET_HEAD_BYTES,
        )
        break
      case 'append':
        this.#numbers(2)
        this.#bytes(effect.entry, ENTRY_HEAD_BYTES)
        break
      case 'client-send':
        this.#numbers(3, effect.connection)
        this.#clientSend(effect.connection, effect.bytes)
        break
      case 'client-close':
        this.#unanswered.delete(effect.connection)
        this.#numbers(4, effect.connection)
        this.#text(effect.reason)
        break
      case 'close-link':
        this.#numbers(6, effect.peer)
        this.#text(effect.reason)
        break
      case 'end-conversation':
        this.#numbers(7, effect.peer, effect.conversation)
        break
      case 'read-log':
        this.#numbers(15, effect.id, effect.bytesMax)
        this.#text(effect.after.toString(16))
        this.#text(effect.upTo.toString(16))
        break
      case 'trace':
        this.#numbers(13)
        this.#text(JSON.stringify(effect.event))
        break
      case 'halt':
        this.#numbers(14)
        this.#text(effect.reason)
        break
      default:
        this.#addWrite(effect)
    }
  }

  #addWrite(effect: Exclude<PersistEffect, AppendEffect>): void {
    switch (effect.kind) {
      case 'snapshot-chunk':
        this.#numbers(5, effect.id, effect.index)
        this.#bytes(effect.bytes, 0)
        break
      case 'accepted-epoch':
        this.#numbers(8, effect.epoch)
        break
      case 'current-epoch':
        this.#numbers(9, effect.epoch)
        break
      case 'truncate':
        this.#numbers(10)
        this.#text(effect.to.toString(16))
        break
      case 'snapshot-commit':
        this.#numbers(11, effect.id, effect.chunks, effect.install ? 1 : 0)
        this.#numbers(effect.currentEpoch ?? -1)
        this.#text(effect.zxid.toString(16))
        break
      case 'snapshot-abandon':
        this.#numbers(12, effect.id)
        break
      default:
        unreachable(effect)
    }
  }

  #clientSend(connection: ConnectionId, bytes: Uint8Array): void {
    if (this.#unanswered.size === 0 || !this.#unanswered.delete(connection)) {
      this.#bytes(bytes, REPLY_HEAD_BYTES)
      return
    }
    const { length } = bytes
    this.#shape = mixed(mixed(this.#shape, length), hashOf(bytes, 0, REPLY_HEAD_BYTES))
    const before = hashOf(bytes, 0, CONNECT_PASSWORD_START)
    const behind = hashOf(bytes, CONNECT_PASSWORD_END, length)
    this.#full = mixed(mixed(mixed(this.#full, length), before), behind)
  }

  #bytes(bytes: Uint8Array, headLength: number): void {
    const { length } = bytes
    this.#shape = mixed(mixed(this.#shape, length), hashOf(bytes, 0, headLength))
    if (bytes !== this.#lastBytes) {
      this.#lastBytes = bytes
      this.#lastHash = hashOf(bytes, 0, length)
    }
    this.#full = mixed(mixed(this.#full, length), this.#lastHash)
  }

  #numbers(a: number, b?: number, c?: number, d?: number): void {
    this.#number(a)
    if (b !== undefined) this.#number(b)
    if (c !== undefined) this.#number(c)
    if (d !== undefined) this.#number(d)
  }

  #number(n: number): void {
    const low = n | 0
    this.#full = mixed(this.#full, low)
    this.#shape = mixed(this.#shape, low)
    if (low === n) return
    // Past 32 bits: snapshot ids, which are wall-clock ms, and conversations.
    const high = Math.floor(n / 0x1_0000_0000) | 0
    this.#full = mixed(this.#full, high)
    this.#shape = mixed(this.#shape, high)
  }

  #text(text: string): void {
    let hash = text.length
    for (let i = 0; i < text.length; i++) hash = mixed(hash, text.charCodeAt(i))
    this.#full = mixed(this.#full, hash)
    this.#shape = mixed(this.#shape, hash)
  }
}

function mixed(hash: number, n: number): number {
  const product = Math.imul(hash ^ n, 0x85eb_ca6b)
  return product ^ (product >>> 15)
}

/** From here on a view pays for itself, bytes. */
const LONG_BYTES = 64

function hashOf(bytes: Uint8Array, from: number, to: number): number {
  const end = Math.min(to, bytes.length)
  let hash = SEED
  let i = from
  if (end - from >= LONG_BYTES) {
    i = end - ((end - from) % STRIDE_BYTES)
    hash = longHash(new DataView(bytes.buffer, bytes.byteOffset, end), from, i)
  }
  for (; i < end; i++) hash = mixed(hash, bytes[i] as number)
  return hash
}

const STRIDE_BYTES = 16

/** Four at a time, since each has to wait for its own product only. */
function longHash(view: DataView, from: number, end: number): number {
  let a = SEED
  let b = ~SEED
  let c = SEED >>> 1
  let d = SEED >>> 2
  for (let i = from; i < end; i += STRIDE_BYTES) {
    a = Math.imul(a ^ view.getInt32(i, true), 0x85eb_ca6b)
    b = Math.imul(b ^ view.getInt32(i + 4, true), 0xc2b2_ae35)
    c = Math.imul(c ^ view.getInt32(i + 8, true), 0x27d4_eb2f)
    d = Math.imul(d ^ view.getInt32(i + 12, true), 0x1656_67b1)
    a ^= a >>> 15
    b ^= b >>> 13
    c ^= c >>> 15
    d ^= d >>> 13
  }
  return mixed(mixed(mixed(a, b), c), d)
}
