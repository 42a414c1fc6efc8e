/** The details of an explanation in short lines. Figures are coarse, so that lines keep still. */
import type { CandidateCounts } from '../src/adapters/webrtc/doctor/ice-facts.ts'
import type { Explanation, LinkExplanation } from '../src/browser/explanation.ts'

export function linkLines(links: readonly LinkExplanation[]): string[] {
  return links.map((link) => `${link.name}: ${linkText(link)}`)
}

export function memberLines({ member, machines, build }: Explanation): string[] {
  const role = member.role ?? member.phase
  const quorum =
    member.quorum === null
      ? []
      : [`${member.quorum.here} of ${member.quorum.voters} here, ${member.quorum.needed} needed`]
  return [
    `this tab: ${member.sid === null ? '' : `machine ${member.sid}, `}${role}`,
    ...(member.epoch === null ? [] : [`epoch ${member.epoch}`]),
    ...quorum,
    ...machines
      .filter((machine) => !machine.isThisTab)
      .map((machine) => `machine ${machine.sid}: ${machineText(machine)}`),
    `build ${build}`,
  ]
}

export function storageLines({ storage }: Explanation): string[] {
  const { durability, disk, persisted, quotaBytes, usageBytes, privateWindow } = storage
  if (durability === null) return ['this tab stores nothing']
  const isPrivate =
    privateWindow === 'unknown'
      ? 'a private window cannot be told apart here'
      : privateWindow
        ? 'looks like a private window'
        : 'no private window'
  return [
    'strict: a write is on disk before it is acknowledged',
    persisted ? 'the browser promised to keep it' : 'the browser did not promise to keep it',
    isPrivate,
    `${bytes(usageBytes)} used of ${bytes(quotaBytes)}`,
    disk === null || disk.newestBatchAtMs === null
      ? 'nothing written yet since this page was opened'
      : `newest batch at ${new Date(disk.newestBatchAtMs).toLocaleTimeString()}, ` +
        `${milliseconds(disk.newestBatchTookMs ?? 0)}; slowest ` +
        milliseconds(disk.slowestBatchTookMs ?? 0),
  ]
}

export function serverLines({ signaling, ice }: Explanation): string[] {
  const pages = signaling.pages === 1 ? '1 page' : `${signaling.pages} pages`
  const broker =
    signaling.state === 'joined'
      ? `signaling server: connected, ${pages} of this room`
      : `signaling server: ${signaling.reason ?? signaling.state}`
  const servers = ice.servers.length === 0 ? 'none' : ice.servers.join(', ')
  return [
    broker,
    `STUN and TURN servers: ${servers}`,
    ...(ice.policy === 'relay' ? ['only by relay, as the settings say'] : []),
  ]
}

function machineText(machine: Explanation['machines'][number]): string {
  if (!machine.isUp) return 'away'
  const trip =
    machine.roundTripMs === null ? '' : `, round trip ${milliseconds(machine.roundTripMs)}`
  return `here${machine.isLeader ? ', leads' : ''}${trip}`
}

function linkText(link: LinkExplanation): string {
  const attempts = link.attempts === 1 ? '1 attempt' : `${link.attempts} attempts`
  const ended = link.lastEnd === null ? '' : `; last end: ${link.lastEnd.reason}`
  if (link.state !== 'connected') {
    const found = link.candidates === null ? '' : `, found ${counts(link.candidates.local)}`
    return `${link.state}, ICE ${link.iceState ?? 'not begun'}, ${attempts}${found}${ended}`
  }
  const { localCandidate, remoteCandidate, protocol, relayProtocol } = link
  const way =
    localCandidate === null
      ? 'way unknown'
      : `${localCandidate} to ${remoteCandidate ?? 'unknown'} by ${protocol ?? 'unknown'}`
  const relay = relayProtocol === null ? '' : ` (TURN by ${relayProtocol})`
  const trip = link.roundTripMs === null ? '' : `, round trip ${milliseconds(link.roundTripMs)}`
  const carrier = link.carrier === 'port' ? 'relayed by the page' : 'channel in the worker'
  const heard = link.silentMs === null ? '' : `, heard ${ago(link.silentMs)}`
  const ice = link.iceState ?? 'unknown'
  return `ICE ${ice}, ${way}${relay}${trip}${heard}, ${carrier}, ${attempts}${ended}`
}

function counts(found: CandidateCounts): string {
  const kinds = Object.entries(found).filter(([, count]) => (count as number) > 0)
  if (kinds.length === 0) return 'no candidates'
  return kinds.map(([kind, count]) => `${String(count)} ${kind}`).join(', ')
}

/** Below the silence limit of 1.2 s all is as it should be. */
function ago(ms: number): string {
  return ms < 1_200 ? 'just now' : `${Math.floor(ms / 1_000)} s ago`
}

function milliseconds(ms: number): string {
  if (ms < 5) return 'under 5 ms'
  return `${ms < 50 ? Math.round(ms / 5) * 5 : Math.round(ms / 50) * 50} ms`
}

function bytes(count: number | null): string {
  if (count === null) return 'unknown'
  const mega = count / 1e6
  return mega >= 1_000 ? `${(mega / 1_000).toFixed(1)} GB` : `${mega.toFixed(mega < 10 ? 1 : 0)} MB`
}
