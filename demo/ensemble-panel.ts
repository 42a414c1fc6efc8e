/** The side panel: members, what to do when some are missing, and sessions with their deadlines. */
import type { MemberStatus } from '../src/core/server/member-machine.ts'
import { isVersionRefusal } from '../src/adapters/webrtc/version-refusal.ts'
import { BUILD } from '../src/browser/build-id.ts'
import type { SignalingState } from '../src/ports/signaling.ts'
import { commitText } from '../src/runtime/observer-text.ts'
import type { WorkerStatus } from '../worker/protocol.ts'
import { element, make, openMachineLink, showText } from './page-elements.ts'
import { machineOfSession, sessionFates } from './session-fates.ts'

export class EnsemblePanel {
  readonly #advice = element('advice', HTMLElement)
  readonly #members = element('members', HTMLElement)
  readonly #sessions = element('sessions', HTMLElement)
  readonly #invite = element('invite', HTMLElement)
  #address = ''
  #invited = -1
  #signaling: SignalingState | null = null
  readonly #shown = new Map<HTMLElement, string>()

  show(status: WorkerStatus, address: string): void {
    this.#address = address
    showText(this.#advice, this.#adviceFor(status))
    this.#list(this.#members, memberLines(status))
    const { member } = status
    this.#list(this.#sessions, member === null ? [] : sessionLines(member))
    this.#showInvite(status)
  }

  showSignaling(state: SignalingState): void {
    this.#signaling = state
  }

  #adviceFor(status: WorkerStatus): string {
    const broker =
      this.#signaling?.kind === 'waiting'
        ? ' The signaling server cannot be reached: open tabs go on, new ones cannot join.'
        : ''
    const notes = versionNotes(status) + broker
    const refusals = refusalsOf(status, (refusal) => !isVersionRefusal(refusal))
    if (status.phase !== 'member') return sentence(status.text) + refusals + notes
    const missing = missingVoters(status)
    if (missing === 0) return `All ${status.size} machines are here.${notes}`
    const here = `${status.size - missing} of ${status.size} here`
    const left = commitText(status.size, missing)
    return `${here}; ${left}. Open the missing ones with this link.${refusals}${notes}`
  }

  /** One link per missing machine. */
  #showInvite(status: WorkerStatus): void {
    const here = status.member === null ? status.here : status.size - missingVoters(status)
    const missing = status.phase === 'client' ? 0 : Math.max(0, status.size - here)
    if (this.#invited !== missing) {
      this.#invited = missing
      const open = Array.from({ length: missing }, (_, index) => {
        const text = status.member !== null ? 'Open a machine' : `Open machine ${here + index + 1}`
        return openMachineLink(this.#address, text, index === 0)
      })
      this.#invite.replaceChildren(...open)
    }
    for (const link of this.#invite.querySelectorAll('a')) link.href = this.#address
  }

  /** Redraws a list only when it changed: a moving list cannot be read or selected. */
  #list(target: HTMLElement, lines: readonly Line[]): void {
    const key = JSON.stringify(lines)
    if (this.#shown.get(target) === key) return
    this.#shown.set(target, key)
    target.replaceChildren(
      ...(lines.length > 0 ? lines : [{ who: 'none yet', text: '' }]).map((line) => {
        const item = make('li', '')
        item.append(make('span', line.who, line.text === '' ? 'soft' : 'who'), ` ${line.text}`)
        if (line.left !== undefined) {
          const meter = make('meter', '')
          meter.value = line.left
          meter.setAttribute('aria-label', `time left of ${line.who}`)
          item.append(meter)
        }
        return item
      }),
    )
  }
}

/** Tabs opened before and after a new version came out. */
function versionNotes(status: WorkerStatus): string {
  const others = status.otherBuilds ?? []
  const beside =
    others.length === 0
      ? ''
      : ` Works together with version ${others.join(', ')}; this tab runs ${BUILD}.`
  return refusalsOf(status, isVersionRefusal) + beside
}

function refusalsOf(status: WorkerStatus, which: (refusal: string) => boolean): string {
  const chosen = (status.refusals ?? []).filter((text) => which(text) && !isExpected(text))
  return chosen.map((refusal) => ` Refused: ${refusal}.`).join('')
}

/** Two tabs that do not vote decline each other: that is how it should be, and no news. */
function isExpected(refusal: string): boolean {
  return refusal.includes('linked to voters only')
}

interface Line {
  readonly who: string
  readonly text: string
  /** 0…1 */
  readonly left?: number
}

function memberLines(status: WorkerStatus): Line[] {
  const { member } = status
  if (member === null) {
    return status.peers.map((peer) => {
      const { sid, incarnation } = peer
      const who = sid === null ? `candidate ${incarnation.slice(0, 6)}` : `machine ${sid}`
      return { who: `${who}${nodeMark(peer)}`, text: 'linked' }
    })
  }
  const voters = status.voters.map((sid): Line => {
    const who = `machine ${sid}${sid === status.sid ? ' (this tab)' : markOf(status, sid)}`
    const isLeader = sid === member.leader
    if (sid === status.sid) return { who, text: isLeader ? 'leading' : member.role }
    const peer = member.peers.find((one) => one.sid === sid)
    if (peer?.up !== true) return { who, text: `away for ${seconds(peer?.silentMs ?? 0)}` }
    const rtt = peer.rttMs === null ? '' : `, ${roundTrip(peer.rttMs)}`
    return { who, text: `${isLeader ? 'leading' : 'linked'}${rtt}` }
  })
  return [...voters, ...observerLines(status, member)]
}

/** A voter sees which observers are linked with it; an observer sees who else has a place. */
function observerLines(status: WorkerStatus, member: MemberStatus): Line[] {
  return member.observers.map(({ sid }) => {
    if (sid === status.sid) return { who: `observer ${sid} (this tab)`, text: member.role }
    const who = `observer ${sid}${markOf(status, sid)}`
    if (status.phase === 'observer') return { who, text: 'linked to the voters only' }
    const link = member.observerPeers.find((one) => one.sid === sid)
    if (link?.up !== true) return { who, text: 'not linked' }
    return { who, text: link.rttMs === null ? 'linked' : `linked, ${roundTrip(link.rttMs)}` }
  })
}

/** A tab stands behind a name unless it says otherwise. Known while that machine is linked. */
function markOf(status: WorkerStatus, sid: number): string {
  return nodeMark(status.peers.find((peer) => peer.sid === sid))
}

function nodeMark(peer: WorkerStatus['peers'][number] | undefined): string {
  return peer?.isNode === true ? ' (Node)' : ''
}

function missingVoters({ voters, member }: WorkerStatus): number {
  return member?.peers.filter((peer) => !peer.up && voters.includes(peer.sid)).length ?? 0
}

function roundTrip(ms: number): string {
  return `round trip ${ms.toFixed(1)} ms`
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`
}

function sessionLines(member: MemberStatus): Line[] {
  return sessionFates(member).map((fate) => {
    const { session } = fate
    const owns = session.ephemerals === 1 ? '1 ephemeral' : `${session.ephemerals} ephemerals`
    const who = `${session.id} (machine ${machineOfSession(session.id)})`
    if (fate.remainingMs === null) return { who, text: `alive, ${owns}` }
    const about = fate.isEstimate ? 'about ' : ''
    const text = `no client: expires in ${about}${seconds(fate.remainingMs)}, ${owns}`
    return { who, text, left: Math.max(0, Math.min(1, fate.remainingMs / session.timeoutMs)) }
  })
}

function seconds(ms: number): string {
  return `${Math.max(0, Math.ceil(ms / 1000))} s`
}
