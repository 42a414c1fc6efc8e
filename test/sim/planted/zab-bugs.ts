/** Mistakes of members among themselves, where the core keeps no seam for them. */
import { epochOf, type ServerId } from '../../../src/core/base/zxid.ts'
import { ErrorCode } from '../../../src/core/jute/error-code.ts'
import { PacketType } from '../../../src/core/jute/quorum-records.ts'
import { FinalStage } from '../../../src/core/server/final-request.ts'
import { ZooKeeperServer } from '../../../src/core/server/zookeeper-server.ts'
import { DataTree } from '../../../src/core/tree/data-tree.ts'
import { NodeStore } from '../../../src/core/tree/node-store.ts'
import { parentOf } from '../../../src/core/tree/path.ts'
import { EffectList } from '../../../src/core/zab/effect-list.ts'
import type { LogEntry } from '../../../src/core/zab/effect.ts'
import { Epochs } from '../../../src/core/zab/epochs.ts'
import { FastLeaderElection } from '../../../src/core/zab/fast-leader-election.ts'
import { Follower } from '../../../src/core/zab/follower.ts'
import { Learner } from '../../../src/core/zab/learner.ts'
import { MajorityVerifier } from '../../../src/core/zab/quorum-verifier.ts'
import type { PlantedBug } from './planted-bug.ts'
import { all, instead, type Remove } from './replaced.ts'

/** What each follower heard last lies where the next one will. */
function sharesBuffer(): Remove {
  const buffers = new WeakMap<Follower, Uint8Array>()
  return instead(Follower.prototype, 'onPacket', (onPacket) => {
    return function (this: Follower, packet, at) {
      if (packet.type !== PacketType.PROPOSAL || packet.data === null) {
        return onPacket.call(this, packet, at)
      }
      const buffer = buffers.get(this) ?? new Uint8Array(64_000)
      buffers.set(this, buffer)
      buffer.set(packet.data)
      return onPacket.call(this, { ...packet, data: buffer.subarray(0, packet.data.length) }, at)
    }
  })
}

/** What came before UPTODATE is delivered once more when service begins. */
function appliesAgain(): Remove {
  const early = new WeakMap<ZooKeeperServer, LogEntry[]>()
  return all(
    instead(ZooKeeperServer.prototype, 'deliver', (deliver) => {
      return function (this: ZooKeeperServer, entry, at) {
        if (!this.isServing) early.set(this, [...(early.get(this) ?? []), entry])
        deliver.call(this, entry, at)
      }
    }),
    instead(ZooKeeperServer.prototype, 'onService', (onService) => {
      return function (this: ZooKeeperServer, service, at) {
        const entries = early.get(this) ?? []
        early.delete(this)
        onService.call(this, service, at)
        if (service.kind === 'following') for (const entry of entries) this.deliver(entry, at)
      }
    }),
  )
}

/** The clock of the member whose transaction is applied. */
function takesOwnTime(): Remove {
  let wallMs = 0
  return all(
    instead(ZooKeeperServer.prototype, 'deliver', (deliver) => {
      return function (this: ZooKeeperServer, entry, at) {
        wallMs = at.wallMs
        deliver.call(this, entry, at)
      }
    }),
    instead(DataTree.prototype, 'applyTxn', (applyTxn) => {
      return function (this: DataTree, header, txn, sink) {
        return applyTxn.call(this, { ...header, time: wallMs || header.time }, txn, sink)
      }
    }),
  )
}

/** As long as a learner handles a packet, acceptedEpoch changes in memory alone. */
function promisesInMemory(): Remove {
  let isLearning = false
  return all(
    instead(Learner.prototype, 'onPacket', (onPacket) => {
      return function (this: Learner, packet, at) {
        isLearning = true
        try {
          onPacket.call(this, packet, at)
        } finally {
          isLearning = false
        }
      }
    }),
    instead(Epochs.prototype, 'accept', (accept) => {
      return function (this: Epochs, epoch) {
        if (!isLearning) return accept.call(this, epoch)
        const remove = instead(EffectList.prototype, 'push', () => () => undefined)
        accept.call(this, epoch)
        remove()
      }
    }),
  )
}

/** Neither a link that went nor silence is a reason. */
function servesOn(): Remove {
  return all(
    instead(Learner.prototype, 'onLinkDown', (onLinkDown) => {
      return function (this: Learner, peer, reason) {
        if (!this.isServing) onLinkDown.call(this, peer, reason)
      }
    }),
    instead(Learner.prototype, 'onTime', (onTime) => {
      return function (this: Learner, at) {
        if (!this.isServing) onTime.call(this, at)
      }
    }),
  )
}

export const ZAB_BUGS: readonly PlantedBug[] = [
  {
    name: 'half-is-enough',
    what: 'half of the voters are taken for a quorum, where their number is even (Q5)',
    foundBy: ['CommittedOnMajority'],
    alsoFoundBy: ['Leadership1', 'Leadership2'],
    plant: () =>
      instead(MajorityVerifier.prototype, 'containsQuorum', () => {
        return function (this: MajorityVerifier, acks: ReadonlySet<ServerId>) {
          const count = [...acks].filter((sid) => this.voters.has(sid)).length
          return 2 * count >= this.voters.size
        }
      }),
  },
  {
    name: 'epoch-of-the-log',
    what: 'a vote says the epoch of the last entry for currentEpoch (Q10)',
    foundBy: ['VoteIsDurable'],
    plant: () =>
      instead(FastLeaderElection.prototype, 'start', (start) => {
        return function (this: FastLeaderElection, own, nowMs) {
          const vote = own === null ? null : { ...own, peerEpoch: epochOf(own.zxid) }
          start.call(this, vote, nowMs)
        }
      }),
  },
  {
    name: 'promise-in-memory',
    what: 'a follower does not write acceptedEpoch; currentEpoch is above it (ZOOKEEPER-2307)',
    foundBy: ['EpochsOnDisk'],
    plant: promisesInMemory,
  },
  {
    name: 'observer-stands',
    what: 'an observer looks for a leader with a vote, as voters do (Q20)',
    foundBy: ['ObserverIsSilent'],
    plant: () =>
      instead(FastLeaderElection.prototype, 'start', (start) => {
        return function (this: FastLeaderElection, own, nowMs) {
          const { leader, zxid, peerEpoch } = this.vote
          start.call(this, own ?? { leader, zxid, peerEpoch }, nowMs)
        }
      }),
  },
  {
    name: 'early-commits-lost',
    what: 'what is committed before UPTODATE is logged and not applied (Q39)',
    foundBy: ['TotalOrder'],
    alsoFoundBy: ['Agreement', 'LocalPrimaryOrder', 'ComesToRest'],
    plant: () =>
      instead(ZooKeeperServer.prototype, 'deliver', (deliver) => {
        return function (this: ZooKeeperServer, entry, at) {
          if (this.isServing) deliver.call(this, entry, at)
        }
      }),
  },
  {
    name: 'applies-again',
    what: 'what was applied while it synchronised is applied again when it serves (P12)',
    foundBy: ['AppliedOnce'],
    alsoFoundBy: ['GlobalPrimaryOrder'],
    plant: appliesAgain,
  },
  {
    name: 'shared-buffer',
    what: 'a proposal is kept as a view of the buffer that the next one is read into',
    foundBy: ['Integrity'],
    alsoFoundBy: ['NoHalt', 'NoException'],
    plant: sharesBuffer,
  },
  {
    name: 'own-clock',
    what: "a member applies a transaction at its own time, not at the leader's (P9)",
    foundBy: ['DigestEquality'],
    alsoFoundBy: ['NoDivergence'],
    plant: takesOwnTime,
  },
  {
    name: 'write-without-leader',
    what: 'who has no leader says that a write failed, which only a leader can judge (S37)',
    foundBy: ['WithoutLeader'],
    plant: () =>
      instead(FinalStage.prototype, 'answerRead', (answerRead) => {
        return function (this: FinalStage, ctx, request) {
          const isRefused = request.refusal === ErrorCode.NOTREADONLY
          const failed = { ...request, refusal: ErrorCode.NONODE }
          answerRead.call(this, ctx, isRefused ? failed : request)
        }
      }),
  },
  {
    name: 'serves-on',
    what: 'a learner whose leader is gone serves on, until it hears of another one (Q49)',
    foundBy: ['BoundedStaleness'],
    plant: servesOn,
  },
  {
    name: 'ghost-child',
    what: 'an ephemeral that is deleted stays in the list of its parent (D29)',
    foundBy: ['ReadsShowTheLog'],
    plant: () =>
      instead(NodeStore.prototype, 'remove', (remove) => {
        return function (this: NodeStore, node) {
          remove.call(this, node)
          if (node.ephemeralOwner === 0n) return
          const name = node.path.slice(node.path.lastIndexOf('/') + 1)
          this.node(parentOf(node.path))?.children?.add(name)
        }
      }),
  },
]
