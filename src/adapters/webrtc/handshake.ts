/**
 * Who is at the other end (design §5b), on simple-peer's own channel, before anything else of the
 * connection is believed.
 *
 * Both sides: HELLO, then PROOF, a signature by the member's key over
 *
 *   label | role of the signer | room id | both peer ids | both fingerprints | hash of both HELLOs
 *
 * in the order initiator, responder. The HELLOs hold both fresh nonces, so a proof holds for this
 * connection only; the fingerprints are the ones that the browsers check the connection by, so a
 * broker (or a member of the room) in the middle, whose fingerprints would differ at the two ends,
 * cannot pass on a proof; the role keeps a proof from being sent back to its signer.
 *
 * Afterwards the channel carries the pages' own messages (PAGE, RENEW). Messages are handled one by
 * one, also while Web Crypto or the worker is asked, so a page message that comes with the proof
 * waits.
 */

import { equal } from '../../core/base/bytes.ts'
import { messageOf } from '../../core/base/message-of.ts'
import { decodeUtf8, encodeUtf8 } from '../../core/base/utf8.ts'
import { sha256 } from '../../core/base/sha256.ts'
import { JuteWriter } from '../../core/jute/writer.ts'
import type { PeerId } from '../../ports/signaling.ts'
import {
  decodeHello,
  encodeHello,
  isIncarnationOf,
  LINK_PROTOCOL_MAX,
  LINK_PROTOCOL_MIN,
  NONCE_BYTES,
  type Hello,
  type HelloFields,
} from './hello.ts'
import { PAGE_INBOX_MAX, PAGE_MESSAGE_MAX_BYTES } from './limits.ts'
import { versionRefusal } from './version-refusal.ts'

const HELLO = 1
const PROOF = 2
const PAGE = 3
const REFUSE = 4
/** New channels on this connection, by number: see PageConnection.renew. */
const RENEW = 5
const RENEWED = 6
const LABEL = 'zabra link 1'
const REASON_MAX = 200
const KEY: EcKeyImportParams = { name: 'ECDSA', namedCurve: 'P-256' }
const SIGNATURE: EcdsaParams = { name: 'ECDSA', hash: 'SHA-256' }

export interface VerifiedPeer extends HelloFields {
  readonly peerId: PeerId
  /** We made the offer. */
  readonly isInitiator: boolean
  /** Agreed version: the newest that both speak. */
  readonly protocol: number
  readonly build: string
}

export type RefusalCode =
  | 'version'
  | 'room'
  | 'malformed'
  | 'key'
  | 'same-identity'
  | 'signature'
  | 'fingerprint'
  | 'not-admitted'
  | 'flood'
  | 'refused-by-peer'

export interface Refusal {
  readonly code: RefusalCode
  readonly message: string
}

export interface HandshakeOptions {
  readonly isInitiator: boolean
  readonly self: PeerId
  readonly other: PeerId
  readonly room: string
  readonly build: string
  readonly localFingerprint: string
  readonly remoteFingerprint: string
  readonly hello: HelloFields
  readonly sign: (bytes: Uint8Array) => Promise<Uint8Array>
  /** Asked once the peer is verified; a sentence refuses it. */
  readonly admit: (peer: VerifiedPeer) => Promise<string | null>
  readonly send: (message: Uint8Array) => void
  readonly onAdmitted: (peer: VerifiedPeer) => void
  readonly onPage: (message: Uint8Array) => void
  readonly onRenewal: (kind: 'renew' | 'renewed', generation: number) => void
  /** Once; nothing follows. The other side has been told unless it was the one who refused. */
  readonly onRefused: (refusal: Refusal) => void
}

class RefusalError extends Error {
  readonly code: RefusalCode
  constructor(code: RefusalCode, message: string) {
    super(message)
    this.code = code
  }
}

export class Handshake {
  readonly #options: HandshakeOptions
  readonly #ourHello: Uint8Array
  #stage: 'hello' | 'proof' | 'open' | 'ended' = 'hello'
  #theirs: { readonly hello: Hello; readonly bytes: Uint8Array; readonly key: CryptoKey } | null =
    null
  #turn: Promise<void> = Promise.resolve()
  #waiting = 0

  constructor(options: HandshakeOptions) {
    this.#options = options
    this.#ourHello = encodeHello({
      ...options.hello,
      protocolMin: LINK_PROTOCOL_MIN,
      protocolMax: LINK_PROTOCOL_MAX,
      build: options.build,
      room: options.room,
      nonce: crypto.getRandomValues(new Uint8Array(NONCE_BYTES)),
    })
    this.#send(HELLO, this.#ourHello)
  }

  get isOpen(): boolean {
    return this.#stage === 'open'
  }

  receive(message: Uint8Array): void {
    if (this.#stage === 'ended') return
    if (this.#waiting >= PAGE_INBOX_MAX) {
      this.#refuse(new RefusalError('flood', 'too many page messages at once'))
      return
    }
    this.#waiting++
    this.#turn = this.#turn
      .then(() => this.#handle(message))
      .catch((error: unknown) => this.#refuse(error))
      .finally(() => {
        this.#waiting--
      })
  }

  /** false when the handshake is not through or the message is too long. */
  sendPage(message: Uint8Array): boolean {
    if (this.#stage !== 'open' || message.length > PAGE_MESSAGE_MAX_BYTES) return false
    this.#send(PAGE, message)
    return true
  }

  sendRenewal(kind: 'renew' | 'renewed', generation: number): void {
    if (this.#stage === 'open')
      this.#send(kind === 'renew' ? RENEW : RENEWED, Uint8Array.of(generation))
  }

  /** Wanted no longer; the other side hears the reason. */
  refuse(reason: string): void {
    this.#refuse(new RefusalError('not-admitted', reason))
  }

  /** The connection ended; what is still being verified counts for nothing. */
  end(): void {
    this.#stage = 'ended'
  }

  async #handle(message: Uint8Array): Promise<void> {
    if (this.#stage === 'ended') return
    const kind = message[0]
    const body = message.slice(1)
    if (body.length > PAGE_MESSAGE_MAX_BYTES) {
      throw new RefusalError('malformed', `message of ${body.length} bytes`)
    }
    if (kind === REFUSE) {
      const reason = decodeUtf8(body.subarray(0, REASON_MAX))
      this.#stage = 'ended'
      this.#options.onRefused({ code: 'refused-by-peer', message: reason })
    } else if (kind === HELLO && this.#stage === 'hello') {
      await this.#onHello(body)
    } else if (kind === PROOF && this.#stage === 'proof') {
      await this.#onProof(body)
    } else if (kind === PAGE && this.#stage === 'open') {
      this.#options.onPage(body)
    } else if ((kind === RENEW || kind === RENEWED) && this.#stage === 'open') {
      this.#options.onRenewal(kind === RENEW ? 'renew' : 'renewed', body[0] ?? 0)
    } else {
      throw new RefusalError('malformed', 'a message out of order in the handshake')
    }
  }

  async #onHello(bytes: Uint8Array): Promise<void> {
    const hello = decodeHello(bytes)
    if (hello === null) throw new RefusalError('malformed', 'a hello that cannot be read')
    const apart = versionRefusal(hello)
    if (apart !== null) throw new RefusalError('version', apart)
    if (hello.room !== this.#options.room) throw new RefusalError('room', 'another room')
    if (!isIncarnationOf(hello.incarnation, hello.publicKey)) {
      throw new RefusalError('key', 'the incarnation is not the hash of the key')
    }
    if (equal(hello.publicKey, this.#options.hello.publicKey)) {
      throw new RefusalError('same-identity', 'two pages with one identity')
    }
    this.#theirs = { hello, bytes, key: await importKey(hello.publicKey) }
    this.#stage = 'proof'
    const proof = await this.#options.sign(this.#statement(this.#options.isInitiator))
    this.#send(PROOF, proof)
  }

  async #onProof(signature: Uint8Array): Promise<void> {
    const theirs = this.#theirs
    if (theirs === null) throw new RefusalError('malformed', 'a proof before the hello')
    const statement = this.#statement(!this.#options.isInitiator)
    const key = theirs.key
    const isGenuine = await crypto.subtle.verify(
      SIGNATURE,
      key,
      new Uint8Array(signature),
      new Uint8Array(statement),
    )
    if (!isGenuine) {
      throw new RefusalError('signature', 'the signature over this connection is not genuine')
    }
    const { incarnation, publicKey, clusterId, foundingRecord, startChain } = theirs.hello
    const peer: VerifiedPeer = {
      peerId: this.#options.other,
      isInitiator: this.#options.isInitiator,
      protocol: Math.min(LINK_PROTOCOL_MAX, theirs.hello.protocolMax),
      build: theirs.hello.build,
      ...{ incarnation, publicKey, clusterId, foundingRecord, startChain },
      ...(theirs.hello.isClient === true ? { isClient: true } : {}),
      ...(theirs.hello.isNode === true ? { isNode: true } : {}),
    }
    const refusal = await this.#options.admit(peer)
    if (refusal !== null) throw new RefusalError('not-admitted', refusal)
    // It may have ended while the worker was asked.
    if (this.#stage !== 'proof') return
    this.#stage = 'open'
    this.#options.onAdmitted(peer)
  }

  #statement(signerIsInitiator: boolean): Uint8Array {
    const { isInitiator, self, other, room, localFingerprint, remoteFingerprint } = this.#options
    const ours = { peer: self, print: localFingerprint, hello: this.#ourHello }
    const theirs = {
      peer: other,
      print: remoteFingerprint,
      hello: this.#theirs?.bytes ?? new Uint8Array(0),
    }
    const w = new JuteWriter()
    w.ustring(LABEL)
    w.ustring(signerIsInitiator ? 'initiator' : 'responder')
    w.ustring(room)
    for (const side of isInitiator ? [ours, theirs] : [theirs, ours]) {
      w.ustring(side.peer)
      w.ustring(side.print)
      w.buffer(sha256(side.hello))
    }
    return w.finish()
  }

  #refuse(error: unknown): void {
    if (this.#stage === 'ended') return
    const code = error instanceof RefusalError ? error.code : 'malformed'
    const message = messageOf(error)
    this.#send(REFUSE, encodeUtf8(message.slice(0, REASON_MAX)))
    this.#stage = 'ended'
    this.#options.onRefused({ code, message })
  }

  #send(kind: number, body: Uint8Array): void {
    const message = new Uint8Array(1 + body.length)
    message[0] = kind
    message.set(body, 1)
    this.#options.send(message)
  }
}

async function importKey(publicKey: Uint8Array): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey('raw', new Uint8Array(publicKey), KEY, false, ['verify'])
  } catch {
    throw new RefusalError('key', 'the public key is not a point of P-256')
  }
}
