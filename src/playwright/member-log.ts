/** The one log of an ensemble, read from whichever member has what comes next. */
import { unpackEntries, type UnpackedValue } from '../adapters/indexeddb/log-codec.ts'
import { fromBase64 } from '../core/base/bytes.ts'
import { counterOf, epochOf, ZXID_NONE, type Zxid } from '../core/base/zxid.ts'
import type { Member } from './member.ts'
import { inKit } from './page-call.ts'

export class MemberLog {
  #entries: Uint8Array[] = []
  #last: Zxid = ZXID_NONE

  get entries(): readonly Uint8Array[] {
    return this.#entries
  }

  /**
   * Reads what was committed since the last time. A member that was given a snapshot has no log
   * from before it, so of a history with many of those it takes several looks.
   */
  async collect(members: readonly Member[]): Promise<'whole' | 'a hole'> {
    // Who does not serve may have applied what is not committed (P24).
    const serving = members.filter(({ isUp, isFrozen, status }) => {
      return isUp && !isFrozen && status?.member?.serving === true
    })
    let isBehind = false
    for (const member of serving) {
      const applied = BigInt(`0x${(member.status?.member?.zxid ?? '0').replace(/^0x/, '')}`)
      if (applied <= this.#last) continue
      isBehind = true
      const values = await this.#valuesOf(member)
      const [first] = values
      if (first === undefined || first.previous > this.#last) continue
      for (const { zxid, entry } of values.flatMap(({ entries }) => entries)) {
        if (zxid <= this.#last || zxid > applied) continue
        this.#entries.push(entry)
        this.#last = zxid
      }
      return 'whole'
    }
    return isBehind ? 'a hole' : 'whole'
  }

  /** It goes on from here. */
  forget(): void {
    this.#entries = []
  }

  async #valuesOf({ page, identity }: Member): Promise<readonly UnpackedValue[]> {
    const last = this.#last
    const after: [number, number] | null =
      last === ZXID_NONE ? null : [epochOf(last), counterOf(last)]
    const values = await inKit(page, (kit, [name, from]) => kit.logValues(name, from), [
      identity,
      after,
    ] as const)
    return values.flatMap((base64) => {
      const bytes = fromBase64(base64)
      return (bytes === null ? null : unpackEntries(bytes)) ?? []
    })
  }
}
