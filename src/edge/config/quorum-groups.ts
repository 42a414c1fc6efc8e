/** group.N=sid:sid… and weight.SID=number: quorums of groups (Q6). */
import type { ServerId } from '../../core/base/zxid.ts'
import type { QuorumGroup } from '../../core/zab/hierarchical-verifier.ts'
import type { EnsembleMember } from '../settings.ts'
import { ConfigError } from './config-error.ts'
import { parseSid } from './server-line.ts'
import { parseWhole } from './setting-row.ts'

/** Java's int; sums of 255 of them are exact. */
const WEIGHT_MAX = 0x7fffffff

/** `entries`: the list of members with its groups. Empty: no groups are asked for. */
export function parseGroups(
  entries: ReadonlyMap<string, string>,
  members: readonly EnsembleMember[],
): readonly QuorumGroup[] {
  const keys = [...entries].filter(([key]) => !key.startsWith('server.'))
  if (keys.length === 0) return []
  const weights = new Map<ServerId, number>()
  const groups: ServerId[][] = []
  for (const [key, value] of keys) {
    const where = `${key}=${value}`
    const [, kind, number = ''] = /^(group|weight)\.(\d{1,9})$/.exec(key) ?? []
    if (kind === undefined) throw new ConfigError(`${where}: write group.N or weight.N`)
    if (kind === 'weight')
      weights.set(parseSid(number, where), parseWhole(key, value, 0, WEIGHT_MAX))
    else groups.push(value.split(':').map((sid) => parseSid(sid.trim(), where)))
  }
  checkPlaces(groups, members)
  const weighed = groups.map((group) =>
    group.map((sid) => ({ sid, weight: weights.get(sid) ?? 1 })),
  )
  if (weighed.flat().every(({ weight }) => weight === 0)) {
    throw new ConfigError('every participant has the weight 0: none of them could be elected')
  }
  return weighed
}

function checkPlaces(
  groups: readonly (readonly ServerId[])[],
  members: readonly EnsembleMember[],
): void {
  const placed = groups.flat()
  const double = placed.find((sid, at) => placed.indexOf(sid) !== at)
  if (double !== undefined) throw new ConfigError(`server ${double} is in two groups`)
  const participants = members.filter(({ role }) => role === 'participant').map(({ sid }) => sid)
  const missing = participants.find((sid) => !placed.includes(sid))
  if (missing !== undefined) throw new ConfigError(`server ${missing} is in no group`)
  const strange = placed.find((sid) => !participants.includes(sid))
  if (strange !== undefined) throw new ConfigError(`group: server ${strange} is no participant`)
}
