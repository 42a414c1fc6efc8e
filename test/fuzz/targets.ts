/** Everything that reads bytes from others, and what it may do with bad ones: refuse them. */
import fc from 'fast-check'
import { isUnbegun, logHeaderProblem, readLogFile } from '../../src/adapters/files/log-format.ts'
import { parseInitialMessage } from '../../src/adapters/tcp/first-message.ts'
import { PacketSplitter } from '../../src/adapters/tcp/packet-splitter.ts'
import { IncomingSnapshot } from '../../src/adapters/tcp/snapshot-stream.ts'
import { WholeFrames } from '../../src/adapters/tcp/whole-frames.ts'
import { joinFrames, splitFrames } from '../../src/core/jute/framing.ts'
import { decodeTxn, encodeTxn } from '../../src/core/jute/txn.ts'
import { decodePing } from '../../src/core/server/digest-claim.ts'
import { restoreTree } from '../../src/core/tree/snapshot.ts'
import { decodeFrame } from '../../src/core/zab/frame.ts'
import { decodeNotification } from '../../src/core/zab/notification.ts'
import { RECORD_CASES } from '../core/jute/record-cases.ts'
import { decoder, pieces } from './byte-targets.ts'
import * as corpus from './corpus.ts'
import { edgeTargets } from './edge-targets.ts'
import { clientsTarget, peersTarget } from './machine-targets.ts'
import { meshTargets } from './mesh-targets.ts'
import type { Target } from './target.ts'

const SAMPLES = 20

export function allTargets(): Target[] {
  return [
    ...[recordTargets(), streamTargets(), fileTargets(), machineTargets()].flat(),
    ...[meshTargets(), edgeTargets()].flat(),
  ]
}

function recordTargets(): Target[] {
  const records = RECORD_CASES.map((one) => {
    const samples = fc.sample(one.samples, { seed: 1, numRuns: SAMPLES })
    const good = [...samples.map(({ bytes }) => bytes), ...corpus.recorded()]
    return decoder(`record ${one.name}`, 1, good, (bytes) => {
      one.encodeDecoded(bytes)
    })
  })
  return [
    ...records,
    decoder('transaction', 8, [...corpus.transactions(), ...corpus.recorded('files')], (bytes) => {
      const { header, txn, digest } = decodeTxn(bytes)
      encodeTxn(header, txn, digest)
    }),
    decoder('notification', 2, corpus.recorded('election'), decodeNotification),
    decoder('ping data', 2, corpus.recorded('learner'), decodePing),
  ]
}

function streamTargets(): Target[] {
  return [
    decoder('peer frame', 4, corpus.peerFrames(), decodeFrame),
    decoder('initial message', 2, corpus.recorded('election'), parseInitialMessage),
    decoder('whole message', 2, corpus.clientMessages(), splitFrames),
    pieces('socket frames', corpus.clientMessages(), () => {
      const frames = new WholeFrames()
      return (piece) => frames.push(piece).map((message) => joinFrames(splitFrames(message)))[0]
    }),
    pieces('quorum packets', corpus.recorded('quorum'), () => {
      const splitter = new PacketSplitter()
      return (piece) => {
        splitter.push(piece)
        while (splitter.next() !== null);
      }
    }),
    pieces('quorum snapshot', corpus.snapshots(), () => {
      const snapshot = new IncomingSnapshot(1n, new TextEncoder().encode('BenWasHere'))
      return (piece) => snapshot.push(piece)
    }),
  ]
}

function fileTargets(): Target[] {
  return [
    decoder('log file', 4, corpus.logFiles(), (bytes) => {
      isUnbegun(bytes)
      if (logHeaderProblem(bytes) === null) readLogFile(bytes)
    }),
    decoder('snapshot', 4, corpus.snapshots(), (bytes) => {
      restoreTree([bytes.subarray(0, bytes.length >> 1), bytes.subarray(bytes.length >> 1)])
    }),
  ]
}

function machineTargets(): Target[] {
  return [clientsTarget(corpus.requestsOfClients()), peersTarget(corpus.peerFrames())]
}
