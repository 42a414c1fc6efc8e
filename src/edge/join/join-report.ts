/** What a joined machine says: lines of JSON for programs, sentences for people, no repetitions. */
import process from 'node:process'
import type { SignalingState } from '../../ports/signaling.ts'
import type { RoomMemberStatus } from '../../runtime/room-options.ts'
import type { MachineHome } from './machine-home.ts'

export interface ServingLine {
  readonly sid: number | null
  readonly pid: number
  readonly clientPort: number
  readonly adminPort: number | null
  readonly role: string
  readonly link: string
}

export interface JoinReportOptions {
  readonly home: Pick<MachineHome, 'room' | 'keepNames'>
  readonly isNewRoom: boolean
  /** Address of the signaling server. */
  readonly broker: string
  readonly onLine: (line: ServingLine | { readonly link: string }) => void
  readonly onText: (text: string) => void
}

export class JoinReport {
  /** Serving is told when they are known. */
  ports: Pick<ServingLine, 'clientPort' | 'adminPort'> | null = null
  /** Resolves when the machine can go on no more. */
  readonly failed: Promise<void>
  #onFailed: () => void = () => undefined
  readonly #options: JoinReportOptions
  #link: string
  #failure: string | null = null
  #said = ''
  #brokerSaid = ''
  #hasServed = false

  constructor(options: JoinReportOptions) {
    this.#options = options
    this.#link = options.home.room.address.href
    this.failed = new Promise((resolve) => {
      this.#onFailed = resolve
    })
    if (!options.isNewRoom) return
    options.onLine({ link: this.#link })
    this.say(`a new room; open its link in tabs: ${this.#link}`)
  }

  get failure(): string | null {
    return this.#failure
  }

  say(text: string): void {
    this.#options.onText(text)
  }

  onStatus(status: RoomMemberStatus): void {
    const { creator, cluster, member, phase } = status
    if (phase === 'failed') {
      this.#failure = status.text
      this.#onFailed()
      return
    }
    if (creator !== null && cluster !== null && status.voters.length > 0) {
      this.#link = this.#options.home.keepNames(creator, cluster)
    }
    const text = statusText(status)
    // A figure that grows is no news.
    const news = text.replaceAll(/\d+ s\b/g, '')
    if (news !== this.#said) this.say(text)
    this.#said = news
    if (member?.serving !== true || this.ports === null || this.#hasServed) return
    this.#hasServed = true
    const { sid } = status
    const { role } = member
    this.#options.onLine({ sid, pid: process.pid, ...this.ports, role, link: this.#link })
  }

  onSignaling(state: SignalingState): void {
    const away = `the signaling server ${this.#options.broker} cannot be reached`
    const text = state.kind === 'waiting' ? `${away}: ${state.reason}` : ''
    if (text !== '' && text !== this.#brokerSaid) this.say(text)
    if (state.kind === 'waiting' || state.kind === 'joined') this.#brokerSaid = text
  }
}

/** `machine 2, following; machine 1 leads` */
export function statusText({ phase, text, sid, member }: RoomMemberStatus): string {
  if (member === null || sid === null) return text
  const name = phase === 'observer' ? `observer ${sid}` : `machine ${sid}`
  const why = member.whyNotServing ?? null
  if (why !== null) return `${name}, ${member.role}: ${why}`
  const leader = member.leader === null || member.leader === sid ? '' : `; machine ${member.leader}`
  return `${name}, ${member.role}${leader === '' ? '' : `${leader} leads`}`
}
