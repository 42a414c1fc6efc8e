/** The list of members, which of them this server is, and where it serves clients (Q2, Q80). */
import type { QuorumGroup } from '../../core/zab/hierarchical-verifier.ts'
import { isStandalone, type EnsembleMember, type ServerSettings } from '../settings.ts'
import { ConfigError } from './config-error.ts'
import { parseGroups } from './quorum-groups.ts'
import { parseServerLine, parseSid } from './server-line.ts'

export interface ServerLists {
  /** server.N, group.N and weight.N. */
  readonly entries: ReadonlyMap<string, string>
  /** The file myid; null = there is none. */
  readonly myId: string | null
  readonly hasPeerType: boolean
}

export function memberSettings(
  settings: ServerSettings,
  lists: ServerLists,
  warn: (text: string) => void,
): Partial<ServerSettings> {
  const members = parseMembers(lists.entries)
  const groups = parseGroups(lists.entries, members)
  checkMembers(members, settings.standaloneEnabled, groups, warn)
  const sid = lists.myId === null ? null : parseMyId(lists.myId)
  const own = members.find((member) => member.sid === sid)
  if (isStandalone({ ...settings, members })) {
    // The line of the only one is what it is: its client port counts, its quorum ports do not.
    const only = own ?? members[0]
    return { members, groups, sid: null, role: 'participant', ...clientPortsOf(only, settings) }
  }
  if (sid === null) {
    const file = `${settings.dataDirectory}/myid`
    throw new ConfigError(`${file} is missing: write the number of this server into it`)
  }
  if (own === undefined) {
    const known = members.map((member) => member.sid).join(', ')
    throw new ConfigError(`myid says ${sid}, and the list of servers has only ${known}`)
  }
  if (own.role !== settings.role && (lists.hasPeerType || own.role === 'participant')) {
    warn(`peerType=${settings.role}: the list of servers says ${own.role}, which counts`)
  }
  return { members, groups, sid, role: own.role, ...clientPortsOf(own, settings) }
}

function parseMembers(entries: ReadonlyMap<string, string>): EnsembleMember[] {
  const members: EnsembleMember[] = []
  for (const [key, value] of entries) {
    if (!key.startsWith('server.')) continue
    const member = parseServerLine(key, value)
    if (members.some(({ sid }) => sid === member.sid)) {
      throw new ConfigError(`${key}: server ${member.sid} stands in the list already`)
    }
    members.push(member)
  }
  return members.sort((a, b) => a.sid - b.sid)
}

function checkMembers(
  members: readonly EnsembleMember[],
  standaloneEnabled: boolean,
  groups: readonly QuorumGroup[],
  warn: (text: string) => void,
): void {
  const voters = members.filter(({ role }) => role === 'participant').length
  if (voters === 0) {
    if (members.length > 0) throw new ConfigError('the list of servers has observers only')
    if (!standaloneEnabled) {
      throw new ConfigError('standaloneEnabled=false needs at least one server.N')
    }
    return
  }
  if (voters === 1 && standaloneEnabled) {
    if (members.length > 1) {
      throw new ConfigError('one participant and observers need standaloneEnabled=false')
    }
    return warn('one server in the list: it runs alone, without a quorum')
  }
  // What groups can do without is another sum.
  if (groups.length > 0) return
  if (voters <= 2) warn(`${voters} participants: none of them may fail; have three`)
  else if (voters % 2 === 0) warn(`${voters} participants: one less tolerates as many failures`)
}

/** Its first line, as Apache reads it. */
function parseMyId(text: string): ReturnType<typeof parseSid> {
  const line = (text.split(/\r?\n/)[0] ?? '').trim()
  return parseSid(line, `myid '${line}'`)
}

type ClientPorts = Pick<
  ServerSettings,
  'clientPort' | 'clientAddress' | 'secureClientPort' | 'secureClientAddress'
>

function clientPortsOf(own: EnsembleMember | undefined, settings: ServerSettings): ClientPorts {
  const plain = agreed(
    'clientPort',
    { port: own?.clientPort, address: own?.clientAddress },
    { port: settings.clientPort, address: settings.clientAddress },
  )
  const secure = agreed(
    'secureClientPort',
    { port: own?.secureClientPort, address: own?.secureClientAddress },
    { port: settings.secureClientPort, address: settings.secureClientAddress },
  )
  return {
    clientPort: plain.port,
    clientAddress: plain.address,
    secureClientPort: secure.port,
    secureClientAddress: secure.address,
  }
}

interface ListeningAt {
  readonly port: number | null
  readonly address: string | null
}

/** Given twice, the two must say the same: else half of the clients would look in vain. */
function agreed(
  key: string,
  ofLine: { readonly port: number | undefined; readonly address: string | undefined },
  ofFile: ListeningAt,
): ListeningAt {
  if (ofLine.port === undefined) return ofFile
  const address = ofLine.address ?? null
  const isSame =
    ofFile.port === null ||
    (ofFile.port === ofLine.port && (ofFile.address === null || ofFile.address === address))
  if (!isSame) {
    const line = `${address ?? '*'}:${ofLine.port}`
    const file = `${ofFile.address ?? '*'}:${ofFile.port}`
    throw new ConfigError(`clients are served at ${file} by ${key}, at ${line} by server.N`)
  }
  return { port: ofLine.port, address }
}
