/** Who plays what: by the number of the machine, as in the seed. */

export type Role = 'master' | 'worker' | 'client'

export interface Place {
  /** Number of the machine; null for a tab that is no voter. */
  readonly sid: number | null
  /** Machines of the room. */
  readonly size: number
  readonly incarnation: string
}

/**
 * Machine 1 is the master and machine 2 its backup, by the same program: who comes first leads.
 * Machine 3 works and submits; all others work. A master that comes back into a run finds another
 * in its place: it stands by, and works as the seed's machine 1 does.
 */
export function rolesOf(place: Place, cameBack: boolean): readonly Role[] {
  const { sid, size } = place
  if (sid === null) return ['worker']
  if (size < 3) return sid === 1 ? ['master', 'worker', 'client'] : ['worker']
  if (sid <= 2) return cameBack ? ['master', 'worker'] : ['master']
  return sid === 3 ? ['worker', 'client'] : ['worker']
}

export function nameOf(role: Role, place: Place): string {
  const number = place.sid ?? `-${place.incarnation.slice(0, 6).toLowerCase()}`
  return `${role}${number}.example.com`
}

/** For the page, before a run: what this tab will do. */
export function partOf(place: Place): string {
  const { sid, size } = place
  if (sid === null) return 'This tab is one more worker.'
  if (size < 3) return sid === 1 ? 'This machine plays all parts.' : 'This machine is a worker.'
  if (sid === 1) return 'This machine is the master.'
  if (sid === 2) return 'This machine is the backup master.'
  return sid === 3 ? 'This machine is the worker and the client.' : 'This machine is a worker.'
}
