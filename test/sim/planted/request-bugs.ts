/** Mistakes of who answers clients and prepares their writes. */
import { OpCode } from '../../../src/core/jute/op-code.ts'
import { ChangeRecords } from '../../../src/core/server/change-records.ts'
import { CommitOrder } from '../../../src/core/server/commit-order.ts'
import { waitsForLeader, type Request } from '../../../src/core/server/request.ts'
import { FollowerService } from '../../../src/core/server/follower-service.ts'
import { SessionTracker } from '../../../src/core/server/session-tracker.ts'
import { ZooKeeperServer } from '../../../src/core/server/zookeeper-server.ts'
import { toSessionId } from '../../../src/core/base/zxid.ts'
import { DataTree } from '../../../src/core/tree/data-tree.ts'
import { Ephemerals } from '../../../src/core/tree/ephemerals.ts'
import { parentOf } from '../../../src/core/tree/path.ts'
import type { PlantedBug } from './planted-bug.ts'
import { all, instead, type Remove } from './replaced.ts'

/** A write with data, and more than a client's shortest. */
const LONG_BYTES = 30
const NOBODY = toSessionId(0n)

/** Whose number it is counts for nothing: the first session that waits with it is answered. */
function answersByNumber(): Remove {
  const waiting = new WeakMap<CommitOrder, Request[]>()
  return all(
    instead(CommitOrder.prototype, 'submit', (submit) => {
      return function (this: CommitOrder, request: Request): void {
        submit.call(this, request)
        if (!waitsForLeader(request.type) || request.type === OpCode.sync) return
        const others = waiting.get(this)?.filter(({ done }) => !done) ?? []
        waiting.set(this, [...others, request])
      }
    }),
    instead(CommitOrder.prototype, 'take', (take) => {
      return function (this: CommitOrder, header) {
        const taken = waiting.get(this)?.find(({ done, zxid, cxid }) => {
          return !done && zxid === null && cxid === header.cxid
        })
        if (taken === undefined) return take.call(this, header)
        return take.call(this, { ...header, clientId: taken.session })
      }
    }),
  )
}

/** As if long requests had a lane of their own. */
function longWritesLater(): Remove {
  const held = new WeakMap<FollowerService, Request>()
  return instead(FollowerService.prototype, 'forward', (forward) => {
    return function (this: FollowerService, request: Request): void {
      const before = held.get(this)
      held.delete(this)
      if (before === undefined && request.body.length > LONG_BYTES) held.set(this, request)
      else forward.call(this, request)
      if (before !== undefined) forward.call(this, before)
    }
  })
}

export const REQUEST_BUGS: readonly PlantedBug[] = [
  {
    name: 'reads-overtake',
    what: "a read does not wait for its session's write before it (Q61)",
    foundBy: ['ReplyOrder'],
    plant: () =>
      instead(CommitOrder.prototype, 'submit', (submit) => {
        return function (this: CommitOrder, request) {
          const isRead = !waitsForLeader(request.type)
          submit.call(this, isRead ? { ...request, session: NOBODY } : request)
        }
      }),
  },
  {
    name: 'answers-by-number',
    what: 'a follower knows the answer to a write by its xid, whosever that is (Q61)',
    foundBy: ['AckedIsCommitted'],
    plant: answersByNumber,
  },
  {
    name: 'checks-the-tree',
    what: 'a write is checked against the tree, not against what is proposed already (D33)',
    foundBy: ['Linearizability'],
    plant: () => instead(ChangeRecords.prototype, 'add', () => () => undefined),
  },
  {
    name: 'failed-multi-stays',
    what: 'a multi that fails leaves the changes of its first parts behind (ZOOKEEPER-1624)',
    foundBy: ['Linearizability', 'Convergence'],
    plant: () => instead(ChangeRecords.prototype, 'rollback', () => () => undefined),
  },
  {
    name: 'counts-children',
    what: 'a sequential name has the number of children, not of creates (D14)',
    foundBy: ['SequenceGrows'],
    plant: () =>
      instead(ChangeRecords.prototype, 'find', (find) => {
        return function (this: ChangeRecords, path) {
          const node = find.call(this, path)
          return node === undefined ? node : { ...node, cversion: node.childCount }
        }
      }),
  },
  {
    name: 'writes-overtake',
    what: 'a follower sends a long write behind the one that comes after it (Q60)',
    foundBy: ['SessionOrder'],
    plant: longWritesLater,
  },
  {
    name: 'expires-nobody',
    what: 'a session that expired is closed in the name of none, and its ephemerals stay (S9)',
    foundBy: ['TableOfObservers'],
    plant: () =>
      instead(SessionTracker.prototype, 'expire', (expire) => {
        return function (this: SessionTracker, elapsedMs) {
          return expire.call(this, elapsedMs).map(() => NOBODY)
        }
      }),
  },
  {
    name: 'touch-revives',
    what: 'a sign of life of a session that ended makes it known again (S8)',
    foundBy: ['SessionIsOpen'],
    plant: () =>
      instead(SessionTracker.prototype, 'touch', (touch) => {
        return function (this: SessionTracker, id, timeoutMs, elapsedMs) {
          if (!this.has(id)) this.track(id, timeoutMs, elapsedMs)
          return touch.call(this, id, timeoutMs, elapsedMs)
        }
      }),
  },
  {
    name: 'close-forgets-pending',
    what: 'closeSession lists the ephemerals in the tree, not those on their way (D45)',
    foundBy: ['EphemeralOwnerAlive'],
    plant: () =>
      instead(ChangeRecords.prototype, 'ephemeralsOf', () => (_session, committed) => [
        ...committed,
      ]),
  },
  {
    name: 'ephemerals-stay-listed',
    what: 'a deleted ephemeral stays in the list of its session, which later deletes its successor',
    foundBy: ['TreeInvariants'],
    plant: () => instead(Ephemerals.prototype, 'remove', () => () => undefined),
  },
  {
    name: 'delete-keeps-pzxid',
    what: 'a delete leaves the pzxid of the parent as it was (D29)',
    foundBy: ['ReadsShowTheLog', 'WatchComplete', 'Convergence'],
    plant: () =>
      instead(DataTree.prototype, 'applyTxn', (applyTxn) => {
        return function (this: DataTree, header, txn, sink) {
          const parent = txn.kind === 'delete' ? this.node(parentOf(txn.path)) : undefined
          const pzxid = parent?.pzxid ?? 0n
          const result = applyTxn.call(this, header, txn, sink)
          if (parent !== undefined) {
            this.store.beforeChange(parent)
            parent.pzxid = pzxid
            this.store.afterChange(parent)
          }
          return result
        }
      }),
  },
  {
    name: 'touches-stay-here',
    what: 'a follower does not pass on which sessions it heard of (S10)',
    foundBy: ['NotExpiredEarly'],
    plant: () =>
      instead(ZooKeeperServer.prototype, 'takeTouchedSessions', () => () => new Uint8Array(0)),
  },
  {
    name: 'new-leader-knows-nobody',
    what: 'a new leader does not take over the sessions of the tree (S11)',
    foundBy: ['Settles'],
    plant: () =>
      instead(ZooKeeperServer.prototype, 'onService', (onService) => {
        return function (this: ZooKeeperServer, service, at) {
          const remove = instead(SessionTracker.prototype, 'track', () => () => undefined)
          try {
            onService.call(this, service, at)
          } finally {
            remove()
          }
        }
      }),
  },
  {
    name: 'no-answer-to-the-expired',
    what: 'a client whose session is over is told nothing (W55)',
    foundBy: ['ClientsResume'],
    plant: () =>
      instead(ZooKeeperServer.prototype, 'finishConnect', (finishConnect) => {
        return function (this: ZooKeeperServer, connection, isValid) {
          if (isValid) finishConnect.call(this, connection, isValid)
        }
      }),
  },
]
