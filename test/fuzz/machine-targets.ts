/**
 * Whole members under hostile clients and peers: nobody may bring one down, and who behaves is
 * served all the same.
 */
import { toServerId } from '../../src/core/base/zxid.ts'
import type { Prng } from '../../src/core/base/prng.ts'
import { frame } from '../../src/core/jute/framing.ts'
import { OpCode } from '../../src/core/jute/op-code.ts'
import * as proto from '../../src/core/jute/proto-records.ts'
import { createSingleMember, SingleMember, type Wire } from '../core/server/single-member.ts'
import type { TestClient } from '../core/server/test-client.ts'
import { hostile } from './mutate.ts'
import type { Target } from './target.ts'

const WIRES_MAX = 4
/** Messages of one input: each of them is bytes from nobody knows whom. */
const MESSAGES = 12
/** Inputs, of whatever target, that one member lives through: nodes pile up. */
const BLOCK_INPUTS = 4_000
const UNKNOWN_TRANSACTION = /^AssertionError: transaction /
const TYPES: readonly number[] = Object.values(OpCode)

/** One good client among hostile ones, on one member for many inputs. */
export function clientsTarget(requests: readonly Uint8Array[]): Target {
  let member: SingleMember | null = null
  let good: TestClient | null = null
  let block = -1
  const connectRequest = requests[0] as Uint8Array
  const run = (prng: Prng, input: number): void => {
    const own = Math.floor(input / BLOCK_INPUTS)
    if (member === null || good === null || own !== block) {
      block = own
      member = createSingleMember({ config: { extendedTypesEnabled: true } })
      good = member.session(40_000)
      good.create('/good')
    }
    attack(member, prng, requests, connectRequest)
    if (member.haltReason !== null) {
      const reason = member.haltReason
      member = null
      throw new Error(`the member halted: ${reason}`)
    }
    const xid = good.send(OpCode.exists, proto.existsRequestRecord, { path: '/good', watch: false })
    // Throws when there is none.
    good.reply(xid)
  }
  return { name: 'hostile clients', weight: 4, run, blockInputs: BLOCK_INPUTS }
}

function attack(
  member: SingleMember,
  prng: Prng,
  requests: readonly Uint8Array[],
  connectRequest: Uint8Array,
): void {
  const wires: Wire[] = []
  for (let left = MESSAGES; left > 0; left--) {
    const dice = prng.int(10)
    if (wires.length === 0 || (dice === 0 && wires.length < WIRES_MAX)) {
      const wire = member.connect({ onBytes: () => undefined, onClosed: () => undefined })
      wires.push(wire)
      if (prng.bool(0.8)) wire.send(frame(connectRequest))
    } else if (dice === 1) prng.pick(wires).close()
    else if (dice === 2) member.advance(50 * prng.int(20))
    else prng.pick(wires).send(message(prng, requests))
  }
  for (const wire of wires) wire.close()
}

/** Most have a good length word; without that nothing behind it is looked at. */
function message(prng: Prng, requests: readonly Uint8Array[]): Uint8Array {
  if (prng.bool(0.1)) return hostile(prng, requests)
  const bytes = prng.bool(0.3) ? prng.pick(requests).slice() : hostile(prng, requests)
  if (bytes.length >= 8 && prng.bool(0.3)) {
    new DataView(bytes.buffer, bytes.byteOffset).setInt32(4, prng.pick(TYPES))
  }
  return frame(bytes)
}

/** A member of three that hears a peer talk nonsense. */
export function peersTarget(frames: readonly Uint8Array[]): Target {
  const run = (prng: Prng): void => {
    const voters = [1, 2, 3].map(toServerId)
    const member = new SingleMember({ config: { voters } })
    const peer = toServerId(2 + prng.int(2))
    member.input({ kind: 'link-up', peer })
    for (let left = MESSAGES; left > 0; left--) {
      const dice = prng.int(12)
      if (dice === 0) member.input({ kind: 'link-down', peer, reason: 'gone' })
      else if (dice === 1) member.input({ kind: 'link-up', peer })
      else if (dice === 2) member.advance(50 * prng.int(10))
      else {
        const bytes = prng.bool(0.3) ? prng.pick(frames).slice() : hostile(prng, frames)
        member.input({ kind: 'frame', peer, bytes })
      }
    }
    // What a leader says is committed must be known, or not be skipped: that alone may end it (P9).
    const { haltReason } = member
    if (haltReason !== null && !UNKNOWN_TRANSACTION.test(haltReason)) {
      throw new Error(`the member halted: ${haltReason}`)
    }
  }
  return { name: 'hostile peers', weight: 1, run }
}
