/** A connection that ends a session. */
import type { EnsembleParts } from './ensemble-parts.ts'
import type { PipeEnd } from './pipe-end.ts'
import { VirtualProcess } from './virtual-process.ts'
import type { VirtualMember } from './virtual-member.ts'
import { SessionEnd, type KnownSession } from './session-end.ts'
import type { Station } from './station.ts'

/** ms until it is tried again; a session that opens asks the leader and the disk of a majority. */
const LIMIT_MS = 5000

export class SessionEnder implements Station {
  readonly name = 'the end of a session'
  readonly process: VirtualProcess
  readonly #end: PipeEnd
  #outcome: 'closed' | 'failed' | null = null
  readonly #session: SessionEnd

  constructor(
    { time, network, prng }: EnsembleParts,
    member: VirtualMember,
    session: KnownSession,
  ) {
    this.process = new VirtualProcess(time, prng.fork('session ender'))
    const [end, memberEnd] = network.connect(this, member)
    this.#end = end
    end.onMessage = (bytes) => this.#onMessage(bytes)
    end.onClose = () => this.#settle('failed')
    member.process.run(() => member.attachClient(memberEnd))
    this.process.after(LIMIT_MS, () => this.#settle('failed'))
    this.#session = new SessionEnd(session, LIMIT_MS)
    end.send(this.#session.hello)
  }

  get outcome(): 'closed' | 'failed' | null {
    return this.#outcome
  }

  #onMessage(bytes: Uint8Array): void {
    const next = this.#session.answer(bytes)
    if (next === null) this.#settle('closed')
    else this.#end.send(next)
  }

  #settle(outcome: 'closed' | 'failed'): void {
    this.#outcome ??= outcome
    this.#end.close('done')
    this.process.end()
  }
}
