/** A connection that takes a session over and closes it, as whoever has its password may (S18). */
import {
  connectRequestRecord,
  connectResponseRecord,
  requestHeaderRecord,
} from '../core/jute/connect-records.ts'
import { frame, splitFrames } from '../core/jute/framing.ts'
import { OpCode } from '../core/jute/op-code.ts'
import { decode, encode } from '../core/jute/record.ts'
import { REPLY_FRAME_MAX_BYTES } from '../client/limits.ts'
import type { EnsembleParts } from './ensemble-parts.ts'
import type { PipeEnd } from './pipe-end.ts'
import { VirtualProcess } from './virtual-process.ts'
import type { VirtualMember } from './virtual-member.ts'
import type { Station } from './station.ts'

/** The handle's own xids begin at 1: a log names a request by session and xid. */
const XID = 0x7fff_fff0
/** ms until it is tried again; a session that opens asks the leader and the disk of a majority. */
const LIMIT_MS = 5000

export class SessionEnder implements Station {
  readonly name = 'the end of a session'
  readonly process: VirtualProcess
  readonly #end: PipeEnd
  #outcome: 'closed' | 'failed' | null = null
  #isOpen = false

  constructor(
    { time, network, prng }: EnsembleParts,
    member: VirtualMember,
    session: { readonly id: bigint; readonly password: Uint8Array },
  ) {
    this.process = new VirtualProcess(time, prng.fork('session ender'))
    const [end, memberEnd] = network.connect(this, member)
    this.#end = end
    end.onMessage = (bytes) => this.#onMessage(bytes)
    end.onClose = () => this.#settle('failed')
    member.process.run(() => member.attachClient(memberEnd))
    this.process.after(LIMIT_MS, () => this.#settle('failed'))
    const request = {
      protocolVersion: 0,
      lastZxidSeen: 0n,
      timeOut: LIMIT_MS,
      sessionId: session.id,
      passwd: session.password,
      readOnly: false,
    }
    end.send(frame(encode(connectRequestRecord, request)))
  }

  get outcome(): 'closed' | 'failed' | null {
    return this.#outcome
  }

  #onMessage(bytes: Uint8Array): void {
    for (const payload of splitFrames(bytes, REPLY_FRAME_MAX_BYTES)) {
      if (this.#isOpen) return this.#settle('closed')
      // It had expired by itself.
      if (decode(connectResponseRecord, payload).timeOut <= 0) return this.#settle('closed')
      this.#isOpen = true
      const header = { xid: XID, type: OpCode.closeSession }
      this.#end.send(frame(encode(requestHeaderRecord, header)))
    }
  }

  #settle(outcome: 'closed' | 'failed'): void {
    this.#outcome ??= outcome
    this.#end.close('done')
    this.process.end()
  }
}
