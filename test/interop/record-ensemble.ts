/** Recordings between the members of an ensemble: quorum packets and election messages. */

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ownPorts } from '../own-ports.ts'
import { runClient, startServer, waitUntilServing, type ApacheServer } from './apache.ts'
import { ClientTap } from './client-tap.ts'
import { saveRecording, type Frame } from './frame-file.ts'
import { ElectionTap, QuorumTap } from './quorum-tap.ts'
import { RawLearner } from './raw-learner.ts'
import { RecordingProxy, type Tap } from './recording-proxy.ts'

interface Member {
  readonly id: number
  readonly role: 'participant' | 'observer'
  readonly client: number
  readonly quorum: number
  readonly election: number
  /** Where the others find the two ports. */
  readonly quorumProxy: number
  readonly electionProxy: number
}

const LATE_WRITES = 6

/**
 * Each member's file names its own ports and the others' proxies, so that all traffic between them
 * is seen. (Answers to a smaller id may go around the proxy: the InitialMessage names real ports.)
 */
export async function recordEnsemble(directory: string, classes: string): Promise<void> {
  const members = await allocate(4)
  const quorum: Frame[] = []
  const election: Frame[] = []
  const proxies: RecordingProxy[] = []
  const through = async (port: number, target: number, newTap: () => Tap): Promise<void> => {
    proxies.push(await RecordingProxy.listen(port, target, newTap))
  }
  for (const member of members) {
    await through(member.quorumProxy, member.quorum, () => new QuorumTap(quorum))
    await through(member.electionProxy, member.election, () => new ElectionTap(election))
  }
  const start = (id: number): ApacheServer => startMember(members, id, directory)
  const hosts = (id: number): string => `127.0.0.1:${memberOf(members, id).client}`

  start(1)
  start(2)
  await waitUntilServing(memberOf(members, 2).client, 'leader')
  await waitUntilServing(memberOf(members, 1).client, 'follower')
  await runClient(classes, ['write', hosts(2), '/before-', '3'])
  // Its empty disk makes the third member ask for a SNAP, and so does the observer's.
  const third = start(3)
  await waitUntilServing(memberOf(members, 3).client, 'follower')
  start(4)
  await waitUntilServing(memberOf(members, 4).client, 'observer')
  await runClient(classes, ['ensemble', hosts(1), hosts(3)])
  await third.stop()
  await runClient(classes, ['write', hosts(2), '/missed-', String(LATE_WRITES)])
  start(3)
  await waitUntilServing(memberOf(members, 3).client, 'follower')
  await sleep(1_500)
  saveRecording('quorum', 'Apache ZooKeeper 3.8.0, three voters and an observer', quorum)
  saveRecording('election', 'Apache ZooKeeper 3.8.0, election messages of the same', election)
  for (const proxy of proxies) proxy.close()
}

/**
 * Two real members and learners of ours in the place of the third. Here the addresses are real,
 * because a reconfig hands the leader's view of them to everybody.
 */
export async function recordReconfig(directory: string, classes: string): Promise<void> {
  const members = (await allocate(3)).map((member) => ({
    ...member,
    quorumProxy: member.quorum,
    electionProxy: member.election,
    role: 'participant' as const,
  }))
  const extra = ['reconfigEnabled=true', 'skipACL=yes', 'standaloneEnabled=false']
  startMember(members, 1, directory, extra)
  startMember(members, 2, directory, extra)
  const leader = memberOf(members, 2)
  await waitUntilServing(leader.client, 'leader')
  await runClient(classes, ['write', `127.0.0.1:${leader.client}`, '/r-', '2'])

  const frames: Frame[] = []
  const requests: Frame[] = []
  const [proxyPort = 0, clientProxyPort = 0, q = 0, e = 0, c = 0] = await ownPorts(5)
  const proxy = await RecordingProxy.listen(proxyPort, leader.quorum, () => new QuorumTap(frames))
  // Its zxid is in the leader's log: a DIFF, as these learners cannot take a SNAP.
  const lastZxid = 0x1_0000_0001n
  const fresh = { serverid: 3n, observer: false, acceptedEpoch: 0n, currentEpoch: 0, lastZxid }
  const follower = await RawLearner.open(proxyPort, fresh)
  await follower.waitFor('UPTODATE')
  const observer = await RawLearner.open(proxyPort, { ...fresh, serverid: 9n, observer: true })
  await observer.waitFor('UPTODATE')
  // Ahead of the leader's log, in its own epoch, and with the epoch accepted already.
  const ahead = { ...fresh, serverid: 8n, acceptedEpoch: 1n, lastZxid: 0x1_0000_0fffn }
  const truncated = await RawLearner.open(proxyPort, { ...ahead, observer: true })
  await truncated.waitFor('TRUNC')
  const address = `server.5=127.0.0.1:${q}:${e}:observer;127.0.0.1:${c}`
  const clientProxy = await RecordingProxy.listen(
    clientProxyPort,
    leader.client,
    () => new ClientTap(requests),
  )
  await runClient(classes, ['reconfig', `127.0.0.1:${clientProxyPort}`, address])
  await follower.waitFor('COMMITANDACTIVATE')
  await observer.waitFor('INFORMANDACTIVATE')
  await sleep(1_500)
  for (const learner of [follower, observer, truncated]) learner.close()
  saveRecording('learner', 'Apache ZooKeeper 3.8.0 leading learners of our own encoders', frames)
  saveRecording('client-reconfig', 'Apache ZooKeeper 3.8.0, a reconfig by its client', requests)
  proxy.close()
  clientProxy.close()
}

async function allocate(count: number): Promise<Member[]> {
  const ports = await ownPorts(5 * count)
  return Array.from({ length: count }, (_, i) => {
    const [client = 0, quorum = 0, election = 0, quorumProxy = 0, electionProxy = 0] = ports.slice(
      5 * i,
    )
    const role = i === 3 ? 'observer' : 'participant'
    return { id: i + 1, role, client, quorum, election, quorumProxy, electionProxy }
  })
}

function memberOf(members: readonly Member[], id: number): Member {
  const member = members.find((candidate) => candidate.id === id)
  if (member === undefined) throw new Error(`no member ${id}`)
  return member
}

function startMember(
  members: readonly Member[],
  id: number,
  directory: string,
  extra: readonly string[] = [],
): ApacheServer {
  const self = memberOf(members, id)
  const servers = members.map((member) => {
    const own = member === self
    const quorum = own ? member.quorum : member.quorumProxy
    const election = own ? member.election : member.electionProxy
    const role = member.role === 'observer' ? ':observer' : ''
    return `server.${member.id}=127.0.0.1:${quorum}:${election}${role}`
  })
  const peerType = self.role === 'observer' ? ['peerType=observer'] : []
  return startServer({
    directory: join(directory, String(id)),
    clientPort: self.client,
    myid: id,
    lines: [...servers, ...peerType, ...extra],
    // Without the log a learner far behind always gets a SNAP (Q30).
    properties: { 'zookeeper.snapshotSizeFactor': '-1' },
  })
}
